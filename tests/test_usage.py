"""Counts that are told more than once, in part, or not at all; and what was not billed."""

import json

import hishel
import hishel.httpx
import hishel.requests
import httpx
import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

import amplitude_ai
from amplitude_ai._config import AIConfig
from amplitude_ai.parsers._read import read
from amplitude_ai.parsers._usage import Group, later
from amplitude_ai.sessions._pricing import price
from amplitude_ai.testing import EventList

from .fixtures._wire import Example

CHAT = "https://api.openai.com/v1/chat/completions"
CLAUDE = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
RESPONSES = "https://api.openai.com/v1/responses"


def stream(url, events, model="m", **options):
    """The call a stream of events is read as."""
    body = {"model": model, "stream": True}
    return read(Example("x", url, body, events, {}, kind="sse", **options).exchange())


def chat(*usages):
    """A chat stream with those usages, one a chunk."""
    chunks = [{"model": "gpt-4o", "choices": [], "usage": usage} for usage in usages]
    piece = {"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    return stream(CHAT, [piece, *chunks, "[DONE]"])


def counts(call):
    """Input and output."""
    return call.usage.input_tokens, call.usage.output_tokens


FULL = {
    "prompt_tokens": 115,
    "completion_tokens": 9,
    "total_tokens": 124,
    "prompt_tokens_details": {"cached_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 4},
}
LATER = [
    None,
    {},
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"prompt_tokens": None, "completion_tokens": None},
    {"completion_tokens": 9},
    {"prompt_tokens": 3},
    {"completion_tokens": 2, "prompt_tokens": 115},
    {**FULL, "prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": 0}},
]


@pytest.mark.parametrize("snapshot", LATER, ids=repr)
def test_openai(snapshot):
    """A later snapshot of zeros, nulls or parts takes nothing away."""
    call = chat(FULL, snapshot)
    assert counts(call) == (115, 9)
    assert (call.usage.cached_input_tokens, call.usage.reasoning_tokens, call.usage.total) == (100, 4, 124)


def test_openai_grows():
    """Counts that grow from chunk to chunk: the last word counts."""
    assert counts(chat(*({"prompt_tokens": 5, "completion_tokens": n, "total_tokens": 5 + n} for n in (1, 2, 7)))) == (
        5,
        7,
    )


@pytest.mark.parametrize("snapshot", [None, {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}], ids=repr)
def test_responses(snapshot):
    """The same of a response that is told twice."""
    usage = {"input_tokens": 115, "output_tokens": 9, "total_tokens": 124}
    told = [
        ("response.completed", {"type": "response.completed", "response": {"usage": one}}) for one in (usage, snapshot)
    ]
    assert counts(stream(RESPONSES, told)) == (115, 9)


