"""Every code block of the specification, taken from its own text, run, and judged by the events it causes.

What a block leaves open (``...``, a provider's host, the functions of the reader's own program) is filled in by
``FILLED`` and ``scene``; nothing else of a block is touched.
"""

import asyncio
import inspect
import logging
import os
import re
import sqlite3
import textwrap
from contextlib import closing
from pathlib import Path

import amplitude
import pytest
from amplitude.constants import PluginType
from amplitude.plugin import DestinationPlugin

import amplitude_ai
from amplitude_ai import _scope
from amplitude_ai.delivery._store_destination import LocalStoreDestination

TEXT = Path(os.environ.get("AMPLITUDE_AI_SPEC") or Path(__file__).parents[2] / "shared/spec/ai-observability.md")
BLOCK = re.compile(r"^( *)```(python|sql)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
BLOCKS = [(kind, textwrap.dedent(code)) for _, kind, code in BLOCK.findall(TEXT.read_text())] if TEXT.exists() else []

pytestmark = pytest.mark.skipif(not BLOCKS, reason="no specification in ../shared/spec (or AMPLITUDE_AI_SPEC)")

RUN = ["llm_run_started", "user_message", "llm_message"]

#: The beginning of a block -> the event types it causes.
CAUSED = {
    "from amplitude import Amplitude": [],
    "from amplitude.ai import get_openai": RUN,
    "from amplitude.ai import get_anthropic": RUN,
    "from amplitude.ai import get_google": RUN,
    "from amplitude.ai import get_langchain": RUN,
    "from amplitude.ai import get_pydantic": RUN,
    "from amplitude.ai import quick_track_message": ["llm_message"],
    "from amplitude.ai import AIConfig": [],
    "from amplitude.ai import calculate_cost": [],
    "from amplitude.plugin import EventPlugin": [],
    "# Sessions are automatically created and managed": [*RUN, *RUN[1:]],
    "from amplitude.ai import get_current_session_id, set_session_id": [],
    "from amplitude.ai import LLMSessionTracker": ["llm_run_started", "llm_run_finished"],
    "from amplitude.ai import MessageTimer": [],
    "# Latency automatically captured": RUN,
    "try:": RUN,
    "# Global privacy mode": [],
    "ai_config = AIConfig(max_content_length=500)": [],
    "# Override privacy settings per request": RUN,
    "# Track interactions across multiple models": [
        "llm_run_started",
        "llm_message",
        "llm_message",
        "llm_run_finished",
    ],
    "# Add custom properties to events": ["llm_message"],
    "# Ensure you're flushing events": [],
    "# Ensure cost tracking is enabled": [],
    "# Check max_content_length setting": [],
    "# Install optional dependencies": [],
    "import logging": [],
}

# Blocks that need a test of their own.
SESSION = "from amplitude.ai import llm_session\n\nwith llm_session(\n"
EMITS = "from amplitude.ai import (\n    emit_llm_run_started"
PLUGINS = "from amplitude.ai import (\n    AIObservabilityPlugin"
MANUAL_ERROR = 'with llm_session(amplitude_client, model_provider="openai")'
BATCH = "from amplitude.ai import llm_session\n\n# Process"
MIGRATION = "# Before: Manual tracking"
OWN_TESTS = (SESSION, EMITS, PLUGINS, MANUAL_ERROR, BATCH, MIGRATION)


def block(beginning):
    """The one block that starts so."""
    found = [code for kind, code in BLOCKS if kind == "python" and code.lstrip().startswith(beginning)]
    assert len(found) == 1, f"{len(found)} blocks begin with {beginning!r}"
    return found[0]


class Recorder(DestinationPlugin):
    """Where the events of a real Amplitude client arrive, instead of at Amplitude."""

    def __init__(self):
        super().__init__()
        self.events = []

    def execute(self, event):
        self.events.append(event)

    def flush(self):
        """What arrived has arrived."""


@pytest.fixture
def arrived(monkeypatch):
    """The events that reach the destination of every ``Amplitude`` made in the test."""
    recorder = Recorder()

    class Amplitude(amplitude.Amplitude):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self._Amplitude__timeline.plugins[PluginType.DESTINATION].clear()
            self.add(recorder)

    monkeypatch.setattr(amplitude, "Amplitude", Amplitude)
    ambient = _scope.ambient()
    yield recorder.events
    _scope.set_ambient(ambient)


@pytest.fixture
def scene(arrived, simulator, monkeypatch):
    """What a block's reader has around it: the clients of the sections before, and a program of their own."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{simulator.url}/v1")
    monkeypatch.setenv("OPENAI_API_BASE", f"{simulator.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", simulator.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    import openai

    client = amplitude.Amplitude("your-amplitude-api-key")
    config = amplitude_ai.AIConfig()
    instrumented = amplitude_ai.get_openai()[0](amplitude_client=client, ai_config=config, max_retries=0)
    return {
        "amplitude_client": client,
        "ai_config": config,
        "AIConfig": amplitude_ai.AIConfig,
        "client": instrumented,
        "instrumented_client": instrumented,
        "openai": openai,
        "llm_session": amplitude_ai.llm_session,
        "emit_llm_message": amplitude_ai.emit_llm_message,
        "quick_track_message": amplitude_ai.quick_track_message,
        "make_llm_call": lambda query="Hello": f"An answer to {query}",
        "some_llm_call": lambda: "An answer",
        "count_tokens": lambda text: len(text.split()),
        "user_queries": ["What is Python?", "And Rust?"],
        "gpt4_response": "A first answer",
        "claude_response": "A better answer",
        "long_content": "Very long content " * 100,
        "URL": simulator.url,
    }


#: What a block leaves open -> the obvious value.
FILLED = (
    ("create(...)", 'create(model="gpt-4", messages=[{"role": "user", "content": "Hello!"}])'),
    ("openai_cost_per_token={...}", 'openai_cost_per_token={"gpt-4": {"input": 3e-05, "output": 6e-05}}'),
    ("anthropic_cost_per_token={...}", 'anthropic_cost_per_token={"claude-*": {"input": 3e-06, "output": 1.5e-05}}'),
    ("google_cost_per_token={...}", 'google_cost_per_token={"gemini-pro": {"input": 5e-07, "output": 1.5e-06}}'),
    ("session.track_message(...)", 'session.track_message(output_content="An answer")'),
    ('model_name="gemini-pro",', 'model_name="gemini-pro", client_options={"api_endpoint": URL},'),
    (
        'messages=[{"role": "user", "content": "Hello"}]\n    )\nexcept',
        'messages=[{"role": "user", "content": "[sim:status=404] Hello"}]\n    )\nexcept',
    ),
    # A shell line in a block of Python.
    ("pip install openai", "# pip install openai"),
)


def run(code, scene):
    """Run a block with what it leaves open filled in, then let everything arrive."""
    for left_open, value in FILLED:
        code = code.replace(left_open, value)
    exec(compile(code, str(TEXT), "exec"), scene)  # the block is the test
    assert amplitude_ai.flush()


def types(events):
    """The event types, in order."""
    return [event.event_type for event in events]


def last(events, event_type="llm_message"):
    """The properties of the last event of a type."""
    return [event.event_properties for event in events if event.event_type == event_type][-1]


@pytest.mark.parametrize("beginning", CAUSED)
def test_block(beginning, scene, arrived):
    """The block runs as written and causes its events, no more and no fewer."""
    if "get_langchain" in beginning:
        pytest.importorskip("langchain_openai")
    if "get_pydantic" in beginning:
        pytest.importorskip("pydantic_ai")
    code = block(beginning)
    run(code, scene)
    if inspect.isawaitable(scene.get("result")):
        asyncio.run(_awaited(scene["result"]))
        assert amplitude_ai.flush()
    assert types(arrived) == CAUSED[beginning]


async def _awaited(result):
    return await result


def test_ids_and_the_answer(scene, arrived):
    """The quick start's call belongs to the user and session it names, with tokens, cost and latency."""
    run(block("from amplitude.ai import get_openai\n\n# Get"), scene)
    assert {(event.user_id, event.event_properties["session_id"]) for event in arrived} == {("user123", "session456")}
    message = last(arrived)
    assert message["model_provider"] == "openai"
    assert message["success"] is True
    assert message["total_tokens"] == message["input_tokens"] + message["output_tokens"]
    assert message["latency_ms"] > 0
    assert message["cost_usd"] > 0


def test_session(scene, arrived):
    """A session's events are one run, and its end carries their totals."""
    run(block(SESSION), scene)
    assert types(arrived) == ["llm_run_started", "user_message", "llm_message", "tool_called", "llm_run_finished"]
    assert len({event.event_properties["session_id"] for event in arrived}) == 1
    assert last(arrived, "llm_run_finished")["total_tokens"] == 60
    assert last(arrived, "tool_called")["tool_name"] == "web_search"


def test_individual_events(scene, arrived):
    """The emit functions send what they are told."""
    run(block(EMITS), scene)
    assert types(arrived) == ["llm_run_started", "user_message", "llm_message", "llm_run_finished"]
    assert last(arrived)["cost_usd"] == 0.001
    assert last(arrived, "llm_run_finished")["total_tokens"] == 25


def test_plugins(scene, arrived):
    """After the plugins' block a cheap call is filtered, a dear one arrives with derived metrics."""
    run(block(PLUGINS), scene)
    assert arrived == []
    told = {"session_id": "s", "user_id": "user123", "model_provider": "openai", "model_name": "gpt-4"}
    emit = amplitude_ai.emit_llm_message
    emit(scene["amplitude_client"], **told, input_tokens=1, output_tokens=1, latency_ms=10, cost_usd=0.0001)
    emit(scene["amplitude_client"], **told, input_tokens=100, output_tokens=50, latency_ms=500, cost_usd=0.5)
    assert amplitude_ai.flush()
    assert types(arrived) == ["llm_message"]
    assert last(arrived)["tokens_per_second"] == pytest.approx(100)


def test_own_plugin(scene, arrived):
    """A plugin written as the specification shows completes our events."""
    run(block("from amplitude.plugin import EventPlugin"), scene)
    scene["client"].chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "Hello"}])
    assert amplitude_ai.flush()
    assert last(arrived)["custom_tag"] == "production"


