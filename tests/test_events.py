"""The five events: every property of docs/schema.md, by name, type, value and absence; and the ids of events."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Message, Outcome, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.sessions import _events
from amplitude_ai.sessions._events import Origin
from amplitude_ai.sessions._privacy import Privacy
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions.schema import COMMON, SCHEMA

from .records import NEW_YEAR, call, exchange, kinds, only

PAGE = (Path(__file__).parents[1] / "docs/schema.md").read_text()
TYPES = {"text": (str,), "int": (int,), "float": (float,), "bool": (bool,), "any": (object,)}

WEATHER = ToolCall("get_weather", "call-1", {"city": "Paris"})
SEARCH = ToolCall("search", "srv-1", {"q": "x"}, "web_search", executed=True, success=False, error_message="no net")
FULL = call(
    "Weather?",
    answer="Let me look.",
    usage=Usage(100, 20, 120, 40, 8, 5),
    tool_calls=(WEATHER, SEARCH),
    response_id="resp-1",
    temperature=0.5,
    max_tokens=64,
    top_p=0.9,
    streaming=True,
    host="api.openai.com",
    endpoint="/v1/chat/completions",
    provider_request_id="req-1",
    provider_processing_ms=42.0,
    ratelimit_remaining_requests=99,
    ratelimit_remaining_tokens=9_000,
    ratelimit_reset_requests_ms=120.0,
    ratelimit_reset_tokens_ms=6000.0,
    time_to_first_token_ms=12.3456,
)
REFUSED = call(
    "Weather?", answer=None, usage=Usage(), finish_reason=None, error=CallError("rate_limit_error", "Slow down.")
)
#: Nothing is known but that a request was sent.
BARE = call("Hello", answer=None, usage=Usage(), model=None, requested_model=None, finish_reason=None, provider="")


def documented():
    """{event type, or ``COMMON``: {property: (type, when it is absent)}}, from the tables of the page."""
    tables = {}
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        rows = {}
        for row in re.findall(r"^\|( `.+)\|$", text, re.MULTILINE):
            names, kind, _, absent = (cell.strip() for cell in row.split("|"))
            for name in re.findall(r"`(\w+)`", names):
                rows[name] = (kind.split(",")[0], absent)
        tables[title.strip("`") if "`" in title else "COMMON"] = rows
    return tables


DOCUMENTED = documented()


PLACE = {"agent": "triage", "parent_agent": "root", "step": "route", "workflow": "support", "conversation_id": "one"}


def conversation(*calls, config=None, context=None):
    """The events of calls, one a second, and of the end of their runs."""
    book = RunRegistry(config)
    custom = {"tier": "pro", **PLACE}
    span = SimpleNamespace(trace_id=1, span_id=2)
    context = context or Scope(Binding(), user_id="ann", properties=custom, span=span)
    events = []
    for number, one in enumerate(calls):
        status = 429 if one is REFUSED else None if one is BARE else 200
        outcome = Outcome.EXHAUSTED if one.complete else Outcome.CLOSED
        body = None if one is BARE else repr(one.messages).encode()
        where = exchange(number * 1000, context=context, body=body, status=status, outcome=outcome)
        where = replace(where, headers_ns=None) if status is None else where
        where = replace(where, max_gap_ns=12_500_000, stall_count=0, reader_ns=0) if one is FULL else where
        events += book.record(one, where)
    return events + book.end_all(NEW_YEAR + 60_000, "exit")


RESULT = call("Weather?", Message("assistant", ""), tool_results=(ToolResult("call-1", "no city", success=False),))
#: A tool that is an agent, which asks for a tool of its own; and what is no message.
EXPERT = replace(FULL, tool_calls=(ToolCall("expert", "call-9", {"input": "Ask the expert"}),))
SUB_AGENT = replace(FULL, messages=(Message("user", "Ask the expert"),))
EMBEDDING = call("Paris", operation="embeddings", answer=None, model="text-embedding-3-small", usage=Usage(8, 0))
HANDOFF = replace(FULL, tool_calls=(ToolCall("transfer_to_billing", "call-7", {}),))
INSTRUCTED = replace(
    FULL,
    messages=(Message("system", "Be brief."), Message("user", "Weather?")),
    tool_definitions=({"type": "function", "function": {"name": "get_weather"}},),
)
SCENARIOS = {
    "instructed": (INSTRUCTED, FULL),
    "handed over": (HANDOFF,),
    "retried": (REFUSED, FULL),
    "a sub-agent": (EXPERT, SUB_AGENT, EMBEDDING),
    "data only": (EMBEDDING,),
    "no words": (replace(FULL, messages=()),),
    "full": (FULL, RESULT),
    "bare": (BARE,),
    "refused": (REFUSED,),
    "no result": (FULL,),
    "left early": (replace(FULL, complete=False, finish_reason=None, usage_complete=False),),
    "from a cache": (replace(FULL, cached_response=True),),
    "no ids": (replace(FULL, tool_calls=(ToolCall("look", None, None),)),),
    "private": (FULL, RESULT, REFUSED),
}


def played(name):
    """The events of a scenario."""
    return [*conversation(*SCENARIOS[name], config=AIConfig(privacy_mode=name == "private")), *opinions(name)]


def opinions(name):
    """Feedback: all of it on an answer of the first scenario, and nearly nothing on one that nobody has seen."""
    config = AIConfig(privacy_mode=name == "private")
    custom = {"tier": "pro", **PLACE}
    origin = Origin(config, Privacy(config), Scope(properties=custom))
    if name != "full":
        return [_events.feedback(origin, NEW_YEAR, "opinion-2", "resp-9", None, None, None, None)]
    book = RunRegistry(config)
    context = Scope(Binding(), properties=custom, span=SimpleNamespace(trace_id=1, span_id=2))
    book.record(FULL, exchange(context=context))
    answered, message_id = book.answer("resp-1")
    return [_events.feedback(answered, NEW_YEAR, "opinion-1", "resp-1", message_id, 1.0, "good", "Just so.")]


def test_the_page_lists_the_schema():
    """Every event and every property of the code is on the page, in no other place, and nothing else is."""
    listed = {title: set(rows) for title, rows in DOCUMENTED.items()}
    assert listed.pop("COMMON") == set(COMMON)
    assert listed == {event_type: set(names) for event_type, names in SCHEMA.items()}


def test_every_property_has_the_type_of_the_page():
    """Each property of each event occurs, and is what the page says: text, int, float or bool, exactly."""
    reached = set()
    for name in SCENARIOS:
        for event in played(name):
            rows = {**DOCUMENTED["COMMON"], **DOCUMENTED[event.event_type]}
            for key, value in event.properties.items():
                if key != "tier":
                    assert type(value) in TYPES[rows[key][0]], (event.event_type, key, value)
                    reached.add((event.event_type, key))
    expected = {(title, name) for title in SCHEMA for name in (*COMMON, *SCHEMA[title])}
    if _events.sdk_version() is None:
        expected = {(title, name) for title, name in expected if name != "sdk_version"}
    assert reached == expected


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_never_absent(name):
    """A property whose last column says *never* (or *not told*, which is for manual events) is on every event."""
    for event in played(name):
        for key, (_, absent) in DOCUMENTED[event.event_type].items():
            if absent == "never" or absent.startswith("not told"):
                assert key in event.properties, (event.event_type, key)


def test_what_may_be_absent_is():
    """Each other property of the page is missing from one of the scenarios, so its column says something true."""
    told = [(event.event_type, set(event.properties)) for name in SCENARIOS for event in played(name)]
    for title, rows in DOCUMENTED.items():
        for key, (_, absent) in rows.items() if title != "COMMON" else ():
            if absent != "never" and "not told" not in absent:
                assert any(kind == title and key not in keys for kind, keys in told), (title, key)


def test_the_answers_event():
    """Every property of ``llm_message`` by value: ms from the clocks, tokens and flags from the call."""
    where = exchange(
        latency_ms=1500, context=Scope(Binding(), session_id="s", user_id="ann", properties={"tier": "pro"})
    )
    (event,) = [one for one in RunRegistry().record(FULL, where) if one.event_type == "llm_message"]
    said = dict(event.properties)
    assert said.pop("sdk_version", None) == _events.sdk_version()
    assert said.pop("turn_id") == only([*RunRegistry().record(FULL, where)], "user_message")["turn_id"]
    assert said.pop("call_id")
    assert said.pop("time_to_headers_ms") == 0
    assert said.pop("cache_savings_usd") == pytest.approx(40 * 0.075 / 1e6)
    assert said.pop("output_tokens_per_second") == pytest.approx(20 / 1.4876544, rel=1e-3)
    assert said.pop("cost_usd") == pytest.approx((60 * 0.15 + 40 * 0.075 + 20 * 0.60) / 1e6)
    assert said == {
        "session_id": "s",
        "model_provider": "openai",
        "model_name": "gpt-4o-mini-2024-07-18",
        "tier": "pro",
        "message_id": event.insert_id,
        "response_id": "resp-1",
        "provider_request_id": "req-1",
        "endpoint": "/v1/chat/completions",
        "host": "api.openai.com",
        "requested_model": "gpt-4o-mini",
        "input_content": "Weather?",
        "output_content": "Let me look.",
        "output_content_length": 12,
        "content_truncated": False,
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cached_input_tokens": 40,
        "cache_write_tokens": 8,
        "reasoning_tokens": 5,
        "usage_source": "provider",
        "latency_ms": 1500.0,
        "time_to_first_token_ms": 12.346,
        "provider_processing_ms": 42.0,
        "cost_source": "genai-prices",
        "finish_reason": "stop",
        "is_streaming": True,
        "stream_aborted": False,
        "success": True,
        "http_status": 200,
        "attempt": 0,
        "is_final_attempt": True,
        "operation": "chat",
        "model_substituted": False,
        "repeat_count": 1,
        "turn_index": 0,
        "temperature": 0.5,
        "max_tokens": 64,
        "top_p": 0.9,
        "tool_call_count": 2,
        "ratelimit_remaining_requests": 99,
        "ratelimit_remaining_tokens": 9_000,
        "ratelimit_reset_requests_ms": 120.0,
        "ratelimit_reset_tokens_ms": 6000.0,
    }


def test_a_refusal():
    """A 429: what went wrong in the provider's words, no tokens, no cost, no answer and no count of tools."""
    said = only(conversation(REFUSED), "llm_message")
    assert (said["success"], said["http_status"], said["finish_reason"]) == (False, 429, "error")
    assert (said["error_type"], said["error_message"]) == ("rate_limit_error", "Slow down.")
    gone = {"input_tokens", "total_tokens", "cost_usd", "cost_source", "output_content", "tool_call_count"}
    assert not gone & said.keys()


