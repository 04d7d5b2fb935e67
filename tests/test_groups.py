"""``context(groups=, user_properties=)``: at the events' top level, where Amplitude looks for them."""

import pytest

import amplitude_ai
from amplitude_ai import context
from amplitude_ai.delivery._ai_event import AIEvent
from amplitude_ai.delivery._spool import _body, _event
from amplitude_ai.manual import emit_user_message
from amplitude_ai.testing import EventList

httpx2 = pytest.importorskip("httpx2")
ANSWER = {
    "id": "x",
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
}
ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


def told():
    """The events of a captured call and of one by hand."""
    events = EventList()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    with (
        context(user_id="user-1", groups={"company": "acme"}, user_properties={"plan": "pro"}),
        amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events) as http,
    ):
        http.post("https://api.openai.com/v1/chat/completions", json=ASK)
        emit_user_message(events, content="by hand")
    assert amplitude_ai.flush()
    return events.events


def test_every_event_has_them():
    """Captured and by hand, in the body that is sent; not among the event's own properties."""
    events = told()
    assert [event.event_type for event in events].count("user_message") == 2
    assert {"llm_run_started", "llm_message"} <= {event.event_type for event in events}
    for event in events:
        body = event.get_event_body()
        assert (body["groups"], body["user_properties"]) == ({"company": "acme"}, {"plan": "pro"})
        assert "groups" not in body["event_properties"]


def test_the_spool_keeps_them():
    """Over the end of the process."""
    from amplitude_ai._models import Event, Scope

    scope = Scope(user_id="user-1", groups={"a": "b"}, user_properties={"c": 1})
    event = Event("user_message", 1, "id-1", {}, scope)
    again = AIEvent(_event(_body(event)))
    assert (again.groups, again.user_properties) == ({"a": "b"}, {"c": 1})


def test_what_is_no_mapping():
    """Is refused by name."""
    with pytest.raises(TypeError, match="groups must be a mapping"):
        context(groups="acme")


@pytest.mark.parametrize(
    ("headers", "groups", "device"),
    [
        ({"X-Amplitude-Groups": '{"company": "globex"}'}, {"company": "globex", "plan": "pro"}, None),
        ({"X-Amplitude-Groups": "globex"}, {"company": "acme", "plan": "pro"}, None),
        ({"X-Amplitude-Device-Id": "device-1"}, {"company": "acme", "plan": "pro"}, "device-1"),
    ],
)
def test_one_request_says_them(headers, groups, device):
    """In headers of its own, over what the context around says; none of them reaches the server."""
    events, received = EventList(), []

    def answer(request):
        received.append(request)
        return httpx2.Response(200, json=ANSWER)

    with (
        context(user_id="user-1", groups={"company": "acme", "plan": "pro"}),
        amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(answer), amplitude_client=events) as http,
    ):
        http.post("https://api.openai.com/v1/chat/completions", json=ASK, headers=headers)
    assert amplitude_ai.flush()
    body = events.events[-1].get_event_body()
    assert (body["groups"], body.get("device_id")) == (groups, device)
    assert not [name for name in received[0].headers if "amplitude" in name]


def test_an_sdk_call_says_them():
    """By a keyword of the factories' clients."""
    pytest.importorskip("openai")
    events = EventList()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={**ANSWER, "object": "chat.completion"}))
    OpenAI, _ = amplitude_ai.get_openai()
    client = OpenAI(api_key="test", http_client=httpx2.Client(transport=transport), amplitude_client=events)
    client.chat.completions.create(**ASK, amplitude_groups={"company": "acme"})
    with pytest.raises(TypeError, match="amplitude_groups must be a mapping"):
        client.chat.completions.create(**ASK, amplitude_groups="acme")
    assert amplitude_ai.flush()
    assert {event.event_type: event.groups for event in events.events}["llm_message"] == {"company": "acme"}
