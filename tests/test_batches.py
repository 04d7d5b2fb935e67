"""A file of a batch's results, read back, is as many calls as it has lines."""

import json

import httpx2
import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Four."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1000, "output_tokens": 1000, "service_tier": "batch"},
}


def openai_line(number, body=CHAT, status=200, error=None):
    """One line of OpenAI's file of results (or of its file of errors)."""
    response = None if body is None else {"status_code": status, "request_id": f"req-{number}", "body": body}
    return {"id": f"batch_req_{number}", "custom_id": f"mine-{number}", "response": response, "error": error}


def anthropic_line(number, **result):
    """One line of Anthropic's results."""
    return {"custom_id": f"mine-{number}", "result": result}


def read_back(url, *lines, times=1):
    """The records of a file that is read back by a program."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n"
    events = EventList()
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=text.encode()))
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events) as client:
        for _ in range(times):
            assert client.get(url).text == text
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


OPENAI = "https://api.openai.com/v1/files/file-abc/content"
ANTHROPIC = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"


def test_openai_results():
    """Each line is a call with its tokens, at a batch's price, and without a latency nobody knows."""
    embedding = {"object": "list", "data": [], "model": "text-embedding-3-small", "usage": {"prompt_tokens": 5}}
    first, second = read_back(OPENAI, openai_line(1), openai_line(2, embedding))
    assert (first["input_tokens"], first["output_tokens"], first["output_content"]) == (1000, 1000, "Four.")
    assert first["cost_usd"] == pytest.approx(1000 * 0.075e-6 + 1000 * 0.3e-6)
    assert "latency_ms" not in first
    assert "time_to_first_token_ms" not in first
    assert (first["provider_request_id"], first["http_status"], first["success"]) == ("req-1", 200, True)
    assert (second["model_name"], second["input_tokens"]) == ("text-embedding-3-small", 5)


def test_openai_errors():
    """A refused line and one that was never sent are failures with their reasons."""
    refused = {"error": {"type": "invalid_request_error", "message": "No such model", "code": "model_not_found"}}
    expired = {"code": "batch_expired", "message": "The batch expired."}
    first, second = read_back(OPENAI, openai_line("r1", refused, 400), openai_line("r2", None, error=expired))
    assert (first["success"], first["error_type"], first["http_status"]) == (False, "invalid_request_error", 400)
    assert (second["success"], second["error_type"]) == (False, "batch_expired")


def test_anthropic_results():
    """Succeeded, refused, cancelled, expired."""
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens"}}
    records = read_back(
        ANTHROPIC,
        anthropic_line(1, type="succeeded", message=MESSAGE),
        anthropic_line(2, type="errored", error=error),
        anthropic_line(3, type="canceled"),
        anthropic_line(4, type="expired"),
    )
    assert [one.get("error_type") for one in records] == [None, "invalid_request_error", "canceled", "expired"]
    assert (records[0]["total_tokens"], records[0]["model_provider"]) == (2000, "anthropic")
    assert records[0]["cost_usd"] == pytest.approx(1000 * 1.5e-6 + 1000 * 7.5e-6)


def test_read_twice_told_once():
    """The second reading tells nothing new; another process's has the same ids."""
    lines = [openai_line(number, {**CHAT, "id": f"chatcmpl-twice-{number}"}) for number in range(3)]
    records = read_back(OPENAI, *lines, times=2)
    assert len(records) == 3
    assert len({one["message_id"] for one in records}) == 3


def test_other_files_are_no_calls():
    """A file of training data, and one that was uploaded for a batch, hold nothing a model has answered."""
    training = {"messages": [{"role": "user", "content": "Hi"}]}
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o-mini"}}
    before = {name: count for name, count in amplitude_ai.stats().items() if name.startswith("parse_errors")}
    assert read_back(OPENAI, training, asked, "\x00\x01 no JSON") == []
    assert {name: count for name, count in amplitude_ai.stats().items() if name.startswith("parse_errors")} == before


def test_damaged_lines_are_counted():
    """What is whole is told; what is not is counted."""
    before = amplitude_ai.stats().get("parse_errors_BatchLine", 0)
    whole, other = (openai_line(number, {**CHAT, "id": f"chatcmpl-whole-{number}"}) for number in (1, 2))
    assert len(read_back(OPENAI, whole, json.dumps(openai_line(3))[:50], "", other)) == 2
    assert amplitude_ai.stats()["parse_errors_BatchLine"] == before + 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_told(method):
    """Nothing but a GET answers with results."""
    from amplitude_ai.parsers._router import route

    assert route(method, "api.openai.com", "/v1/files/file-abc/content") is None
