"""``AIConfig(event_schema=...)``: the events as Amplitude's Agent Analytics names them, and beside its own package."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from amplitude.event import BaseEvent

import amplitude_ai
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, CallError, Event, LLMCall, Message, Scope, ToolCall, ToolResult, Usage
from amplitude_ai.delivery._agent_analytics import AgentAnalytics
from amplitude_ai.delivery._ai_event import AIEvent
from amplitude_ai.plugins import AIEventFilterPlugin, AIObservabilityPlugin
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions.schema import PROPERTIES
from amplitude_ai.testing import EventList

from .records import NEW_YEAR, call, exchange

HERE = Path(__file__).parent
AGENT = AIConfig(event_schema="agent_analytics")
#: From Amplitude's published catalogue: what each event must have.
ALWAYS = {"[Agent] Session ID", "[Agent] SDK Version", "[Agent] Runtime"}
REQUIRED = {
    "[Agent] User Message": {"[Agent] Message ID", "[Agent] Component Type"},
    "[Agent] AI Response": {
        "[Agent] Message ID",
        "[Agent] Component Type",
        "[Agent] Model Name",
        "[Agent] Provider",
        "[Agent] Latency Ms",
        "[Agent] Is Error",
    },
    "[Agent] Tool Call": {
        "[Agent] Component Type",
        "[Agent] Latency Ms",
        "[Agent] Is Error",
        "[Agent] Invocation ID",
        "[Agent] Tool Name",
        "[Agent] Tool Success",
    },
    "[Agent] Embedding": {
        "[Agent] Component Type",
        "[Agent] Model Name",
        "[Agent] Provider",
        "[Agent] Latency Ms",
        "[Agent] Span ID",
    },
    "[Agent] Span": {"[Agent] Latency Ms", "[Agent] Is Error", "[Agent] Span ID", "[Agent] Span Name"},
    "[Agent] Session End": set(),
}
WEATHER = ToolCall("weather", "call-1", {"city": "Paris"})
ASKED = call(
    Message("system", "Be brief."),
    "Weather?",
    answer=None,
    tool_calls=(WEATHER,),
    finish_reason="tool_calls",
    tool_definitions=({"name": "weather", "input_schema": {"type": "object"}},),
    usage=Usage(100, 20, reasoning_tokens=5),
)
TOLD = call(
    Message("system", "Be brief."),
    "Weather?",
    Message("assistant", ""),
    Message("tool", "sun"),
    tool_results=(ToolResult("call-1", "sun"),),
)
FAILED = call("And now?", answer=None, usage=Usage(), finish_reason=None, error=CallError("overloaded", "Later."))
EMBEDDED = LLMCall("openai", "embeddings", "text-embedding-3-small", "text-embedding-3-small", Usage(7, None))
RANKED = LLMCall("cohere", "rerank", "rerank-v3.5", "rerank-v3.5")


def said(*calls, config=AGENT, properties=None, privacy_mode=None):
    """The events of calls and of their session's end, in the schema of ``config``."""
    book = RunRegistry(config)
    context = Scope(Binding(config=config), "ann", "s1", privacy_mode, properties or {})
    events = []
    for number, one in enumerate(calls):
        status = 529 if one.error else 200
        events += book.record(one, exchange(number * 1000, context=context, body=b"%d" % number, status=status))
    events += book.end_all(NEW_YEAR + 60_000, "exit")
    return [event for event, _ in AgentAnalytics().said((event, None) for event in events)]


def test_specification_is_the_default():
    """Nobody who asked for nothing gets an event of another schema, nor the details it would need."""
    events = said(ASKED, config=AIConfig())
    assert not any(event.event_type.startswith("[Agent]") or event.details for event in events)


def test_both_is_both():
    """``both`` sends each event of the specification, and what Agent Analytics has for it, each with its own id."""
    events = said(ASKED, TOLD, config=AIConfig(event_schema="both"))
    theirs = [event for event in events if event.event_type.startswith("[Agent]")]
    assert [event.event_type for event in theirs] == [
        "[Agent] User Message",
        "[Agent] AI Response",
        "[Agent] Tool Call",
        "[Agent] AI Response",
        "[Agent] Session End",
    ]
    assert len(events) == 2 * len(theirs) + 1  # a run's start is no event there
    assert len({event.insert_id for event in events}) == len(events)


def test_another_schema_is_refused():
    """A schema that does not exist is named, with those that do."""
    with pytest.raises(ValueError, match=r"'agent_analytics'.*got 'agents'"):
        AIConfig(event_schema="agents")


def test_required_properties_are_all_there():
    """Every event has every property that Amplitude's catalogue requires of it."""
    events = said(ASKED, TOLD, FAILED, EMBEDDED, RANKED)
    assert {event.event_type for event in events} == set(REQUIRED)
    for event in events:
        assert event.properties.keys() >= ALWAYS | REQUIRED[event.event_type], event.event_type


