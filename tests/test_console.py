"""The console exporter: one line a call, on stderr."""

import io
import re
import subprocess
import sys

import httpx
import pytest

import amplitude_ai
from amplitude_ai.testing import EventList


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


@pytest.fixture
def ask(simulator, monkeypatch):
    """Makes a call and returns what was printed."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def call(text="Hello", to=None, user_id="ann-1", **more):
        to = io.StringIO() if to is None else to
        monkeypatch.setattr(sys, "stderr", to)
        with amplitude_ai.context(user_id=user_id), httpx.Client() as client:
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **more}
            client.post(f"{simulator.url}/v1/chat/completions", json=body)
        assert amplitude_ai.flush(10)
        return to.getvalue()

    yield call
    amplitude_ai.uninstall_transport()


def test_one_line_a_call(ask):
    """Time, user, model, tokens, cost, ms; of a stream the first token; never a text."""
    amplitude_ai.install_transport(amplitude_client=EventList(), console=True)
    number = r"[\d.]+"
    line = rf"\d\d:\d\d:\d\d\.\d\d\dZ  ann-1  gpt-4o-mini  \d+ → \d+  \${number}  {number} ms"
    assert re.fullmatch(line + "\n", ask("A secret"))
    assert re.search(rf"{number} ms  TTFT {number} ms\n$", ask(stream=True))
    out = ask("Weather?", tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
    assert out.rstrip().endswith("1 tool")


def test_errors_are_red_where_there_are_colours(ask, monkeypatch):
    """On a terminal; in a log file and with NO_COLOR they are plain."""
    amplitude_ai.install_transport(amplitude_client=EventList(), console=True)
    out = ask("[sim:status=429]", Terminal())
    assert out.startswith("\x1b[31m")
    assert out.endswith("\x1b[0m\n")
    assert "ERROR HTTP 429" in out
    assert "\x1b" not in ask("Fine", Terminal())
    assert "\x1b" not in ask("[sim:status=500]")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in ask("[sim:status=500]", Terminal())


def test_hostile_names_are_spelled_out(ask):
    """A user id is somebody's text too."""
    amplitude_ai.install_transport(amplitude_client=EventList(), console=True)
    out = ask(user_id="ann\x1b[2J\n\u202ebob")
    assert out.count("\n") == 1
    assert "ann\\x1b[2J" in out
    assert not set(out) & set("\x1b\u202e")


def test_off_unless_asked_for(ask, monkeypatch):
    """By argument or by environment; the argument wins; uninstalling ends it."""
    amplitude_ai.install_transport(amplitude_client=EventList())
    assert ask() == ""
    monkeypatch.setenv("AMPLITUDE_AI_CONSOLE", "1")
    assert ask() != ""
    amplitude_ai.install_transport(amplitude_client=EventList(), console=False)
    assert ask() == ""
    monkeypatch.delenv("AMPLITUDE_AI_CONSOLE")
    amplitude_ai.install_transport(amplitude_client=EventList(), console=True)
    assert ask() != ""
    with pytest.raises(TypeError, match="console"):
        amplitude_ai.install_transport(console="yes")


@pytest.mark.swallows
@pytest.mark.parametrize("stream", [None, "closed", "ascii"])
def test_a_stream_that_fails_costs_nothing(ask, stream, simulator):
    """No stderr (pythonw), a closed one, one of few letters: the event arrives all the same."""
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events, console=True)
    made = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    if stream == "closed":
        made.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", None if stream is None else made)
        httpx.post(
            f"{simulator.url}/v1/chat/completions",
            json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]},
        )
        assert amplitude_ai.flush(10)
    assert len(events.of_type("llm_message")) == 1
    if stream == "ascii":
        assert b"\\u2192" in made.buffer.getvalue()


def test_it_needs_no_other_package(simulator, tmp_path):
    """By the environment alone, without rich and typer, in a process that never flushes."""
    code = (
        "import sys; sys.modules['rich'] = sys.modules['typer'] = None\n"
        "import amplitude_ai, httpx\n"
        "amplitude_ai.install_transport()\n"
        f"httpx.post('{simulator.url}/v1/chat/completions',"
        " json={'model': 'gpt-4o-mini', 'messages': [{'role': 'user', 'content': 'Hello'}]})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"AMPLITUDE_AI_STORE": str(tmp_path / "x.db"), "AMPLITUDE_AI_CONSOLE": "1", "PATH": ""},
        timeout=60,
    )
    assert done.stdout == ""
    assert sum("gpt-4o-mini" in line for line in done.stderr.splitlines()) == 1