def test_zero_is_a_figure():
    """A count that was reported as 0 is told as 0; one that was not reported is absent."""
    said = only(conversation(replace(FULL, usage=Usage(3, 0, cached_input_tokens=0), temperature=0.0)), "llm_message")
    assert (said["output_tokens"], said["cached_input_tokens"], said["temperature"]) == (0, 0, 0.0)
    assert not {"cache_write_tokens", "reasoning_tokens"} & said.keys()
    assert said["total_tokens"] == 3


@pytest.mark.parametrize(
    ("usage", "total"),
    [(Usage(10, 5), 15), (Usage(10, 5, 17), 17), (Usage(10, None), None), (Usage(None, 5), None)],
    ids=["summed", "as reported", "no output", "no input"],
)
def test_total_tokens(usage, total):
    """The reported total, else the sum of two known halves, else nothing."""
    assert only(conversation(replace(FULL, usage=usage)), "llm_message").get("total_tokens") == total


def test_without_an_answer_the_model_is_the_one_asked_for():
    """``model_name`` is the model that answered, else the requested one, which ``requested_model`` always is."""
    said = only(conversation(replace(FULL, model=None)), "llm_message")
    assert said["model_name"] == said["requested_model"] == "gpt-4o-mini"


def test_several_messages_of_a_user():
    """Each is an event of its own, with an id of its own; ``input_content`` holds them together."""
    events = conversation(call("One", "Two"))
    told = [event for event in events if event.event_type == "user_message"]
    assert [(e.properties["content"], e.properties["content_length"]) for e in told] == [("One", 3), ("Two", 3)]
    assert all(event.properties["message_id"] == event.insert_id for event in told)
    assert only(events, "llm_message")["input_content"] == "One\n\nTwo"


