"""The events told by hand: the specification's own blocks, and what every one of its sentences promises."""

import asyncio
import contextvars
import threading

import pytest
from amplitude import Amplitude, Config
from amplitude.plugin import DestinationPlugin

import amplitude_ai
from amplitude_ai import AIConfig, _clock, _guard
from amplitude_ai._models import Binding
from amplitude_ai._runtime import runtime
from amplitude_ai._scope import ambient, snapshot
from amplitude_ai.manual import (
    LLMSessionTracker,
    MessageTimer,
    create_session_id,
    emit_llm_message,
    emit_llm_run_finished,
    emit_llm_run_started,
    emit_tool_called,
    emit_user_message,
    get_current_session_id,
    llm_session,
    quick_track_message,
    set_session_id,
)
from amplitude_ai.testing import EventList


class Collected(DestinationPlugin):
    """A destination that keeps what reaches it."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def execute(self, event):
        self.seen.append(event)

    def flush(self):
        return None


class Client(Amplitude):
    """A real Amplitude whose only destination collects."""

    def __init__(self):
        super().__init__("0" * 32, Config())
        timeline = self._Amplitude__timeline
        for destination in [d for plugins in timeline.plugins.values() for d in plugins]:
            if isinstance(destination, DestinationPlugin):
                self.remove(destination)
        self.collected = Collected()
        self.add(self.collected)

    @property
    def events(self):
        assert amplitude_ai.flush()
        return self.collected.seen

    def of_type(self, event_type):
        return [event.event_properties for event in self.events if event.event_type == event_type]

    @property
    def types(self):
        return [event.event_type for event in self.events]


@pytest.fixture
def client():
    return Client()


@pytest.fixture(autouse=True)
def own_context():
    """What a test sets in its context ends with it."""
    before = ambient()
    yield
    from amplitude_ai._scope import set_ambient

    set_ambient(before)


def test_session_block(client):
    """The session block emits its five events in order, with the session's totals."""
    with llm_session(
        amplitude_client=client, user_id="user123", model_provider="openai", model_name="gpt-4"
    ) as session:
        session.track_user_message("What is Python?")
        session.track_message(
            input_tokens=10, output_tokens=50, latency_ms=1500, output_content="Python is a programming language..."
        )
        session.track_tool_call(
            tool_name="web_search",
            tool_parameters={"query": "Python programming"},
            tool_result={"results": ["..."]},
            success=True,
        )
    assert client.types == ["llm_run_started", "user_message", "llm_message", "tool_called", "llm_run_finished"]
    assert {event.user_id for event in client.events} == {"user123"}
    assert len({event.event_properties["session_id"] for event in client.events}) == 1
    assert len({event.insert_id for event in client.events}) == 5
    (message,) = client.of_type("llm_message")
    assert message["model_provider"] == "openai"
    assert message["model_name"] == "gpt-4"
    assert message["total_tokens"] == 60
    assert message["latency_ms"] == 1500
    assert message["success"] is True
    assert message["cost_usd"] == pytest.approx(10 * 30e-6 + 50 * 60e-6)
    assert message["cost_source"] == "genai-prices"
    (tool,) = client.of_type("tool_called")
    assert tool["tool_parameters"] == '{"query":"Python programming"}'
    assert tool["tool_result"] == '{"results":["..."]}'
    assert tool["tool_result_length"] == len(tool["tool_result"])
    (finished,) = client.of_type("llm_run_finished")
    assert finished["total_messages"] == 1
    assert finished["total_tokens"] == 60
    assert finished["total_cost_usd"] == pytest.approx(message["cost_usd"])
    assert finished["total_tool_calls"] == 1
    assert finished["success"] is True
    assert finished["duration_ms"] >= 0
    assert client.of_type("llm_run_started")[0]["run_source"] == "manual"


def test_individual_events_block(client):
    """The block of individual events emits exactly what it says."""
    emit_llm_run_started(
        client, session_id="session123", user_id="user123", model_provider="openai", model_name="gpt-4"
    )
    emit_user_message(client, session_id="session123", user_id="user123", content="Hello AI!")
    emit_llm_message(
        client,
        session_id="session123",
        user_id="user123",
        model_provider="openai",
        model_name="gpt-4",
        input_tokens=5,
        output_tokens=20,
        latency_ms=800,
        cost_usd=0.001,
        output_content="Hello! How can I help?",
    )
    emit_llm_run_finished(
        client,
        session_id="session123",
        user_id="user123",
        total_messages=2,
        total_tokens=25,
        total_cost_usd=0.001,
        duration_ms=5000,
        success=True,
    )
    assert client.types == ["llm_run_started", "user_message", "llm_message", "llm_run_finished"]
    assert {event.event_properties["session_id"] for event in client.events} == {"session123"}
    assert client.of_type("user_message")[0]["content"] == "Hello AI!"
    message = client.of_type("llm_message")[0]
    assert (message["cost_usd"], message["cost_source"]) == (0.001, "manual")
    finished = client.of_type("llm_run_finished")[0]
    assert {key: finished[key] for key in ("total_messages", "total_tokens", "total_cost_usd", "duration_ms")} == {
        "total_messages": 2,
        "total_tokens": 25,
        "total_cost_usd": 0.001,
        "duration_ms": 5000,
    }
    assert "total_errors" not in finished


