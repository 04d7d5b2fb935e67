"""Parsers of other people's: the documented example, as a user would write it, and entry points."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

import amplitude_ai
from amplitude_ai.parsing import built_in
from amplitude_ai.testing import EventList

ROOT = Path(__file__).parents[1]
EXAMPLE = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "parsers.md").read_text(), re.DOTALL).group(1)
ANSWER = {"id": "a1", "engine": "acme-2", "reply": "Hello!", "why": "end", "cost": {"in": 7, "out": 3}}
STREAM = (
    b'data: {"piece": "Hel"}\n\ndata: {"piece": "lo!"}\n\n'
    b'data: {"id": "a1", "engine": "acme-2", "why": "end", "cost": {"in": 7, "out": 3}}\n\n'
)


@pytest.fixture
def acme():
    """The example of the documentation, registered."""
    exec(EXAMPLE, {})
    yield
    amplitude_ai.unregister_parser("acme.generate")


def call(answer):
    """The records of one call that the provider answers so."""
    events = EventList()
    transport = httpx2.MockTransport(lambda request: answer)
    config = amplitude_ai.AIConfig(prices={"acme/*": (1e-3, 2e-3)})
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events, ai_config=config) as client:
        client.post("https://api.acme.ai/v1/generate", json={"engine": "acme", "prompt": "Hi"})
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


def test_the_example_is_short():
    """A new provider fits into 60 lines."""
    assert len(EXAMPLE.splitlines()) < 60


@pytest.mark.parametrize("streamed", [False, True])
def test_the_example_works(acme, streamed):
    """Plain and streamed: tokens, text, models, price, and what only the wire tells."""
    answer = httpx2.Response(200, json=ANSWER)
    if streamed:
        answer = httpx2.Response(200, content=STREAM, headers={"content-type": "text/event-stream"})
    (record,) = call(answer)
    expected = {
        "model_provider": "acme",
        "model_name": "acme-2",
        "requested_model": "acme",
        "input_content": "Hi",
        "output_content": "Hello!",
        "input_tokens": 7,
        "output_tokens": 3,
        "finish_reason": "end",
        "cost_usd": 0.013,
        "cost_source": "custom",
        "is_streaming": streamed,
        "success": True,
    }
    assert {name: record.get(name) for name in expected} == expected


def test_the_examples_errors(acme):
    """The provider's own words."""
    (record,) = call(httpx2.Response(429, json={"problem": "too_fast", "detail": "Slow down"}))
    assert (record["success"], record["error_type"], record["error_message"]) == (False, "too_fast", "Slow down")


def test_without_it_the_calls_are_unknown():
    """Forgotten, the host is one of nobody's again."""
    assert call(httpx2.Response(200, json=ANSWER)) == []


def test_a_parser_that_raises():
    """The call is recorded with what the wire tells, and the error is counted."""

    class Broken:
        name = "acme.broken"

        def fold(self, frames, request):
            raise AssertionError

        def parse(self, request, body):
            raise LookupError("no such field")

    amplitude_ai.register_parser(host="api.acme.ai", path="*/generate", parser=Broken(), provider="Acme")
    before = amplitude_ai.stats().get("parse_errors_LookupError", 0)
    try:
        (record,) = call(httpx2.Response(200, json=ANSWER))
    finally:
        amplitude_ai.unregister_parser("acme.broken")
    assert (record["model_provider"], record["http_status"]) == ("Acme", 200)
    assert amplitude_ai.stats()["parse_errors_LookupError"] == before + 1


def test_a_known_host_may_be_read_otherwise():
    """A registered parser comes before the package's own; the latest before the earlier."""

    class Mine:
        name = "mine.chat"
        fold = staticmethod(built_in("openai.chat").fold)

        def parse(self, request, body):
            from dataclasses import replace

            return replace(built_in("openai.chat").parse(request, body), finish_reason="mine")

    amplitude_ai.register_parser(host="*", path="*/chat/completions", parser=Mine(), provider="openai")
    events = EventList()
    answer = {"model": "gpt-4o", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
    try:
        with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events) as client:
            client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
        assert amplitude_ai.flush()
    finally:
        amplitude_ai.unregister_parser("mine.chat")
    assert [one["finish_reason"] for one in events.of_type("llm_message")] == ["mine"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"host": ""}, "host must be a shell pattern"),
        ({"path": None}, "path must be a shell pattern"),
        ({"parser": object()}, "parser must have a name"),
        ({"parser": type("P", (), {"name": "x", "parse": print})()}, "must have a method fold"),
    ],
)
def test_bad_input(changes, told):
    """The error names the argument and what it must be."""
    with pytest.raises(TypeError, match=told):
        amplitude_ai.register_parser(**{"host": "*", "path": "*", "parser": None, **changes})


def test_entry_points(tmp_path):
    """A package that brings its parser needs no line of the user's; one that fails does no harm."""
    (tmp_path / "acme_sdk.py").write_text(f"def register():\n    exec({EXAMPLE!r}, {{}})\n\ndef broken():\n    1 / 0\n")
    info = tmp_path / "acme_sdk-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-sdk\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[amplitude_ai.parsers]\nbad = acme_sdk:broken\ngood = acme_sdk:register\n")
    code = (
        "import amplitude_ai, httpx2; from amplitude_ai.testing import EventList; events = EventList();"
        f"t = httpx2.MockTransport(lambda r: httpx2.Response(200, json={ANSWER!r}));"
        "c = amplitude_ai.instrumented_httpx(transport=t, amplitude_client=events);"
        "c.post('https://api.acme.ai/v1/generate', json={'prompt': 'Hi'}); amplitude_ai.flush();"
        "print(events.of_type('llm_message')[0]['input_tokens'], amplitude_ai.stats()['internal_errors_entry_points'])"
    )
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.split() == ["7", "1"], done.stderr


def test_entry_points_are_called_once(monkeypatch):
    """However often a process begins to record."""
    from amplitude_ai.parsers import _registry

    called = []

    class Point:
        @staticmethod
        def load():
            return lambda: called.append(1)

    monkeypatch.setattr(_registry, "_loaded", False)
    monkeypatch.setattr(_registry.metadata, "entry_points", lambda group: [Point])
    _registry.load_entry_points()
    _registry.load_entry_points()
    assert called == [1]