def test_when_each_event_happened():
    """Ms since 1970: a question at the request's start, an answer at its end, a run at its first and last moment."""
    events = conversation(FULL, RESULT)
    told = [(event.event_type, event.time_ms - NEW_YEAR) for event in events if event.event_type != "llm_run_finished"]
    assert told == [
        ("llm_run_started", 0),
        ("user_message", 0),
        ("llm_message", 100),
        ("tool_called", 100),
        ("tool_called", 100),
        ("llm_message", 1100),
    ]
    assert all(type(event.time_ms) is int for event in events)
    assert only(events, "llm_run_finished")["duration_ms"] == 1100.0
    assert events[-1].time_ms == NEW_YEAR + 60_000
    book = RunRegistry()
    book.record(FULL, exchange())
    assert book.tick(NEW_YEAR + 10**9)[-1].time_ms == NEW_YEAR + 100


def test_a_user_or_else_the_machine():
    """``device_id`` stands in only where no user is known, and is the same every time."""
    known = conversation(FULL)
    assert {(event.user_id, event.device_id) for event in known} == {("ann", None)}
    unknown = conversation(FULL, context=Scope(Binding()))
    ((user, device),) = {(event.user_id, event.device_id) for event in unknown}
    assert user is None
    assert device == _events.machine_id()
    assert len(device) >= 5