def test_quick_track_block(client):
    """Quick tracking is one event."""
    quick_track_message(
        amplitude_client=client,
        model_provider="anthropic",
        model_name="claude-3-sonnet",
        input_content="Explain quantum physics",
        output_content="Quantum physics is the study of...",
        input_tokens=20,
        output_tokens=100,
        latency_ms=2000,
        user_id="user123",
    )
    assert client.types == ["llm_message"]
    (message,) = client.of_type("llm_message")
    assert message["input_content"] == "Explain quantum physics"
    assert message["output_content_length"] == len("Quantum physics is the study of...")
    assert message["session_id"].startswith("session-")


def test_tracker_block(client):
    """A tracker's stats are there as numbers, also when nothing was tracked and no cost is known."""
    tracker = LLMSessionTracker(
        amplitude_client=client,
        session_id="session123",
        user_id="user123",
        model_provider="openai",
        model_name="gpt-4",
    )
    tracker.start_session()
    assert get_current_session_id() == "session123"
    tracker.finish_session(success=True)
    assert get_current_session_id() is None
    assert f"{tracker.session_stats['total_cost_usd']:.4f}" == "0.0000"
    assert tracker.session_stats["total_messages"] == 0
    assert tracker.session_stats["total_tokens"] == 0
    assert client.types == ["llm_run_started", "llm_run_finished"]
    assert "total_cost_usd" not in client.of_type("llm_run_finished")[0]


def test_tracker_twice(client):
    """Beginning or ending twice emits once; beginning again after the end is an error."""
    tracker = LLMSessionTracker(client)
    with tracker:
        tracker.start_session()
        tracker.finish_session(success=False)
    assert client.types == ["llm_run_started", "llm_run_finished"]
    assert client.of_type("llm_run_finished")[0]["success"] is False
    with pytest.raises(RuntimeError, match="make a new LLMSessionTracker"):
        tracker.start_session()


def test_tracking_begins_the_session(client):
    """What is tracked before start_session() begins the run, once."""
    tracker = LLMSessionTracker(client, session_id="early-1")
    tracker.track_message("hi")
    tracker.start_session()
    tracker.finish_session()
    assert client.types == ["llm_run_started", "llm_message", "llm_run_finished"]


def test_error_block(client):
    """An error told inside ``except`` is that exception's, and the session is marked as failed."""

    def some_llm_call():
        raise ConnectionError("the model is away")

    with pytest.raises(ConnectionError), llm_session(client, model_provider="openai") as session:  # noqa: PT012
        try:
            session.track_message(some_llm_call())
        except Exception:
            session.track_message(finish_reason="error")
            raise
    (message,) = client.of_type("llm_message")
    assert message["success"] is False
    assert message["finish_reason"] == "error"
    assert message["error_type"] == "ConnectionError"
    assert message["error_message"] == "the model is away"
    (finished,) = client.of_type("llm_run_finished")
    assert (finished["success"], finished["total_errors"]) == (False, 1)


def test_error_alone_fails_the_session(client):
    """An exception that leaves the block fails the session, though nothing was told of it."""
    with pytest.raises(KeyError), llm_session(client):
        raise KeyError("x")
    assert client.of_type("llm_run_finished")[0]["success"] is False


def test_success_inside_except(client):
    """A fallback that answers inside ``except`` is a success: the exception is not its own."""
    with llm_session(client) as session:
        try:
            raise TimeoutError
        except TimeoutError:
            session.track_message("from the fallback")
    (message,) = client.of_type("llm_message")
    assert message["success"] is True
    assert "error_type" not in message
    assert client.of_type("llm_run_finished")[0]["success"] is True


