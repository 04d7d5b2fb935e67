"""Whose an event is beside its user: device, Amplitude's own session, agent, and the trace around it."""

import json
import sys
from types import SimpleNamespace

import httpx2
import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

ANSWER = {
    "id": "c-1",
    "model": "gpt-4o-mini",
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def seen():
    return EventList()


@pytest.fixture
def client(seen):
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=seen) as client:
        yield client


def ask(client):
    client.post("https://api.openai.com/v1/chat/completions", json=BODY)


def bodies(seen):
    assert amplitude_ai.flush()
    assert seen.events
    return [event.get_event_body() for event in seen.events]


def test_device_and_amplitude_session_stand_at_the_top(client, seen):
    """``device_id`` and ``amplitude_session_id`` are where Amplitude joins an event to the browser's session."""
    with amplitude_ai.context(device_id="device-of-ann", amplitude_session_id=1_767_225_600_000):
        ask(client)
    for body in bodies(seen):
        assert body["device_id"] == "device-of-ann"
        assert body["session_id"] == 1_767_225_600_000
        assert "user_id" not in body


def test_a_user_may_have_a_device_too(client, seen):
    """With a user id as well both are sent; without any the machine's own id is."""
    with amplitude_ai.context(user_id="ann-1", device_id="device-of-ann"):
        ask(client)
    ask(client)
    told = [(body.get("user_id"), body["device_id"]) for body in bodies(seen) if body["event_type"] == "llm_message"]
    assert told[0] == ("ann-1", "device-of-ann")
    assert told[1][0] is None
    assert told[1][1] != "device-of-ann"


def test_visitors_without_a_user_are_not_one_session(client, seen):
    """Two devices without a user id are two automatic sessions of one shared client."""
    for device in ("device-1", "device-2", "device-1"):
        with amplitude_ai.context(device_id=device):
            ask(client)
    told = [
        (body["device_id"], body["event_properties"]["session_id"])
        for body in bodies(seen)
        if body["event_type"] == "llm_message"
    ]
    assert told[0] == told[2]
    assert told[0][1] != told[1][1]


def test_events_by_hand_have_it_too(seen):
    """What is told by hand stands in the same place."""
    with amplitude_ai.context(device_id="device-of-ann", amplitude_session_id=5, agent="triage"):
        amplitude_ai.emit_user_message(seen, content="Hello")
    (body,) = bodies(seen)
    assert (body["device_id"], body["session_id"]) == ("device-of-ann", 5)
    assert body["event_properties"]["agent"] == "triage"


def test_agents_nest(client, seen):
    """An agent inside another's block works for it, unless told otherwise; the outer one is itself again after it."""
    with amplitude_ai.context(agent="triage"):
        with amplitude_ai.context(agent="billing"):
            ask(client)
        with amplitude_ai.context(agent="search", parent_agent="planner"):
            ask(client)
        ask(client)
    told = [body["event_properties"] for body in bodies(seen) if body["event_type"] == "llm_message"]
    assert [(one["agent"], one.get("parent_agent")) for one in told] == [
        ("billing", "triage"),
        ("search", "planner"),
        ("triage", None),
    ]


@pytest.mark.parametrize("wrong", [{"device_id": 5}, {"amplitude_session_id": "5"}, {"agent": b"x"}])
def test_a_wrong_type_is_told_by_name(wrong):
    """A mistake is raised where it is made, with the argument's name."""
    with pytest.raises(TypeError, match=next(iter(wrong))):
        amplitude_ai.context(**wrong)