def test_the_user_of_a_call_wins_over_the_clients():
    """So do the session and the properties that the context carries."""
    binding = Binding(user_id="client-user", session_id="client-session")
    for context, expected in (
        (binding.plain, ("client-user", "client-session")),
        (Scope(binding, "call-user", "call-session"), ("call-user", "call-session")),
    ):
        told = {(event.user_id, event.properties["session_id"]) for event in conversation(FULL, context=context)}
        assert told == {expected}


def test_one_scope_from_the_caller_to_the_event():
    """What a request was settled to be is what its events carry: the very value, and with an automatic run one more."""
    told = Scope(Binding(), "ann", "s", properties={"tier": "pro"}, device_id="phone")
    assert all(event.scope is told for event in conversation(FULL, context=told))
    automatic = replace(told, session_id=None)
    scopes = {id(event.scope): event.scope for event in conversation(FULL, context=automatic)}
    (settled,) = scopes.values()
    assert replace(settled, session_id=None) == automatic


def test_custom_properties_are_on_every_event_and_make_up_nothing():
    """They stand beside the event's own; one with the name of its own is not believed, even where that is unknown."""
    context = Scope(Binding(), session_id="s", properties={"tier": "pro", "input_tokens": 7, "session_id": "x"})
    events = conversation(BARE, context=context)
    assert all(event.properties["tier"] == "pro" and event.properties["session_id"] == "s" for event in events)
    assert "input_tokens" not in only(events, "llm_message")


def test_an_unknown_property_is_a_mistake():
    """The one builder of events takes the names of the schema, and says where others go."""
    origin = Origin(AIConfig(), Privacy(AIConfig()), Scope())
    with pytest.raises(ValueError, match="user_message has no property 'colour': pass it as a custom property"):
        _events.build("user_message", origin, 0, "id", {"colour": "red"})