def test_error_given_wins(client):
    """Error details that are given win over the current exception's."""
    try:
        raise ValueError("raw")
    except ValueError:
        emit_llm_message(client, error_type="rate_limit_error", error_message="slow down")
    (message,) = client.of_type("llm_message")
    assert (message["error_type"], message["error_message"]) == ("rate_limit_error", "slow down")
    assert (message["success"], message["finish_reason"]) == (False, "error")


def test_closed_generator_is_no_failure(client):
    """A generator that its reader closed early has not failed."""

    def answers():
        with llm_session(client, session_id="gen-1"):
            yield 1
            yield 2

    reader = answers()
    next(reader)
    reader.close()
    assert client.of_type("llm_run_finished")[0]["success"] is True


def test_placeholders(client):
    """``...``, as the documentation writes for what the reader fills in, is *not known*."""
    with llm_session(client, model_provider="openai") as session:
        session.track_message(...)
    assert client.types == ["llm_run_started", "llm_message", "llm_run_finished"]


def test_batch_block(client):
    """Several requests are one session, its totals their sum."""
    with llm_session(client, model_provider="openai") as session:
        for query in ("a", "bb"):
            session.track_user_message(query)
            session.track_message(input_tokens=len(query), output_tokens=1, output_content=query * 2)
    assert client.types.count("llm_run_started") == 1
    assert client.of_type("llm_run_finished")[0]["total_messages"] == 2
    assert client.of_type("llm_run_finished")[0]["total_tokens"] == 5


def test_multi_model_block(client):
    """Each message of a session may name its own model."""
    with llm_session(client, session_id="multi-model-session") as session:
        session.track_message(model_provider="openai", model_name="gpt-4", output_content="draft")
        session.track_message(model_provider="anthropic", model_name="claude-3-sonnet", output_content="refined")
    assert [(m["model_provider"], m["model_name"]) for m in client.of_type("llm_message")] == [
        ("openai", "gpt-4"),
        ("anthropic", "claude-3-sonnet"),
    ]
    assert {event.event_properties["session_id"] for event in client.events} == {"multi-model-session"}
    assert "model_name" not in client.of_type("llm_run_finished")[0]


def test_custom_properties_block(client):
    """Custom properties stand beside the standard ones, and never replace them."""
    custom = {"user_tier": "premium", "app_version": "1.2.3", "model_name": "mine"}
    emit_llm_message(client, model_provider="openai", model_name="gpt-4", custom_properties=custom)
    custom["user_tier"] = "changed later"
    (message,) = client.of_type("llm_message")
    assert message["user_tier"] == "premium"
    assert message["model_name"] == "gpt-4"


def test_timer_block():
    """A timer measures between start and stop, and a block, in ms."""
    timer = MessageTimer()
    assert timer.duration_ms is None
    timer.start()
    threading.Event().wait(0.01)
    latency_ms = timer.stop()
    assert 9 <= latency_ms < 1000
    assert timer.stop() == latency_ms == timer.duration_ms
    with pytest.raises(ZeroDivisionError), timer.time():
        raise ZeroDivisionError
    measured = timer.duration_ms
    assert measured < latency_ms
    threading.Event().wait(0.01)
    assert timer.duration_ms == measured
    with pytest.raises(RuntimeError, match="call start\\(\\)"):
        MessageTimer().stop()


def test_ids_block(client):
    """A session id that was set is current, for what is emitted and for what is captured."""
    assert get_current_session_id() is None
    set_session_id("my-custom-session-123")
    assert get_current_session_id() == "my-custom-session-123"
    quick_track_message(client, output_content="x")
    assert client.of_type("llm_message")[0]["session_id"] == "my-custom-session-123"
    assert snapshot(Binding(), {}).session_id == "my-custom-session-123"
    new_session = create_session_id()
    assert get_current_session_id() == "my-custom-session-123"
    set_session_id(new_session)
    with llm_session(client) as session:
        assert session.session_id == new_session
        with llm_session(client) as inner:
            assert inner.session_id != new_session
        assert get_current_session_id() == new_session
    set_session_id(None)
    assert get_current_session_id() is None


async def test_tasks_apart(client):
    """Two tasks in two sessions never see each other's."""

    async def one(name):
        async with llm_session(client, session_id=name, user_id=f"user-{name}") as session:
            await asyncio.sleep(0.01)
            assert get_current_session_id() == name
            session.track_message(name, input_tokens=1, output_tokens=1)
            await asyncio.sleep(0.01)
            assert snapshot(Binding(), {}).user_id == f"user-{name}"

    await asyncio.gather(*(one(f"task-{index}") for index in range(5)))
    assert get_current_session_id() is None
    finished = client.of_type("llm_run_finished")
    assert [one["total_messages"] for one in finished] == [1] * 5
    assert all(m["output_content"] == m["session_id"] for m in client.of_type("llm_message"))