def test_session_ids(scene, arrived):
    """The id that was set is the id of the calls that follow."""
    run(block("from amplitude.ai import get_current_session_id"), scene)
    scene["client"].chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "Hello"}])
    assert amplitude_ai.flush()
    assert last(arrived)["session_id"] == scene["new_session"]


def test_error(scene, arrived):
    """A failing call's event has the four properties the specification names."""
    run(block("try:"), scene)
    message = last(arrived)
    assert message["success"] is False
    assert message["finish_reason"] == "error"
    assert message["error_type"]
    assert message["error_message"]


def test_manual_error(scene, arrived):
    """The failing session is marked failed and its message carries the exception's text."""

    def fail():
        raise ValueError("no luck today")

    with pytest.raises(ValueError, match="no luck"):
        run(block(MANUAL_ERROR), {**scene, "some_llm_call": fail})
    assert amplitude_ai.flush()
    message = last(arrived)
    assert (message["success"], message["finish_reason"]) == (False, "error")
    assert message["error_message"] == "no luck today"
    assert last(arrived, "llm_run_finished")["success"] is False


def test_per_request_privacy(scene, arrived):
    """What the request excluded is in no event."""
    run(block("# Override privacy settings per request"), scene)
    assert amplitude_ai.flush()
    assert last(arrived)["input_tokens"] > 0
    assert "Sensitive data" not in str([event.event_properties for event in arrived])