def test_a_call_in_their_words():
    """Property by property: counts, flags the other way round, texts where Amplitude does not cut them."""
    _, event, *_ = said(ASKED, properties={"agent": "helper", "tier": "pro"})
    properties = dict(event.properties)
    assert properties.pop("[Agent] Message ID")
    assert properties.pop("[Agent] Trace ID")
    properties.pop("[Agent] SDK Version", None)
    assert json.loads(properties.pop("[Agent] Tool Calls")) == [
        {"type": "function", "id": "call-1", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    ]
    assert json.loads(properties.pop("[Agent] Tool Definitions")) == [
        {"name": "weather", "description": "", "parameters": {"type": "object"}}
    ]
    assert re.fullmatch("[0-9a-f]{16}", properties.pop("[Agent] Tool Definitions Hash"))
    assert properties.pop("[Agent] Cost USD") > 0
    assert properties == {
        "[Agent] Runtime": "python",
        "[Agent] Component Type": "llm",
        "[Agent] Session ID": "s1",
        "[Agent] Provider": "openai",
        "[Agent] Model Name": "gpt-4o-mini-2024-07-18",
        "[Agent] Agent ID": "helper",
        "[Agent] Input Tokens": 100,
        "[Agent] Output Tokens": 20,
        "[Agent] Total Tokens": 120,
        "[Agent] Reasoning Tokens": 5,
        "[Agent] Has Reasoning": True,
        "[Agent] Latency Ms": 100.0,
        "[Agent] Finish Reason": "tool_calls",
        "[Agent] Is Streaming": False,
        "[Agent] Is Error": False,
        "[Agent] System Prompt": "Be brief.",
        "[Agent] System Prompt Length": 9,
        "[Agent] Tool Definitions Count": 1,
        "[Agent] Content Mode": "full",
        "[Agent] Context": '{"tier": "pro"}',
        "[Agent] Turn ID": 2,
    }


def test_what_is_not_known_stays_away():
    """A call that failed has no tokens, no cost and no finish reason of ours; a tool without a result no success."""
    failed = next(one.properties for one in said(FAILED) if one.event_type == "[Agent] AI Response")
    assert failed["[Agent] Is Error"] is True
    assert not {name for name in failed if re.search("Token|Cost|Finish", name)}
    tool = next(one.properties for one in said(ASKED) if one.event_type == "[Agent] Tool Call")
    assert not {"[Agent] Tool Success", "[Agent] Is Error", "[Agent] Latency Ms"} & tool.keys()


def test_turns_and_order():
    """A user's message opens a turn, which all that follows belongs to; events are numbered from 1 in each session."""
    events = said(ASKED, TOLD, FAILED)
    turns = [event.properties["[Agent] Trace ID"] for event in events]
    assert turns[0] == turns[1] == turns[2] == turns[3]
    assert turns[4] == turns[5] == turns[6] != turns[0]
    assert [event.properties.get("[Agent] Turn ID") for event in events] == [1, 2, 3, 4, 5, 6, None]


def test_no_content_where_there_is_to_be_none():
    """With ``privacy_mode`` no text of anyone leaves, by no property, and the events say that this is meant."""
    for config, mode in ((replace(AGENT, privacy_mode=True), None), (AGENT, True)):
        events = said(ASKED, TOLD, FAILED, config=config, privacy_mode=mode, properties={"secret": "custom"})
        told = json.dumps([dict(event.properties) for event in events])
        for text in ("Be brief.", "Weather?", "Paris", "sun", "Later.", "custom", "object"):
            assert text not in told, text
        assert {event.properties["[Agent] Content Mode"] for event in events} == {"metadata_only"}


def test_long_texts_are_not_cut():
    """Amplitude takes these properties whole, so its client's cut at 1,024 characters is undone."""
    long = "x" * 5_000
    asked = replace(ASKED, messages=(Message("system", long), Message("user", long)), output_text=long)
    bodies = [AIEvent(event).get_event_body()["event_properties"] for event in said(asked)]
    assert bodies[0]["$llm_message"] == bodies[1]["$llm_message"] == {"text": long}
    assert bodies[1]["[Agent] System Prompt"] == long


def test_a_stricter_plugin_holds_here_too():
    """A privacy plugin on the client takes the content out of these events as out of the others."""
    private = AIObservabilityPlugin(AIConfig(privacy_mode=True))
    told = [private.execute(AIEvent(event)).event_properties for event in said(ASKED, TOLD, FAILED)]
    for text in ("Be brief.", "Weather?", "Paris", "sun", "Later.", "object"):
        assert text not in json.dumps(told), text
    redacting = AIObservabilityPlugin(AIConfig(redact=lambda text: "[gone]"))
    assert redacting.execute(AIEvent(said(ASKED)[0])).event_properties["$llm_message"] == {"text": "[gone]"}


@pytest.mark.parametrize(
    ("rule", "kept"), [({"denied_models": ["gpt-4o*"]}, 0), ({"allowed_user_ids": ["bob"]}, 0), ({}, 1)]
)
def test_filters_hold_here_too(rule, kept):
    """The filter plugin decides by what the event says in the specification's words."""
    plugin = AIEventFilterPlugin(**rule)
    answers = [AIEvent(event) for event in said(ASKED) if event.event_type == "[Agent] AI Response"]
    assert len([one for one in answers if plugin.execute(one) is not None]) == kept


def test_events_told_by_hand_are_mapped():
    """What is emitted by hand arrives in the schema of its config as well, in the order told."""
    seen = EventList()
    with amplitude_ai.llm_session(
        seen, user_id="user-1", model_provider="openai", model_name="m", ai_config=AGENT
    ) as one:
        one.track_user_message("Hello")
        one.track_message("Hi!", input_tokens=3, output_tokens=2, latency_ms=12.0)
        one.track_tool_call("look", {"a": 1}, "b", latency_ms=1.0)
    amplitude_ai.flush()
    assert [event.event_type for event in seen.events] == [
        "[Agent] User Message",
        "[Agent] AI Response",
        "[Agent] Tool Call",
        "[Agent] Session End",
    ]
    assert all(isinstance(event, BaseEvent) and event.user_id == "user-1" for event in seen.events)
    for event in seen.events:
        assert event.event_properties.keys() >= ALWAYS | REQUIRED[event.event_type]


def test_feedback_is_a_score():
    """What somebody thought of an answer is a score of that message, else of the session."""
    told = {
        "session_id": "s1",
        "score": 1,
        "label": "helpful",
        "comment": "Thanks",
        "response_id": "c-1",
        "tier": "pro",
    }
    ann = Scope(user_id="ann")
    made = [
        AgentAnalytics().said([(Event("llm_feedback", 1, str(number), properties, ann, config=AGENT), None)])[0][0]
        for number, properties in enumerate((told, {"session_id": "s1", "score": 0}))
    ]
    assert [event.event_type for event in made] == ["[Agent] Score", "[Agent] Score"]
    said = {name: made[0].properties[name] for name in made[0].properties if "Turn" not in name and "Trace" not in name}
    assert said == {
        "[Agent] Runtime": "python",
        "[Agent] Session ID": "s1",
        "[Agent] Score Name": "helpful",
        "[Agent] Score Value": 1,
        "[Agent] Target ID": "c-1",
        "[Agent] Target Type": "message",
        "[Agent] Evaluation Source": "user",
        "[Agent] Comment": "Thanks",
        "[Agent] Context": '{"tier": "pro"}',
    }
    assert made[1].properties["[Agent] Target ID"] == "s1"
    assert made[1].properties["[Agent] Target Type"] == "session"
    assert made[1].properties["[Agent] Score Value"] == 0
    assert "[Agent] Comment" not in made[1].properties


# Beside Amplitude's own package ------------------------------------------------------------------------------------

#: What must differ, by name, whoever sends: ids and clocks. Each is compared by its kind.
OWN_VALUES = {
    "[Agent] SDK Version",
    "[Agent] Message ID",
    "[Agent] Trace ID",
    "[Agent] Invocation ID",
    "[Agent] Latency Ms",
    "[Agent] TTFB Ms",
}
JSON_TEXTS = {"[Agent] Tool Calls", "[Agent] Tool Input", "[Agent] Tool Definitions"}


@pytest.fixture(scope="module")
def official():
    """What the package says of the conversation, run by a Python that has it."""
    python = os.environ.get("AMPLITUDE_OFFICIAL_PYTHON")
    if not python:
        pytest.skip("AMPLITUDE_OFFICIAL_PYTHON names no Python with Amplitude's own amplitude-ai package")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [python, "official.py"], cwd=HERE / "official", env=clean, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def ours():
    """What we say of it."""
    import anthropic
    import openai

    sys.path.insert(0, str(HERE / "official"))
    try:
        from conversation import answering, converse
    finally:
        sys.path.pop(0)
    seen = EventList()

    def client():
        return amplitude_ai.instrumented_httpx(amplitude_client=seen, ai_config=AGENT)

    with answering() as url:
        by_openai = openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0, http_client=client())
        by_anthropic = anthropic.Anthropic(api_key="k", base_url=url, max_retries=0, http_client=client())
        with (
            amplitude_ai.llm_session(seen, session_id="session-1", user_id="user-1", ai_config=AGENT),
            amplitude_ai.context(properties={"agent": "helper"}),
        ):
            converse(by_openai, by_anthropic)
        amplitude_ai.flush()
    return [event.get_event_body() for event in seen.events]