def test_threads_apart(client):
    """A thread does not see the session of the one that started it, unless it is given its context."""
    seen = []
    with llm_session(client, session_id="outer-1"):
        context = contextvars.copy_context()
        for target in (get_current_session_id, lambda: context.run(get_current_session_id)):
            thread = threading.Thread(target=lambda target=target: seen.append(target()))
            thread.start()
            thread.join()
    assert seen == [None, "outer-1"]


def test_finished_elsewhere(client):
    """A session that another context finishes leaves that context as it is."""
    tracker = LLMSessionTracker(client, session_id="elsewhere-1")
    contextvars.copy_context().run(tracker.start_session)
    with amplitude_ai.context(session_id="here-1"):
        tracker.finish_session()
        assert get_current_session_id() == "here-1"


def test_defaults_from_the_context(client):
    """User, properties and privacy of the context around hold for what is told by hand."""
    with amplitude_ai.context(user_id="user-9", properties={"tier": "pro"}, privacy_mode=True):
        quick_track_message(client, output_content="secret")
    (message,) = client.of_type("llm_message")
    assert client.events[0].user_id == "user-9"
    assert message["tier"] == "pro"
    assert "output_content" not in message
    assert message["output_content_length"] == 6


def test_without_user(client):
    """Without a user an event carries the device id, as automatic ones do."""
    emit_user_message(client, content="hello")
    assert client.events[0].user_id is None
    assert client.events[0].device_id.startswith("amplitude-ai-")


def test_config_applies(client):
    """Privacy, truncation, prices and flags of the config apply to what is told by hand."""
    config = AIConfig(
        exclude_tool_parameters=True,
        max_content_length=8,
        prices={"house-model": {"input": 1e-6, "output": 2e-6}},
        latency_tracking=False,
        redact=lambda text: text.replace("secret", "*"),
    )
    with llm_session(client, model_provider="us", model_name="house-model", ai_config=config) as session:
        session.track_user_message("a secret that is long")
        session.track_message("short", input_tokens=1, output_tokens=1, latency_ms=5)
        session.track_tool_call("search", {"q": 1}, "found")
    assert client.of_type("user_message")[0]["content"] == "a * t..."
    (message,) = client.of_type("llm_message")
    assert (message["cost_usd"], message["cost_source"]) == (3e-6, "custom")
    assert "latency_ms" not in message
    (tool,) = client.of_type("tool_called")
    assert "tool_parameters" not in tool
    assert (tool["tool_result"], tool["success"]) == ("found", True)


def test_no_generated_ids(client):
    """With ``auto_generate_session_ids=False`` no id is made up."""
    config = AIConfig(auto_generate_session_ids=False)
    quick_track_message(client, output_content="x", ai_config=config)
    with llm_session(client, ai_config=config) as session:
        assert session.session_id is None
    assert not any("session_id" in event.event_properties for event in client.events)


def test_inline(client):
    """With ``async_event_emission=False`` the event is out when the function returns."""
    quick_track_message(client, output_content="x", ai_config=AIConfig(async_event_emission=False))
    assert [event.event_type for event in client.collected.seen] == ["llm_message"]


def test_failing_redaction(client):
    """Content that could not be made safe is not sent, nor in the totals."""

    def redact(text):
        raise ZeroDivisionError

    before = _guard.counted("dropped_privacy")
    with llm_session(client, ai_config=AIConfig(redact=redact)) as session:
        session.track_message("x")
    assert client.types == ["llm_run_started", "llm_run_finished"]
    assert client.of_type("llm_run_finished")[0]["total_messages"] == 0
    assert _guard.counted("dropped_privacy") == before + 1


def test_own_ids_are_stable(client):
    """The same message_id told twice is the same event for Amplitude; without one, each telling is its own."""
    for _ in range(2):
        emit_user_message(client, session_id="s-stable", content="hi", message_id="m1")
        emit_user_message(client, session_id="s-stable", content="hi")
    ids = [event.insert_id for event in client.events]
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3
    assert client.of_type("user_message")[0]["message_id"] == "m1"


def test_later_changes_change_nothing(client):
    """What is told is told: a dict that changes afterwards does not change the event."""
    parameters = {"query": ["a"]}
    release = threading.Event()
    runtime.worker.submit(lambda book: release.wait(5) and [])
    emit_tool_called(client, tool_name="search", tool_parameters=parameters)
    parameters["query"].append("b")
    release.set()
    (tool,) = client.of_type("tool_called")
    assert tool["tool_parameters"] == '{"query":["a"]}'
    assert "success" not in tool


