"""The factories from end to end: what an SDK call becomes at an ``amplitude_client``."""

import pytest

import amplitude_ai
from amplitude_ai.clients.anthropic import get_anthropic
from amplitude_ai.clients.google import get_google, get_google_genai
from amplitude_ai.clients.openai import get_openai
from amplitude_ai.testing import EventList

HELLO = [{"role": "user", "content": "Hello"}]


def _openai(url, **options):
    pytest.importorskip("openai")
    client = get_openai()[0](api_key="test", base_url=f"{url}/v1", **options)
    return client, lambda **said: client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, **said)


def _anthropic(url, **options):
    pytest.importorskip("anthropic")
    client = get_anthropic()[0](api_key="test", base_url=url, **options)
    return client, lambda **said: client.messages.create(
        model="claude-sonnet-5", max_tokens=100, messages=HELLO, **said
    )


def _google(url, **options):
    pytest.importorskip("google.genai")
    client = get_google()(
        api_key="test", model_name="gemini-2.5-flash", client_options={"api_endpoint": url}, **options
    )
    return client, lambda **said: client.generate_content("Hello", **said)


def _google_genai(url, **options):
    pytest.importorskip("google.genai")
    client = get_google_genai()(api_key="test", http_options={"base_url": url}, **options)
    return client, lambda **said: client.models.generate_content(model="gemini-2.5-flash", contents="Hello", **said)


@pytest.fixture(params=[_openai, _anthropic, _google, _google_genai], ids=lambda make: make.__name__[1:])
def make(request, simulator):
    """Makes (a client of the simulator, a function that says hello with it)."""
    return lambda **options: request.param(simulator.url, **options)


def test_events(make):
    """Two calls of one client are one run of one user; closing it finishes the run, with the totals of its calls."""
    events = EventList()
    client, say_hello = make(amplitude_client=events, amplitude_user_id="user123")
    say_hello(amplitude_properties={"tier": "pro"})
    say_hello()
    client.close()
    assert amplitude_ai.flush()
    assert [event.event_type for event in events.events] == [
        "llm_run_started",
        "user_message",
        "llm_message",
        "user_message",
        "llm_message",
        "llm_run_finished",
    ]
    assert {event.user_id for event in events.events} == {"user123"}
    assert len({event.event_properties["session_id"] for event in events.events}) == 1
    first, second = events.of_type("llm_message")
    assert (first["tier"], "tier" in second) == ("pro", False)
    assert first["success"] is True
    assert first["output_content"]
    (finished,) = events.of_type("llm_run_finished")
    assert finished["total_messages"] == 2
    assert finished["total_tokens"] == first["total_tokens"] + second["total_tokens"]


def test_per_request(make):
    """A request's own user, session and privacy win."""
    events = EventList()
    client, say_hello = make(amplitude_client=events, amplitude_user_id="user123")
    say_hello(amplitude_user_id="other-user", amplitude_session_id="session456", amplitude_privacy_mode=True)
    client.close()
    assert amplitude_ai.flush()
    (event,) = [event for event in events.events if event.event_type == "llm_message"]
    assert event.user_id == "other-user"
    assert event.event_properties["session_id"] == "session456"
    assert "output_content" not in event.event_properties


def test_clients_have_runs_of_their_own(make):
    """Each client instance has its own run."""
    events = EventList()
    for client, say_hello in [make(amplitude_client=events), make(amplitude_client=events)]:
        say_hello()
        client.close()
    assert amplitude_ai.flush()
    assert len({properties["session_id"] for properties in events.of_type("llm_message")}) == 2


def test_no_automatic_run(make):
    """auto_start_session=False starts no run."""
    events = EventList()
    client, say_hello = make(amplitude_client=events, auto_start_session=False)
    say_hello()
    client.close()
    assert amplitude_ai.flush()
    assert "llm_run_started" not in [event.event_type for event in events.events]
    assert len(events.of_type("llm_message")) == 1
