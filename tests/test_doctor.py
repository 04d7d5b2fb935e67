"""``doctor``: what it says of an environment, and its exit code."""

import json
import os
import sys

import httpx
import pytest

from amplitude_ai import cli
from amplitude_ai.cli import _doctor
from amplitude_ai.delivery._store import Store


@pytest.fixture
def doctor(monkeypatch, capfd, tmp_path):
    """Runs it: the exit code and the findings by (section, name)."""
    for name in ("AMPLITUDE_API_KEY", "AMPLITUDE_SERVER_ZONE", "AMPLITUDE_AI_SPOOL", "LANGSMITH_TRACING"):
        monkeypatch.delenv(name, raising=False)

    def run(*words, store=tmp_path / "events.db"):
        monkeypatch.setattr(sys, "argv", ["x", "--store", str(store), "doctor", "--json", *words])
        capfd.readouterr()
        code = cli.main()
        said = json.loads(capfd.readouterr().out)
        assert said["healthy"] == (code == 0)
        return code, {(each["section"], each["name"]): each for each in said["findings"]}

    return run


def test_a_sound_environment(doctor):
    """Each stack that is here was tried by a call on loopback; nothing was made or sent."""
    code, found = doctor()
    assert code == 0
    for stack in ("httpx", "httpx2", "requests", "aiohttp", "urllib3", "http.client"):
        assert found["HTTP", stack]["status"] == "ok"
        assert "recorded" in found["HTTP", stack]["said"]
    assert found["SDKs", "openai"]["said"][0].isdigit()
    assert found["Amplitude", "key"]["status"] == "info"
    assert found["prices", "genai-prices"]["status"] in ("ok", "warning")


def test_a_stack_that_is_not_recorded_is_a_problem(doctor, monkeypatch):
    """Somebody's wrapper that goes round us, say."""
    monkeypatch.setitem(_doctor.STACKS, "httpx", lambda url, bodies: _untold(url, bodies[0]))
    code, found = doctor()
    assert code == 1
    assert found["HTTP", "httpx"]["status"] == "problem"
    assert found["HTTP", "requests"]["status"] == "ok"


def _untold(url, body):
    """A call by a library nobody watches."""
    import socket

    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/chat/completions HTTP/1.0\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        while connection.recv(4096):
            pass


def test_a_call_that_fails_is_a_problem(doctor, monkeypatch):
    """It is said, not raised."""

    def fail(url, bodies):
        raise httpx.ConnectError("no network \x1b[2J")

    monkeypatch.setitem(_doctor.STACKS, "httpx", fail)
    code, found = doctor()
    assert code == 1
    assert "ConnectError" in found["HTTP", "httpx"]["said"]


def test_both_packages_are_a_problem(doctor, monkeypatch):
    """They own one module name."""
    here = _doctor._installed()
    monkeypatch.setattr(_doctor, "_installed", lambda: {**here, "amplitude-ai": "1.21.0", "claude-agent-sdk": "1"})
    code, found = doctor()
    assert code == 1
    assert found["this", "amplitude-ai"]["status"] == "problem"
    assert found["unseen", "claude-agent-sdk"]["status"] == "info"


def test_keys_are_looked_at_and_never_told(doctor, monkeypatch):
    """A sound one, a wrong one, a wrong zone."""
    monkeypatch.setenv("AMPLITUDE_API_KEY", "0123456789abcdef0123456789abcdef")
    code, found = doctor()
    assert (code, found["Amplitude", "key"]["status"]) == (0, "ok")
    monkeypatch.setenv("AMPLITUDE_API_KEY", "'my-secret'")
    code, found = doctor("--strict")
    assert (code, found["Amplitude", "key"]["status"]) == (1, "warning")
    assert "my-secret" not in json.dumps(list(found.values()))
    monkeypatch.setenv("AMPLITUDE_SERVER_ZONE", "ASIA")
    assert doctor()[0] == 1


def test_the_store(doctor, tmp_path):
    """Its size and span, who may read it, ids that Amplitude refuses; one that is none is a problem."""
    store = Store(tmp_path / "events.db")
    store.write(insert_id="1", event_type="x", time_ms=1, user_id="bob", device_id=None, properties="{}")
    store.close()
    found = doctor()[1]
    assert "1 events" in found["store", "file"]["said"]
    assert found["store", "user ids"]["status"] == "warning"
    assert ("store", "mode") not in found
    if os.name == "posix":
        store.path.chmod(0o644)
        assert doctor()[1]["store", "mode"]["status"] == "warning"
    store.path.write_text("nonsense " * 1000)
    assert doctor()[0] == 1


def test_others_that_are_active(doctor, monkeypatch):
    """Double counting is a warning, what is merely installed is not."""
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    assert doctor()[1]["others", "langsmith"]["status"] == "warning"
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    assert doctor()[1].get(("others", "langsmith"), {"status": "info"})["status"] == "info"
