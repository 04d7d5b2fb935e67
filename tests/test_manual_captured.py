"""Calls of instrumented clients inside a manual session: one run, one owner, totals that are the sum of both."""

import asyncio
import json

import httpx
import httpx2
import pytest

import amplitude_ai
from amplitude_ai import AIConfig
from amplitude_ai._models import Binding
from amplitude_ai.manual import LLMSessionTracker, llm_session
from amplitude_ai.testing import EventList

URL = "https://api.openai.com/v1/chat/completions"
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q": "python"}'}}


def answer(tool=False):
    """A chat completion (https://platform.openai.com/docs/api-reference/chat/object)."""
    message = {"role": "assistant", "content": "Hi!", **({"tool_calls": [TOOL_CALL]} if tool else {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def respond(module):
    def handler(request):
        said = json.loads(request.content)
        if said["model"] == "nope":
            return module.Response(404, json={"error": {"type": "invalid_request_error", "message": "no such model"}})
        return module.Response(200, json=answer(tool="tools" in said))

    return handler


def request(model="gpt-4", text="Hello!", **more):
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


@pytest.fixture
def http():
    with amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(respond(httpx2))) as client:
        yield client


def types(events):
    return [event.event_type for event in events]


def test_captured_calls_join_the_session(http):
    """A call inside the block is of its session, user and client; the run has one begin, one end, one sum."""
    mine = EventList()
    with llm_session(mine, user_id="user-1", session_id="joined-1", custom_properties={"tier": "pro"}) as session:
        http.post(URL, json=request())
        session.track_message("by hand", input_tokens=1, output_tokens=2, cost_usd=0.5)
        http.post(URL, json=request("nope", "And you?"))
    assert amplitude_ai.flush()
    assert types(mine.events) == [
        "llm_run_started",
        "user_message",
        "llm_message",
        "llm_message",
        "user_message",
        "llm_message",
        "llm_run_finished",
    ]
    assert {event.event_properties["session_id"] for event in mine.events} == {"joined-1"}
    assert {event.user_id for event in mine.events} == {"user-1"}
    assert {event.event_properties["tier"] for event in mine.events} == {"pro"}
    messages, (finished,) = mine.of_type("llm_message"), mine.of_type("llm_run_finished")
    assert finished["total_messages"] == 3
    assert finished["total_errors"] == 1
    assert finished["total_tokens"] == sum(m.get("total_tokens", 0) for m in messages) == 18
    assert finished["total_cost_usd"] == pytest.approx(sum(m.get("cost_usd", 0) for m in messages))
    assert finished["success"] is False  # as its last call
    assert session.session_stats["total_messages"] == 3


def test_stats_while_it_runs(http):
    """The stats are those of all calls before, at any moment."""
    with llm_session(EventList()) as session:
        assert session.session_stats["total_messages"] == 0
        http.post(URL, json=request())
        assert session.session_stats["total_messages"] == 1
        assert session.session_stats["total_tokens"] == 15
        assert session.session_stats["total_cost_usd"] == pytest.approx(10 * 30e-6 + 5 * 60e-6)


def test_waiting_tools_end_with_the_session(http):
    """A tool call without its result is reported before the run's end, and counted."""
    mine = EventList()
    with llm_session(mine):
        http.post(URL, json=request(tools=[]))
    assert amplitude_ai.flush()
    assert types(mine.events)[-2:] == ["tool_called", "llm_run_finished"]
    assert mine.of_type("llm_run_finished")[0]["total_tool_calls"] == 1


@pytest.mark.parametrize("told", [{"tool_call_id": "call_1"}, {}])
def test_tool_told_by_hand_is_reported_once(http, told):
    """A captured tool call that the application reports itself, by id or by name, is one event."""
    mine = EventList()
    with llm_session(mine) as session:
        http.post(URL, json=request(tools=[]))
        session.track_tool_call("search", {"q": "python"}, "found", latency_ms=7, **told)
    assert amplitude_ai.flush()
    (tool,) = mine.of_type("tool_called")
    assert (tool["tool_result"], tool["success"], tool["latency_ms"]) == ("found", True, 7)
    assert mine.of_type("llm_run_finished")[0]["total_tool_calls"] == 1


def test_clients_own_settings_win():
    """A client with an Amplitude client and config of its own keeps them inside somebody's session."""
    own, sessions = EventList(), EventList()
    with (
        amplitude_ai.instrumented_httpx(
            transport=httpx2.MockTransport(respond(httpx2)), amplitude_client=own, ai_config=AIConfig(privacy_mode=True)
        ) as client,
        llm_session(sessions, session_id="shared-1", ai_config=AIConfig()) as session,
    ):
        client.post(URL, json=request())
    assert amplitude_ai.flush()
    assert types(own.events) == ["user_message", "llm_message"]
    assert "output_content" not in own.of_type("llm_message")[0]
    assert own.of_type("llm_message")[0]["session_id"] == "shared-1"
    assert session.session_stats["total_messages"] == 1


def test_sessions_config_applies_to_calls_without(http):
    """A client without a config is held to the session's privacy."""
    mine = EventList()
    with llm_session(mine, ai_config=AIConfig(privacy_mode=True)):
        http.post(URL, json=request())
    assert amplitude_ai.flush()
    assert "output_content" not in mine.of_type("llm_message")[0]


def test_two_sessions_of_one_id(http):
    """Two trackers may share a session id (two requests of one conversation): each sums up its own."""
    mine = EventList()
    with llm_session(mine, session_id="conversation-1") as first:
        http.post(URL, json=request())
    with llm_session(mine, session_id="conversation-1") as second:
        http.post(URL, json=request())
        http.post(URL, json=request(text="and now?"))
    assert [tracker.session_stats["total_messages"] for tracker in (first, second)] == [1, 2]
    assert [finished["total_messages"] for finished in mine.of_type("llm_run_finished")] == [1, 2]
    assert types(mine.events).count("llm_run_started") == 2


def test_another_session_inside(http):
    """A call that names another session is none of this one's."""
    mine = EventList()
    with llm_session(mine, session_id="mine-1") as session:
        http.post(URL, json=request(), headers={"X-Amplitude-Session-Id": "other-1"})
        with amplitude_ai.context(session_id="other-2"):
            http.post(URL, json=request())
    assert session.session_stats["total_messages"] == 0
    amplitude_ai.shutdown()
    assert {m["session_id"] for m in mine.of_type("llm_message")} == {"other-1", "other-2"}


def test_tracker_between_start_and_finish(http):
    """A tracker collects what is called between its start and its finish, and nothing after."""
    mine = EventList()
    tracker = LLMSessionTracker(mine, session_id="between-1")
    tracker.start_session()
    http.post(URL, json=request())
    tracker.finish_session(success=True)
    with amplitude_ai.testing.capture_events():
        http.post(URL, json=request())
    assert tracker.session_stats["total_messages"] == 1
    assert types(mine.events) == ["llm_run_started", "user_message", "llm_message", "llm_run_finished"]


async def test_tasks_apart():
    """Calls of concurrent tasks over one client each go to their own task's session."""
    mine = EventList()
    transport = httpx.MockTransport(respond(httpx))
    async with amplitude_ai.instrumented_async_httpx("httpx", transport=transport) as client:

        async def one(index):
            async with llm_session(mine, session_id=f"task-{index}") as session:
                for turn in range(index):
                    await client.post(URL, json=request(text=f"{index}-{turn}"))
                    await asyncio.sleep(0)
                return session

        sessions = await asyncio.gather(*(one(index) for index in range(1, 5)))
    assert [session.session_stats["total_messages"] for session in sessions] == [1, 2, 3, 4]
    for message in mine.of_type("user_message"):
        assert message["session_id"] == f"task-{message['content'][0]}"


def test_binding_of_a_session_is_not_shared():
    """Completing a client's settings from the session leaves the client's own binding as it was."""
    binding = Binding()
    with llm_session(EventList()):
        from amplitude_ai._scope import snapshot

        assert snapshot(binding, {}).binding is not binding
        assert snapshot(binding, {}).binding.key == binding.key
    assert binding.amplitude_client is None