def test_truncation(scene, arrived):
    """Long content is cut as the specification shows, and the config's own method agrees."""
    run(block("# Check max_content_length setting"), scene)
    truncated = scene["truncated"]
    assert len(truncated) <= 1000
    assert truncated.endswith("...")


def test_batch(scene, arrived):
    """Several requests in one session are one run."""
    run(block(BATCH), scene)
    assert types(arrived) == [
        "llm_run_started",
        *["user_message", "llm_message"] * 2,
        "llm_run_finished",
    ]


def test_custom_properties(scene, arrived):
    """Custom properties stand beside the standard ones."""
    run(block("# Add custom properties to events"), scene)
    assert last(arrived)["user_tier"] == "premium"


def test_migration(scene, arrived):
    """The new form of a hand-tracked event, beside the old one."""
    before, _, after = block(MIGRATION).partition("# After")
    assert "track(" in before
    run("# After" + after, scene)
    assert last(arrived)["total_tokens"] == 100


def test_timer(scene):
    """Both forms of the timer give milliseconds."""
    run(block("from amplitude.ai import MessageTimer"), scene)
    assert scene["latency_ms"] >= 0
    assert scene["timer"].duration_ms >= 0


def test_debug_logging(scene, arrived, caplog):
    """At DEBUG, the logger ``amplitude.ai`` shows emissions."""
    run(block("import logging"), scene)
    with caplog.at_level(logging.DEBUG, logger="amplitude.ai"):
        scene["client"].chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "Hello"}])
        assert amplitude_ai.flush()
    assert "llm_message" in caplog.text


def test_queries(arrived, tmp_path):
    """The SQL of the specification runs on the store as it stands."""
    path = tmp_path / "events.db"
    client = amplitude.Amplitude("key")
    client.add(LocalStoreDestination(path))
    told = {"session_id": "s", "user_id": "user123", "model_provider": "openai", "model_name": "gpt-4"}
    amplitude_ai.emit_llm_message(client, **told, input_tokens=1, output_tokens=1, latency_ms=10, cost_usd=0.5)
    amplitude_ai.emit_llm_message(client, **told, finish_reason="error")
    assert amplitude_ai.flush()
    (text,) = [code for kind, code in BLOCKS if kind == "sql"]
    per_user, errors, trends = (statement for statement in text.split("\n\n") if statement.strip())
    with closing(sqlite3.connect(path)) as store:
        assert store.execute(per_user).fetchall() == [("user123", 0.5)]
        assert store.execute(errors).fetchall() == [("gpt-4", 2, 1, 50.0)]
        ((_, tokens, cost),) = store.execute(trends).fetchall()
    assert (tokens, cost) == (2, 0.5)


def test_every_block_is_run():
    """No Python block of the specification is left out of this file."""
    named = {*CAUSED, *OWN_TESTS}
    left_out = [
        code.splitlines()[0]
        for kind, code in BLOCKS
        if kind == "python" and not any(code.lstrip().startswith(beginning) for beginning in named)
    ]
    assert left_out == []
