"""Runs: what belongs together, what is new in it, and when it is over."""

import random

import pytest

from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Message, Outcome, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions._totals import RunStats

from .records import NEW_YEAR, call, exchange, kinds, only

ASSISTANT = Message("assistant", "Fine.")
HALF_AN_HOUR = 30 * 60 * 1000


def test_a_run_begins_with_its_first_call(book):
    """Run, message and answer; the second call of the client belongs to the same run."""
    binding = Binding()
    first = book.record(call("Hello"), exchange(binding=binding))
    second = book.record(call("Hello", ASSISTANT, "And you?"), exchange(1000, binding=binding))
    assert kinds(first) == ["llm_run_started", "user_message", "llm_message"]
    assert kinds(second) == ["user_message", "llm_message"]
    assert len({event.properties["session_id"] for event in first + second}) == 1
    assert only(second, "user_message")["content"] == "And you?"
    assert only(first, "llm_run_started")["run_source"] == "automatic"


def test_history_is_not_told_again(book):
    """Only what a person said since the last answer is new: no history, no system prompt, no tool result."""
    binding = Binding()
    turns = [Message("system", "Be brief."), Message("user", "One"), ASSISTANT, Message("user", "Two")]
    events = book.record(call(*turns), exchange(binding=binding))
    assert [event.properties["content"] for event in events if event.event_type == "user_message"] == ["Two"]
    turns += [ASSISTANT, Message("tool", "18 degrees")]
    assert kinds(book.record(call(*turns), exchange(500, binding=binding))) == ["llm_message"]


def test_a_retry_is_no_new_message(book):
    """The same request after its failure is the next attempt: one user message, two attempts, one call in the total."""
    binding = Binding()
    failed = call("Hello", answer=None, usage=Usage(), error=CallError("overloaded"), finish_reason=None)
    first = book.record(failed, exchange(binding=binding, status=529, body=b"same"))
    second = book.record(call("Hello"), exchange(300, binding=binding, body=b"same"))
    assert kinds(first)[1:] == ["user_message", "llm_message"]
    assert kinds(second) == ["llm_message"]
    assert [only(events, "llm_message")["attempt"] for events in (first, second)] == [0, 1]
    finished = only(book.end_all(NEW_YEAR + 999, "exit"), "llm_run_finished")
    assert (finished["total_messages"], finished["total_errors"], finished["success"]) == (1, 1, True)