def test_default_client():
    """Without a client, events go to the process default; inside a session, to the session's."""
    mine = EventList()
    with amplitude_ai.testing.capture_events() as events:
        quick_track_message(model_provider="openai", output_content="x")
        with llm_session(mine):
            emit_user_message(content="to the session's client")
        assert [event.event_type for event in events()] == ["llm_message"]
    assert [event.event_type for event in mine.events] == ["llm_run_started", "user_message", "llm_run_finished"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"input_tokens": "10"}, TypeError, r"input_tokens must be a whole number, not str: pass input_tokens=int"),
        ({"input_tokens": True}, TypeError, "input_tokens"),
        ({"output_tokens": -1}, ValueError, "output_tokens must be 0 or more, got -1"),
        ({"latency_ms": "1s"}, TypeError, "latency_ms must be a number"),
        ({"cost_usd": float("nan")}, ValueError, "cost_usd must be a finite number"),
        ({"success": "yes"}, TypeError, "success must be True or False"),
        ({"output_content": object()}, TypeError, r"output_content must be the text itself.*choices\[0\]"),
        ({"custom_properties": [1]}, TypeError, "custom_properties must be a mapping"),
        ({"custom_properties": {1: 2}}, TypeError, "custom_properties has the key 1"),
        ({"tier": "pro"}, TypeError, r"unexpected keyword argument 'tier'.*custom_properties=\{'tier'"),
        ({"amplitude_client": "key"}, TypeError, "amplitude_client must have a track"),
        ({"ai_config": {}}, TypeError, "ai_config must be an AIConfig"),
        ({"user_id": 7}, TypeError, r"user_id must be a string or None, not int: pass user_id=str"),
        ({"session_id": ""}, ValueError, "session_id must not be empty"),
        ({"model_name": 4}, TypeError, "model_name must be a string"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    """A wrong argument is an error where it is given, and names the argument and the remedy."""
    with pytest.raises(error, match=message):
        emit_llm_message(**{"amplitude_client": EventList(), **arguments})


@pytest.mark.parametrize("call", [emit_user_message, emit_tool_called])
def test_missing_arguments(call):
    """What an event is nothing without must be given."""
    with pytest.raises(TypeError, match="is missing: pass"):
        call(EventList())


def test_one_run_of_the_id_that_the_context_names(client):
    """``set_session_id`` and two sessions: one beginning, and both halves' totals in the ends."""
    set_session_id("chat-1")
    try:
        for _ in range(2):
            set_session_id("chat-1")
            with llm_session(client) as session:
                session.track_message("x", total_tokens=5, model_provider="openai")
    finally:
        set_session_id(None)
    assert amplitude_ai.flush()
    assert client.types.count("llm_run_started") == 1
    assert [one["run_total_tokens"] for one in client.of_type("llm_run_finished")] == [5, 5]
    assert {one["session_id"] for one in client.of_type("llm_message")} == {"chat-1"}


@pytest.mark.parametrize(("name", "told"), [(None, "^tool_name is missing"), (5, "^tool_name must be")])
def test_a_tool_needs_a_name(client, name, told):
    """Which argument it is about is said."""
    with pytest.raises(TypeError, match=told):
        emit_tool_called(client, tool_name=name)


@pytest.mark.parametrize("counts", [{"cached_input_tokens": 800}, {"cache_write_tokens": 800}])
def test_what_a_cache_read_or_wrote_is_priced_as_such(client, counts):
    """By hand as captured: cheaper, or dearer, than fresh input."""
    told = {"model_provider": "anthropic", "model_name": "claude-sonnet-4-5", "input_tokens": 1000, "output_tokens": 5}
    emit_llm_message(client, **told)
    emit_llm_message(client, **told, **counts)
    assert amplitude_ai.flush()
    plain, cached = (one["cost_usd"] for one in client.of_type("llm_message"))
    expected = amplitude_ai.calculate_cost("anthropic", "claude-sonnet-4-5", 1000, 5, **counts)
    assert cached == pytest.approx(expected) != plain


def test_how_long_a_session_took(client, monkeypatch):
    """In ms, from its beginning to its end, by a clock that nobody sets."""
    clock = [0]
    monkeypatch.setattr(_clock, "perf_ns", lambda: clock[0])
    with llm_session(client, session_id="s-1"):
        clock[0] = 1_234_567_890
    assert amplitude_ai.flush()
    (finished,) = client.of_type("llm_run_finished")
    assert finished["duration_ms"] == 1234.568
