"""What our log says of names, errors and paths that others chose does nothing to a terminal."""

import ast
import logging
from pathlib import Path

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import _guard
from amplitude_ai._harmless import harmless
from amplitude_ai.testing import EventList

PACKAGE = Path(amplitude_ai.__file__).parent
HOSTILE = "m\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m\nWARNING root: all is well\x00"


@pytest.fixture(autouse=True)
def fresh():
    """Each line is logged once a process: forget that."""
    _guard.reset()


def calls(model):
    answer = {
        "model": model,
        "choices": [{"message": {"role": "assistant", "content": "Hi"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
    events = EventList()
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events) as client:
        client.post(
            "https://api.openai.com/v1/chat/completions",
            json={"model": model, "messages": [{"role": "user", "content": "Hello"}]},
        )
    assert amplitude_ai.flush()
    return events


def test_the_name_of_a_model(caplog):
    """No price is known for a model of this name: the line says so in one line, without a control character."""
    with caplog.at_level(logging.DEBUG, logger="amplitude.ai"):
        events = calls(HOSTILE)
    # The event has what was asked for, but for the NUL.
    assert events.of_type("llm_message")[0]["requested_model"].startswith(HOSTILE[:-1])
    said = [record.getMessage() for record in caplog.records if "no price" in record.getMessage()]
    assert said
    for line in (record.getMessage() for record in caplog.records if record.name.startswith("amplitude.ai")):
        assert line == harmless(line)


@pytest.mark.parametrize(
    "value", [HOSTILE, ValueError(HOSTILE), Path(HOSTILE.strip("\x00")), HOSTILE.encode()], ids=repr
)
def test_whatever_a_line_is_about(caplog, value):
    """Texts, exceptions, paths, bytes; numbers stay numbers, and long texts are cut."""
    with caplog.at_level(logging.DEBUG, logger="amplitude.ai"):
        _guard.logger.warning("amplitude_ai: %s, %r and %d", value, value, 7)
        _guard.logger.warning("%s", "x" * 10_000)
    first, second = (record.getMessage() for record in caplog.records)
    assert first == harmless(first)
    assert first.endswith("and 7")
    assert len(second) < 600


def test_texts_of_lines_are_our_own():
    """No line is put together before it is logged: what others wrote is always one of its values."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            place = {"log_once": 2, "logger.log": 1}.get(name, 0 if name.startswith("logger.") else None)
            if place is None or name == "logger.addFilter" or path.name == "_guard.py":
                continue
            assert isinstance(node.args[place], ast.Constant), f"{path.name}:{node.lineno}"