@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.parametrize("changed", [None, "first", "middle", "last", "length"])
def test_what_counts_as_the_same_request(book, size, changed):
    """Large bodies are known by their length, their ends and samples of their middle."""
    binding = Binding()
    failed = call("Hello", answer=None, usage=Usage(), error=CallError("overloaded"), finish_reason=None)
    body = bytearray(random.Random(1).randbytes(size))
    book.record(failed, exchange(binding=binding, status=529, body=bytes(body)))
    if changed == "length":
        body += b" "
    elif changed is not None:
        start = {"first": 0, "middle": size // 2, "last": size - 1}[changed]
        stop = min(start + 70_000, size)
        body[start:stop] = bytes(stop - start)
    again = book.record(call("Hello"), exchange(300, binding=binding, body=bytes(body)))
    assert only(again, "llm_message")["attempt"] == (1 if changed is None else 0)


def test_the_sdks_own_count_of_attempts_wins(book):
    """A retry header is believed, even when the failed attempt was never seen."""
    events = book.record(call("Hello", retry_count=2), exchange())
    assert only(events, "llm_message")["attempt"] == 2
    assert "user_message" not in kinds(events)


def test_two_users_of_one_client_are_two_runs(book):
    """A web server's one client serves many: each has a run of their own."""
    binding = Binding()
    events = [
        *book.record(call("Hello"), exchange(binding=binding, user_id="ann")),
        *book.record(call("Hello"), exchange(1, binding=binding, user_id="bob")),
        *book.record(call("Hello", ASSISTANT, "Again"), exchange(2, binding=binding, user_id="ann")),
    ]
    runs = {(event.user_id, event.properties["session_id"]) for event in events}
    assert len(runs) == 2
    assert {user for user, _ in runs} == {"ann", "bob"}


def test_the_same_words_of_two_users_are_both_told(book):
    """What is new is judged run by run."""
    for user in ("ann", "bob"):
        assert "user_message" in kinds(book.record(call("Hello"), exchange(user_id=user, session_id=f"of-{user}")))


def test_silence_ends_a_run(book):
    """After half an hour the next call begins a new run; the old one ended when it fell silent."""
    binding = Binding()
    first = book.record(call("Hello"), exchange(binding=binding))
    later = book.record(call("Back"), exchange(100 + HALF_AN_HOUR, binding=binding))
    assert kinds(later) == ["llm_run_finished", "llm_run_started", "user_message", "llm_message"]
    finished = only(later, "llm_run_finished")
    assert finished["end_reason"] == "timeout"
    assert finished["session_id"] == first[0].properties["session_id"] != later[-1].properties["session_id"]
    assert later[0].time_ms == NEW_YEAR + 100


def test_a_tick_ends_what_is_silent_and_nothing_else(book):
    """The worker's clock, not the next call, ends a run whose user has gone."""
    book.record(call("Hello"), exchange(session_id="old"))
    book.record(call("Hello"), exchange(60_000, session_id="young"))
    assert book.tick(NEW_YEAR + HALF_AN_HOUR) == []
    (ended,) = book.tick(NEW_YEAR + 100 + HALF_AN_HOUR)
    assert ended.properties["session_id"] == "old"


def test_the_time_out_is_configured():
    """``session_timeout_ms`` is what is meant by silence."""
    book = RunRegistry(AIConfig(session_timeout_ms=1000))
    binding = Binding()
    book.record(call("Hello"), exchange(binding=binding))
    assert kinds(book.record(call("Hi"), exchange(1200, binding=binding)))[:2] == [
        "llm_run_finished",
        "llm_run_started",
    ]


def test_closing_a_client_ends_its_runs(book):
    """Those of its own, not those of a session the caller named."""
    binding = Binding()
    book.record(call("Hello"), exchange(binding=binding, user_id="ann"))
    book.record(call("Hello"), exchange(binding=binding, user_id="bob"))
    book.record(call("Hello"), exchange(binding=binding, session_id="named"))
    ended = book.end_client(binding.key, NEW_YEAR + 5000)
    assert sorted(event.user_id for event in ended) == ["ann", "bob"]
    assert {event.properties["end_reason"] for event in ended} == {"closed"}


def test_the_end_carries_the_sum_of_what_was_told(book):
    """Totals are those of the emitted events, tools and errors included."""
    binding = Binding()
    told = []
    tool = ToolCall("get_weather", "call-1", {"city": "Paris"})
    told += book.record(call("Weather?", tool_calls=(tool,), answer=None), exchange(binding=binding))
    result = call("Weather?", ASSISTANT, tool_results=(ToolResult("call-1", "18"),), usage=Usage(50, 5))
    told += book.record(result, exchange(1000, binding=binding))
    told += book.record(
        call("Boom", usage=Usage(), error=CallError("server_error")), exchange(2000, binding=binding, status=500)
    )
    (finished,) = book.end_all(NEW_YEAR + 3000, "exit")
    messages = [event.properties for event in told if event.event_type == "llm_message"]
    totals = finished.properties
    assert totals["total_messages"] == len(messages) == 3
    assert totals["total_tokens"] == sum(one.get("total_tokens", 0) for one in messages) == 175
    assert totals["total_cost_usd"] == pytest.approx(sum(one.get("cost_usd", 0) for one in messages))
    assert totals["total_tool_calls"] == kinds(told).count("tool_called") == 1
    assert (totals["total_errors"], totals["success"]) == (1, False)
    assert totals["duration_ms"] == 2100


def test_unknown_totals_are_absent(book):
    """No tokens were reported: the total is not 0."""
    book.record(call("Hello", usage=Usage()), exchange())
    (finished,) = book.end_all(NEW_YEAR, "exit")
    assert not {"total_tokens", "total_cost_usd"} & finished.properties.keys()


def test_without_automatic_sessions_there_is_no_run(book):
    """``auto_start_session=False`` and no id: calls are told, without a session and without a run's events."""
    events = book.record(call("Hello"), exchange(binding=Binding(auto_start_session=False)))
    assert kinds(events) == ["user_message", "llm_message"]
    assert all("session_id" not in event.properties for event in events)
    assert book.end_all(NEW_YEAR, "exit") == []


def test_the_flag_for_ids_does_the_same():
    """``auto_generate_session_ids=False`` invents no id; an id of the caller's is used."""
    book = RunRegistry(AIConfig(auto_generate_session_ids=False))
    assert kinds(book.record(call("Hello"), exchange())) == ["user_message", "llm_message"]
    assert "llm_run_started" in kinds(book.record(call("Hello"), exchange(session_id="mine")))


def test_a_managed_session_begins_and_ends_elsewhere(book):
    """Inside ``llm_session`` the calls add to its totals, and its own code tells its start and end."""
    totals = RunStats()
    context = Scope(Binding(), session_id="managed", managed_session=True, totals=totals)
    assert kinds(book.record(call("Hello"), exchange(context=context))) == ["user_message", "llm_message"]
    assert (totals.messages, totals.tokens) == (1, 120)
    assert book.end_managed(totals, NEW_YEAR) == []


def test_many_users_do_not_pile_up():
    """Past the bound the run that was silent longest ends, and is told as evicted."""
    book = RunRegistry(max_runs=2)
    for number in range(3):
        events = book.record(call("Hello"), exchange(number, session_id=f"s{number}"))
    assert kinds(events)[0] == "llm_run_finished"
    assert (events[0].properties["session_id"], events[0].properties["end_reason"]) == ("s0", "evicted")
    assert len(book.end_all(NEW_YEAR, "exit")) == 2


def test_ids_are_a_function_of_what_they_describe():
    """Recording the same exchange twice gives the same ``insert_id``s, so a resend is deduplicated."""
    where = exchange(session_id="s")
    twice = [[event.insert_id for event in RunRegistry().record(call("Hello", "There"), where)] for _ in range(2)]
    assert twice[0] == twice[1]
    assert len(set(twice[0])) == 4


@pytest.mark.parametrize(
    ("changes", "where", "expected"),
    [
        ({}, {}, (True, False, None, "stop")),
        (
            {"streaming": True, "complete": False, "finish_reason": None},
            {"outcome": Outcome.CLOSED},
            (True, True, None, None),
        ),
        (
            {"streaming": True, "complete": False, "finish_reason": None},
            {"outcome": Outcome.EXHAUSTED},
            (False, True, "incomplete_stream", "error"),
        ),
        (
            {"streaming": True, "complete": False, "finish_reason": None},
            {"outcome": Outcome.CANCELLED},
            (False, True, "CancelledError", "error"),
        ),
        ({"streaming": True}, {"outcome": Outcome.CANCELLED}, (True, False, None, "stop")),
        (
            {"error": CallError("ReadTimeout"), "finish_reason": None},
            {"status": None, "outcome": Outcome.ERROR},
            (False, False, "ReadTimeout", "error"),
        ),
        ({"error": CallError(None), "finish_reason": None}, {"status": 502}, (False, False, "http_502", "error")),
        ({"error": CallError("overloaded_error")}, {}, (False, False, "overloaded_error", "stop")),
    ],
    ids=["whole", "closed early", "cut", "cancelled", "cancelled after", "no answer", "no type", "error in a 200"],
)
def test_how_a_call_ended(book, changes, where, expected):
    """Success, abort, error and finish reason, for each way a call can end."""
    said = only(book.record(call("Hello", **changes), exchange(**where)), "llm_message")
    assert (said["success"], said["stream_aborted"], said.get("error_type"), said.get("finish_reason")) == expected


def test_the_machines_time_set_back_in_the_midst_of_a_run(book):
    """A run lasts as long as it lasted; and who is silent from then on is silent from then on."""
    tool = ToolCall("get_weather", "call-1", {"city": "Paris"})
    hour = 3_600_000
    book.record(call("Hello"), exchange(session_id="s"))
    assert book.tick(NEW_YEAR + 500) == []
    later = exchange(1000, session_id="s", started_at_ms=NEW_YEAR + 1000 - hour)
    book.record(call("Weather?", tool_calls=(tool,), answer=None), later)
    assert book.tick(NEW_YEAR + 1500 - hour) == []
    assert kinds(book.tick(NEW_YEAR + 1500 - hour + 60_000)) == ["tool_called"]
    (finished,) = book.tick(NEW_YEAR + 1500 - hour + HALF_AN_HOUR)
    assert (finished.event_type, finished.properties["duration_ms"]) == ("llm_run_finished", 1100)