def test_same_events_as_the_package(official, ours):
    """The same conversation gives the same events in the same order, for the same user."""
    assert [one["event_type"] for one in ours] == [one["event_type"] for one in official["events"]]
    assert {one["user_id"] for one in ours} == {one["user_id"] for one in official["events"]} == {"user-1"}


def test_same_properties_as_the_package(official, ours):
    """Every property is the same, but for what docs/agent-analytics.md lists, which is all there is."""
    page = (HERE.parent / "docs/agent-analytics.md").read_text()
    listed = set(re.findall(r"^\| `([^`]+)` \|", page.partition("## Differences")[2], re.MULTILINE))
    differing = set()
    for theirs, one in zip(official["events"], ours, strict=True):
        a, b = theirs["event_properties"], one["event_properties"]
        for name in a.keys() | b.keys():
            if name in a and name in b:
                if name in OWN_VALUES:
                    assert type(a[name]) is type(b[name]), name
                    continue
                left, right = ((json.loads(x[name]) if name in JSON_TEXTS else x[name]) for x in (a, b))
                if left == right or (name == "[Agent] Cost USD" and abs(left - right) < 1e-6):
                    continue
            differing.add(name)
    assert differing == listed - {"[Agent] Trace ID"}


def test_the_catalogue_has_our_events(official, ours):
    """Of each event: every property its catalogue requires is there, and it knows each that we send."""
    for one in ours:
        entry = official["catalogue"][one["event_type"]]
        names = set(one["event_properties"]) - {"$llm_message"}
        assert names >= set(entry["required"]), one["event_type"]
        assert names <= set(entry["known"]), names - set(entry["known"])
    for event_type, names in REQUIRED.items():
        assert set(official["catalogue"][event_type]["required"]) == ALWAYS | names


