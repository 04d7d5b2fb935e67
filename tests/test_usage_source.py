"""Where tokens come from: the provider, or an estimate that was asked for. Unknown ones stay away."""

import sys

import httpx2
import pytest

import amplitude_ai
from amplitude_ai._models import ToolCall, Usage
from amplitude_ai.sessions import _estimate
from amplitude_ai.testing import EventList

from .records import call

tiktoken = pytest.importorskip("tiktoken")
STREAM = (
    b'data: {"id":"1","object":"chat.completion.chunk","model":"gpt-4o-mini",'
    b'"choices":[{"index":0,"delta":{"content":"Four."}}]}\n\n'
    b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
ESTIMATING = amplitude_ai.AIConfig(estimate_usage=True)


@pytest.fixture(autouse=True)
def vocabulary(monkeypatch):
    """A vocabulary that needs no network: one token a byte."""
    ranks = {bytes([value]): value for value in range(256)}
    bytewise = tiktoken.Encoding("bytewise", pat_str=r"[\s\S]", mergeable_ranks=ranks, special_tokens={})
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: bytewise)
    monkeypatch.setattr(tiktoken, "encoding_for_model", lambda model: bytewise)
    _estimate._encoding.cache_clear()
    yield
    _estimate._encoding.cache_clear()


def record(config, answer):
    """The record of one call that is answered so."""
    events = EventList()
    transport = httpx2.MockTransport(lambda request: answer)
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "2+2?"}], "stream": True}
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events, ai_config=config) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=body)
    assert amplitude_ai.flush()
    (found,) = events.of_type("llm_message")
    return found


def stream():
    """A stream without usage."""
    return httpx2.Response(200, content=STREAM, headers={"content-type": "text/event-stream"})


def test_unknown_tokens_stay_away():
    """By default nothing is made up."""
    found = record(None, stream())
    assert not {"input_tokens", "output_tokens", "total_tokens", "usage_source", "cost_usd"} & found.keys()


def test_an_estimate_says_so():
    """The question is 4 bytes and 3 + 3 of the chat's format, the answer 5; so says the cost, too."""
    found = record(ESTIMATING, stream())
    assert (found["input_tokens"], found["output_tokens"], found["usage_source"]) == (10, 5, "estimate")
    assert found["cost_source"] == "estimate"
    assert found["cost_usd"] == pytest.approx(10 * 0.15e-6 + 5 * 0.6e-6)


def test_the_providers_own_count_wins():
    """No estimate replaces a count."""
    answer = {
        "model": "gpt-4o-mini",
        "choices": [{"message": {"content": "Four."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10},
    }
    found = record(ESTIMATING, httpx2.Response(200, json=answer))
    assert (found["input_tokens"], found["output_tokens"], found["usage_source"]) == (8, 2, "provider")


def test_a_failure_is_not_estimated():
    """What was refused was not billed."""
    assert "usage_source" not in record(ESTIMATING, httpx2.Response(429, json={"error": {"message": "slow down"}}))


def test_tool_calls_are_part_of_the_answer():
    """Their names and arguments are what the model wrote."""
    asked = call("Hi", answer=None, usage=Usage(), tool_calls=(ToolCall("add", arguments={"a": 1}),))
    assert _estimate.estimated(asked).usage.output_tokens == len('{"a": 1}add')


@pytest.mark.parametrize("operation", ["embeddings", "image", "audio", "moderation"])
def test_only_text_is_estimated(operation):
    """Other operations are billed by other units."""
    other = call("Hi", usage=Usage(), operation=operation)
    assert _estimate.estimated(other) is other


def test_enormous_texts_are_left_alone():
    """The worker has other things to do; the gap is counted."""
    before = amplitude_ai.stats().get("usage_not_estimated", 0)
    enormous = call("x" * 1_000_001, usage=Usage())
    assert _estimate.estimated(enormous) is enormous
    assert amplitude_ai.stats()["usage_not_estimated"] == before + 1


def test_without_tiktoken(monkeypatch):
    """The call is told without tokens, and the gap is counted."""
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    before = amplitude_ai.stats().get("usage_not_estimated", 0)
    assert "usage_source" not in record(ESTIMATING, stream())
    assert amplitude_ai.stats()["usage_not_estimated"] == before + 1


@pytest.mark.parametrize(
    ("answered", "asked", "name"), [("o3", "gpt-4", "o3"), (None, "gpt-4", "gpt-4"), (None, None, "")]
)
def test_whose_vocabulary(monkeypatch, answered, asked, name):
    """That of the model that answered, else of the one that was asked for."""
    looked_up = []
    found = tiktoken.get_encoding("any")
    monkeypatch.setattr(tiktoken, "encoding_for_model", lambda model: looked_up.append(model) or found)
    _estimate._encoding.cache_clear()
    _estimate.estimated(call("2+2?", model=answered, requested_model=asked, usage=Usage()))
    assert looked_up == [name]