def claude(*deltas, start=None, end=True):
    """A Claude stream with these usages of ``message_delta``."""
    usage = start or {"input_tokens": 15, "cache_read_input_tokens": 100, "output_tokens": 1}
    events = [
        {"type": "message_start", "message": {"model": "claude-sonnet-4-5", "content": [], "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}},
        *({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": delta} for delta in deltas),
        *([{"type": "message_stop"}] if end else []),
    ]
    return stream(CLAUDE, [(event["type"], event) for event in events], model="claude-sonnet-4-5")


@pytest.mark.parametrize(
    "delta",
    [
        {"output_tokens": 9},
        {"output_tokens": 9, "input_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
        {"output_tokens": 9, "input_tokens": 0},
        {"output_tokens": 9, "input_tokens": None, "cache_read_input_tokens": None},
        {"output_tokens": 9, "input_tokens": 15, "cache_read_input_tokens": 100},
        {"output_tokens": 9, "cache_read_input_tokens": 100},
    ],
    ids=repr,
)
def test_claude(delta):
    """What ``message_start`` told stays, unless more is told."""
    call = claude(delta)
    assert (*counts(call), call.usage.cached_input_tokens, call.usage_complete) == (115, 9, 100, None)


def test_claude_falls_to_nothing():
    """Two deltas, the second of zeros."""
    assert counts(claude({"output_tokens": 9}, {"output_tokens": 0, "input_tokens": 0})) == (115, 9)


def test_claude_aborted():
    """The count of ``message_start`` is not the output: it is not told, nor is a cost."""
    call = claude(end=False)
    assert (*counts(call), call.usage_complete) == (115, None, False)
    assert price(call, None, AIConfig()) == (None, None)


def gemini(*usages, finish=True):
    """A Gemini stream with those usages."""
    text = {"content": {"parts": [{"text": "Hi"}]}}
    chunks = [{"candidates": [text], "usageMetadata": usage} for usage in usages]
    if finish:
        chunks[-1]["candidates"] = [{**text, "finishReason": "STOP"}]
    return stream(GEMINI, chunks)


def test_gemini_with_grounding():
    """A figure is one that the server sent together: 78 thoughts of the last word, not 21 + 78 of two."""
    call = gemini(
        {"promptTokenCount": 87, "candidatesTokenCount": 21, "totalTokenCount": 108},
        {"promptTokenCount": 87, "thoughtsTokenCount": 78, "totalTokenCount": 165},
    )
    assert (*counts(call), call.usage.total, call.usage.reasoning_tokens) == (87, 78, 165, 78)


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {"promptTokenCount": 0, "candidatesTokenCount": 0, "thoughtsTokenCount": 0, "totalTokenCount": 0},
        {"promptTokenCount": 87, "totalTokenCount": 87},
        {"prompt_token_count": 87, "candidates_token_count": 0},
        {"candidatesTokenCount": 5},
    ],
    ids=repr,
)
def test_gemini_falls(snapshot):
    """Zeros and parts take nothing away, in either spelling."""
    whole = {"promptTokenCount": 87, "candidatesTokenCount": 21, "thoughtsTokenCount": 70, "totalTokenCount": 178}
    assert counts(gemini(whole, snapshot)) == (87, 91)


def test_gemini_corrects_its_estimate():
    """The prompt's count of the first chunks is an estimate; the last chunk, which is whole, has the last word."""
    call = gemini(
        {"promptTokenCount": 78, "totalTokenCount": 78},
        {"promptTokenCount": 33, "candidatesTokenCount": 12, "totalTokenCount": 45},
    )
    assert (*counts(call), call.usage.total) == (33, 12, 45)


def test_gemini_aborted():
    """What was written by then is not what was billed."""
    call = gemini({"promptTokenCount": 87, "candidatesTokenCount": 2, "totalTokenCount": 89}, finish=False)
    assert (*counts(call), call.usage_complete) == (87, 2, False)
    assert price(call, None, AIConfig()) == (None, None)


NUMBERS = st.none() | st.integers(0, 50)
SNAPSHOTS = st.lists(st.fixed_dictionaries({}, optional={"in": NUMBERS, "a": NUMBERS, "b": NUMBERS}), max_size=6)
GROUPS = (Group(("in",)), Group(("a", "b"), grows=True))


@given(SNAPSHOTS)
def test_what_was_written_never_falls_and_was_sent(snapshots):
    """After any snapshots the written sum is the greatest that one of them had; what was read, one that was sent."""
    usage = {}
    for snapshot in snapshots:
        usage = later(usage, snapshot, GROUPS)
    sums = [sum(v for v in (one.get("a"), one.get("b")) if v is not None) for one in snapshots]
    told = [one for one in snapshots if one.get("a") is not None or one.get("b") is not None]
    if told:
        assert (usage.get("a") or 0) + (usage.get("b") or 0) == max(sums)
    if any(one.get("in") for one in snapshots):
        assert usage["in"] in {one.get("in") for one in snapshots} - {0, None}


def test_what_belongs_to_a_sum_alone():
    """A snapshot may tell of its parts and not of the sum: they grow, and the sum stays."""
    groups = (Group(("input", "cached"), ("details", "other")),)
    known = {"input": 5, "details": {"audio": 1}, "other": 2}
    assert later(known, {"details": {"audio": 3}}, groups) == {**known, "details": {"audio": 3}}
    assert later(known, {"details": {"audio": 0}}, groups) == known


def test_an_unread_answer_says_nothing_of_tools():
    """No tool calls in an answer that could not be parsed is not 0 tool calls."""
    (record,) = recorded(httpx.Response(200, content=b'{"choices": [', headers={"content-type": "application/json"}))
    assert "tool_call_count" not in record


ANSWER = {
    "model": "gpt-4o",
    "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}


def recorded(*answers, headers=None):
    """The records of chats that are answered so."""
    events = EventList()
    given = iter(answers or [httpx.Response(200, json=ANSWER, headers=headers)])
    transport = httpx.MockTransport(lambda request: next(given))
    with amplitude_ai.instrumented_httpx(library="httpx", transport=transport, amplitude_client=events) as client:
        for _ in range(len(answers) or 1):
            client.post(CHAT, json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


@pytest.mark.parametrize(
    ("name", "value", "cached"),
    [
        ("helicone-cache", "HIT", True),
        ("cf-aig-cache-status", "HIT", True),
        ("x-portkey-cache-status", "HIT", True),
        ("x-portkey-cache-status", "SEMANTIC HIT", True),
        ("x-openrouter-cache-status", "HIT", True),
        ("helicone-cache", "MISS", None),
        ("cf-aig-cache-status", "MISS", None),
        ("x-portkey-cache-status", "DISABLED", None),
    ],
)
def test_gateways_caches(name, value, cached):
    """A hit is a record with its tokens and without a cost."""
    (record,) = recorded(headers={name: value})
    assert (record.get("cached_response"), "cost_usd" in record, record["total_tokens"]) == (cached, not cached, 15)


@pytest.mark.parametrize(("value", "cost"), [("0.25", 0.25), ("None", None), ("0.0", None), ("nan", None)])
def test_litellms_cost(value, cost):
    """LiteLLM's proxy says what a call cost; without a figure the price table does."""
    (record,) = recorded(headers={"x-litellm-response-cost": value})
    if cost is None:
        assert record["cost_source"] == "genai-prices"
    else:
        assert (record["cost_usd"], record["cost_source"]) == (cost, "provider")


def test_hishel(tmp_path, monkeypatch):
    """A caching transport answers the second call: no network, no cost."""
    monkeypatch.setattr(hishel.httpx._sync, "CACHEABLE_METHODS", {"POST"})
    sent = []

    def answer(request):
        sent.append(request)
        return httpx.Response(200, json=ANSWER)

    storage = hishel.SqliteStorage(database_path=tmp_path / "cache.db")
    inner = hishel.httpx.CacheTransport(httpx.MockTransport(answer), storage)
    events = EventList()
    with amplitude_ai.instrumented_httpx(library="httpx", transport=inner, amplitude_client=events) as client:
        for _ in range(2):
            client.post(CHAT, json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
    assert amplitude_ai.flush()
    records = events.of_type("llm_message")
    assert len(sent) == 1
    assert [(one.get("cached_response"), "cost_usd" in one) for one in records] == [(None, True), (True, False)]


def test_hishel_for_requests(tmp_path, monkeypatch):
    """Its adapter says so in a header."""
    monkeypatch.setattr(hishel.requests._adapter, "CACHEABLE_METHODS", {"POST"})
    events = EventList()
    with requests.Session() as session, responses.RequestsMock() as mock:
        mock.post(CHAT, json=ANSWER)
        session.mount(
            "https://", hishel.requests.CacheAdapter(storage=hishel.SqliteStorage(database_path=tmp_path / "cache.db"))
        )
        amplitude_ai.instrument(session, amplitude_client=events)
        for _ in range(2):
            session.post(CHAT, json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
        assert len(mock.calls) == 1
    assert amplitude_ai.flush()
    records = events.of_type("llm_message")
    assert [(one.get("cached_response"), "cost_usd" in one) for one in records] == [(None, True), (True, False)]


@pytest.mark.parametrize("name", ["hishel_from_cache", "from_cache"])
@pytest.mark.parametrize("hit", [True, False])
def test_older_hishels(name, hit):
    """They say it in the response's extensions."""
    (record,) = recorded(httpx.Response(200, json=ANSWER, extensions={name: hit}))
    assert record.get("cached_response") is (True if hit else None)


class _Answering(requests.adapters.HTTPAdapter):
    """An adapter whose response says it came out of a cache, as CacheControl's and requests-cache's do."""

    def send(self, request, **kwargs):
        response = requests.Response()
        response.status_code = 200
        response.headers["content-type"] = "application/json"
        response._content, response._content_consumed = json.dumps(ANSWER).encode(), True
        response.request, response.url = request, request.url
        response.from_cache = True
        return response


def test_requests_caches():
    """CacheControl sets ``from_cache`` on each of its responses."""
    events = EventList()
    session = requests.Session()
    session.mount("https://", _Answering())
    amplitude_ai.instrument(session, amplitude_client=events)
    session.post(CHAT, json={"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]})
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    assert record["cached_response"] is True
    assert "cost_usd" not in record


def test_a_cut_usage_chunk():
    """Of a cut Claude stream whose ``message_delta`` came, the counts are whole."""
    call = claude({"output_tokens": 9}, end=False)
    assert (*counts(call), call.usage_complete) == (115, 9, None)