def test_figures_are_rounded_where_floats_are_noise():
    """Durations to the microsecond, costs to a millionth of a millionth; other floats are left alone."""
    origin = Origin(AIConfig(), Privacy(AIConfig()), Scope())
    facts = {"latency_ms": 0.1234567, "cost_usd": 0.1 + 0.2, "top_p": 0.1 + 0.2, "cost_source": "custom"}
    said = _events.build("llm_message", origin, 0, "id", facts).properties
    assert (said["latency_ms"], said["cost_usd"], said["top_p"]) == (0.123, 0.3, 0.1 + 0.2)


def test_an_event_that_is_sent_again_is_the_same_event():
    """``insert_id`` is a function of the exchange, the event type and the number, the same in every process."""
    assert _events.make_id("exchange-1", "llm_message") == "85065c19-4620-5bc9-89af-869da2792a29"
    parts = [(key, kind, index) for key in ("a", "b") for kind in SCHEMA for index in (0, 1)]
    assert len({_events.make_id(*part) for part in parts}) == len(parts)


def test_no_two_events_share_an_id():
    """Over runs, users and calls that say the same."""
    binding = Binding()
    events = []
    for user in ("ann", "bob"):
        events += conversation(FULL, RESULT, FULL, context=Scope(binding, user))
    assert len({event.insert_id for event in events}) == len(events) == 22


def test_a_tool_is_the_same_event_with_and_without_its_result():
    """Whether told when its result came or before, it has one id: a resend can never be a second tool call."""
    where = exchange(session_id="s")
    ids = set()
    for ending in (
        lambda book: book.record(RESULT, exchange(500, session_id="s")),
        lambda book: book.release_tools(NEW_YEAR),
        lambda book: book.end_all(NEW_YEAR, "exit"),
    ):
        book = RunRegistry()
        book.record(replace(FULL, tool_calls=(WEATHER,)), where)
        events = ending(book)
        ids.add(next(event.insert_id for event in events if event.event_type == "tool_called"))
    assert len(ids) == 1


def test_a_tool_that_failed_and_one_that_waits():
    """A provider's tool that failed says why, in ms nobody measured; one without a result says neither."""
    events = conversation(FULL)
    failed, waiting = (event.properties for event in events if event.event_type == "tool_called")
    assert (failed["tool_type"], failed["success"], failed["error_message"]) == ("web_search", False, "no net")
    assert "latency_ms" not in failed
    assert waiting["tool_name"] == "get_weather"
    assert not {"tool_result", "success", "error_message", "latency_ms"} & waiting.keys()


def test_a_tools_time_is_never_negative():
    """A result in a request that began before the answer ended (clocks, parallel turns) has no duration."""
    book = RunRegistry()
    book.record(FULL, exchange(session_id="s", latency_ms=500))
    events = book.record(RESULT, exchange(100, session_id="s"))
    assert "latency_ms" not in next(e.properties for e in events if e.event_type == "tool_called")


def test_a_call_without_http_has_no_status_and_is_no_failure():
    """What only a framework's callback saw has no method, no host and no status, yet it succeeded."""
    told = call("Hello")
    said = only(RunRegistry().record(told, exchange(method="", url="", status=None)), "llm_message")
    assert said["success"] is True
    assert not {"http_status", "host", "endpoint"} & said.keys()


def test_no_answer_at_all():
    """A request that got no status and no error of its own is a failure with a name."""
    lost = exchange(status=None, outcome=Outcome.CLOSED)
    said = only(RunRegistry().record(replace(FULL, streaming=False, complete=False), lost), "llm_message")
    assert (said["success"], said["error_type"]) == (False, "no_response")


def test_the_order_of_events():
    """A run's start comes first and its end last, a question before its answer."""
    told = kinds(conversation(FULL, RESULT))
    assert told[0] == "llm_run_started"
    assert told[-1] == "llm_run_finished"
    assert told.index("user_message") < told.index("llm_message")