def test_every_property_of_the_catalogue_is_accounted_for(official):
    """Each that a client may send is one that we send, or in the page's list of those that we don't; not both."""
    page = (HERE.parent / "docs/agent-analytics.md").read_text()
    section = page.partition("## Not sent")[2].partition("## Differences")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    left_out = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    source = (HERE.parent / "amplitude_ai/delivery/_agent_analytics.py").read_text()
    sent = {row.agent for row in PROPERTIES} | set(re.findall(r'"(\[A[a-z]+\] [^"]+)"', source))
    theirs = {
        name for event_type, entry in official["catalogue"].items() if event_type in REQUIRED for name in entry["known"]
    }
    theirs |= set(official["catalogue"]["[Agent] Score"]["known"])
    assert theirs - sent == left_out & theirs
    assert not left_out - theirs
    assert not left_out & sent


def test_what_the_application_tells():
    """Properties under the catalogue's names are theirs, only on events that have them; others are in the context."""
    told = {"env": "production", "tags": {"a": 1}, "locale": "en-US", "tier": "pro", "git_sha": 7, "prompt_id": True}
    events = {event.event_type: event.properties for event in said(ASKED, TOLD, properties=told)}
    for properties in events.values():
        assert properties["[Agent] Env"] == "production"
        assert json.loads(properties["[Agent] Tags"]) == {"a": 1}
        assert properties["[Agent] Git SHA"] == "7"
    assert events["[Agent] AI Response"]["[Agent] Locale"] == "en-US"
    assert "[Agent] Locale" not in events["[Agent] Session End"]
    assert json.loads(events["[Agent] AI Response"]["[Agent] Context"]) == {"prompt_id": True, "tier": "pro"}
    hidden = said(ASKED, properties=told, privacy_mode=True)
    assert not any("production" in str(event.properties) for event in hidden)


def test_what_belongs_to_what():
    """A tool names the user's message that it was called for; a failed call names the provider."""
    user, _, tool, *_ = said(ASKED, TOLD)
    assert tool.properties["[Agent] Parent Message ID"] == user.properties["[Agent] Message ID"]
    failed = next(event for event in said(FAILED) if event.event_type == "[Agent] AI Response")
    assert failed.properties["[Agent] Error Source"] == "provider"
    end = said(ASKED, config=AIConfig(event_schema="agent_analytics", session_timeout_ms=600_000))[-1]
    assert end.properties["[Agent] Session Idle Timeout Minutes"] == 10
    assert "[Agent] Session Idle Timeout Minutes" not in said(ASKED)[-1].properties


def test_the_replay_of_the_browser():
    """A call for a browser's session leads to its replay."""
    scope = Scope(user_id="ann", device_id="device-1", amplitude_session_id=1767225600000, session_id="s1")
    event = Event("user_message", 0, "i", {"session_id": "s1", "message_id": "m"}, scope, AGENT)
    ((told, _),) = AgentAnalytics().said([(event, None)])
    assert told.properties["[Amplitude] Session Replay ID"] == "device-1/1767225600000"