def test_the_current_span_is_named(client, seen, monkeypatch):
    """``trace_id`` and ``span_id`` are those of OpenTelemetry's span around the call, as its exporters write them."""
    span = SimpleNamespace(trace_id=0xABC, span_id=0xDEF, is_valid=True)
    current = SimpleNamespace(get_span_context=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", SimpleNamespace(get_current_span=lambda: current))
    ask(client)
    amplitude_ai.emit_user_message(seen, content="by hand", session_id="s-1")
    assert [body["event_type"] for body in bodies(seen)].count("user_message") == 2
    for body in bodies(seen):
        assert body["event_properties"]["trace_id"] == "0" * 29 + "abc"
        assert body["event_properties"]["span_id"] == "0" * 13 + "def"


@pytest.mark.parametrize("module", [SimpleNamespace(), SimpleNamespace(get_current_span=lambda: 1 / 0), None])
def test_a_broken_opentelemetry_costs_nothing(client, seen, monkeypatch, module):
    """A module of that name that is half imported, another's or broken: the call is recorded without a trace."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", module)
    before = amplitude_ai.stats().get("surroundings_unknown", 0)
    with amplitude_ai.context(user_id="ann-1"):
        ask(client)
    told = bodies(seen)
    assert amplitude_ai.stats()["surroundings_unknown"] > before
    assert {body["user_id"] for body in told} == {"ann-1"}
    assert "trace_id" not in json.dumps(told)


CHAT, CLAUDE = "https://api.openai.com/v1/chat/completions", "https://api.anthropic.com/v1/messages"


def users(seen, url, body, user_id=None, around=None, **options):
    """The user ids of the events of one call."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    config = amplitude_ai.AIConfig(**options)
    with (
        amplitude_ai.instrumented_httpx(
            transport=transport, amplitude_client=seen, user_id=user_id, ai_config=config
        ) as client,
        amplitude_ai.context(user_id=around),
    ):
        client.post(url, json={**BODY, **body})
    told = {one.get("user_id") for one in bodies(seen)}
    assert len(told) == 1
    return told.pop()


@pytest.mark.parametrize(
    ("url", "body", "expected"),
    [
        (CHAT, {"user": "ann-1"}, "ann-1"),
        (CHAT, {"safety_identifier": "hash-of-ann"}, "hash-of-ann"),
        (CHAT, {"user": "ann-1", "safety_identifier": "hash-of-ann"}, "ann-1"),
        ("https://api.openai.com/v1/responses", {"input": "Hello", "safety_identifier": "ann-1"}, "ann-1"),
        ("https://api.openai.com/v1/embeddings", {"input": "Hello", "user": "ann-1"}, "ann-1"),
        (CLAUDE, {"metadata": {"user_id": "ann-1"}}, "ann-1"),
        (CHAT, {"metadata": {"user_id": "the application's own"}}, None),
        (CHAT, {"user": ""}, None),
        (CHAT, {"user": " "}, None),
        (CHAT, {"user": 12345}, None),
        (CHAT, {"user": {"id": "ann-1"}}, None),
        (CHAT, {"user": "a" * 513}, None),
        (CLAUDE, {"metadata": "ann-1"}, None),
        (CLAUDE, {"metadata": {"user_id": None}}, None),
    ],
)
def test_the_request_may_name_its_user(seen, url, body, expected):
    """Where that is asked for: on each event of the call."""
    assert users(seen, url, body, identity_from_body=True) == expected


def test_a_user_that_is_told_comes_first(seen):
    """The client's and the context's; and nothing is taken from a body unasked."""
    assert users(EventList(), CHAT, {"user": "ann-1"}, user_id="bob-1", identity_from_body=True) == "bob-1"
    assert users(EventList(), CHAT, {"user": "ann-1"}, around="eve-1", identity_from_body=True) == "eve-1"
    assert users(EventList(), CHAT, {"user": "ann-1"}) is None


def test_users_of_bodies_are_apart(seen):
    """One shared client: each user has a session of their own."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    config = amplitude_ai.AIConfig(identity_from_body=True)
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=seen, ai_config=config) as client:
        for user in ("ann-1", "bob-1", "ann-1"):
            body = {**BODY, "user": user, "messages": [{"role": "user", "content": f"I am {user}"}]}
            client.post(CHAT, json=body)
    told = [
        (body["user_id"], body["event_properties"]["session_id"])
        for body in bodies(seen)
        if body["event_type"] == "llm_message"
    ]
    assert {user for user, _ in told} == {"ann-1", "bob-1"}
    assert len(set(told)) == 2
