"""``inject_stream_usage``: streams tell their tokens, and the application sees what it would have seen without."""

import asyncio
import json

import httpx
import httpx2
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

import amplitude_ai
from amplitude_ai._models import Binding
from amplitude_ai._runtime import observer
from amplitude_ai.testing import EventList
from amplitude_ai.transports import _usage_injection
from amplitude_ai.transports._usage_injection import UsageFilter

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}], "stream": True}
CONFIG = amplitude_ai.AIConfig(inject_stream_usage=True)


def contents(lines):
    """The chunks' contents and whether one has usage."""
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return [one["choices"][0]["delta"].get("content") for one in chunks if one["choices"]], [
        one for one in chunks if one.get("usage")
    ]


def by_httpx(library, url, body, told):
    """A sync stream of httpx or httpx2."""
    module = {"httpx": httpx, "httpx2": httpx2}[library]
    client = amplitude_ai.instrumented_httpx(library, **told) if told else module.Client()
    with client, client.stream("POST", url, json=body) as response:
        return list(response.iter_lines())


def by_async_httpx(library, url, body, told):
    """An async one."""

    async def read():
        module = {"httpx": httpx, "httpx2": httpx2}[library]
        client = amplitude_ai.instrumented_async_httpx(library, **told) if told else module.AsyncClient()
        async with client, client.stream("POST", url, json=body) as response:
            return [line async for line in response.aiter_lines()]

    return asyncio.run(read())


def by_requests(_, url, body, told):
    """A stream of requests."""
    with amplitude_ai.instrumented_requests(**told) if told else requests.Session() as session:
        return list(session.post(url, json=body, stream=True, timeout=10).iter_lines(decode_unicode=True))


WAYS = [(by_httpx, "httpx2"), (by_httpx, "httpx"), (by_async_httpx, "httpx2"), (by_requests, "requests")]


@pytest.mark.parametrize(("way", "library"), WAYS)
def test_tokens_without_a_trace(simulator, way, library):
    """The record has tokens; the application's lines hold the same contents and no usage."""
    events = EventList()
    url = f"{simulator.url}/v1/chat/completions"
    watched = contents(way(library, url, BODY, {"amplitude_client": events, "ai_config": CONFIG}))
    bare = contents(way(library, url, BODY, None))
    assert watched == bare
    assert watched[1] == []
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    told = simulator.requests()[0].told
    assert (record["input_tokens"], record["output_tokens"]) == (told.input, told.output)
    assert simulator.requests()[0].json["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    "body",
    [
        {**BODY, "stream_options": {"include_usage": True}},
        {**BODY, "stream_options": {}},
        {**BODY, "stream": False},
    ],
    ids=["asks itself", "asks not to", "no stream"],
)
def test_what_is_left_alone(simulator, body):
    """A request that says itself what it wants is sent as it is, and sees what it asked for."""
    events = EventList()
    lines = by_httpx(
        "httpx2", f"{simulator.url}/v1/chat/completions", body, {"ai_config": CONFIG, "amplitude_client": events}
    )
    assert simulator.requests()[0].json == body
    if body["stream"] and body["stream_options"]:
        assert len(contents(lines)[1]) == 1


@pytest.mark.parametrize("provider", ["api.mistral.ai", "api.writer.com"])
def test_who_tells_unasked_is_not_asked(provider):
    """Some refuse a field they do not know; they send usage anyway."""
    binding = Binding(config=CONFIG)
    assert not _usage_injection.should_inject(observer, binding, "POST", provider, "/v1/chat/completions")
    assert _usage_injection.should_inject(observer, binding, "POST", "api.openai.com", "/v1/chat/completions")


def test_off_by_default(simulator):
    """Nobody's request is changed unasked."""
    by_httpx("httpx2", f"{simulator.url}/v1/chat/completions", BODY, {"amplitude_client": EventList()})
    assert simulator.requests()[0].json == BODY


def test_the_openai_sdk(simulator):
    """The SDK's own stream, to its end."""
    openai = pytest.importorskip("openai")
    events = EventList()
    client = amplitude_ai.get_openai()[0](
        api_key="test", base_url=f"{simulator.url}/v1", amplitude_client=events, ai_config=CONFIG
    )
    chunks = list(client.chat.completions.create(**BODY))
    assert openai
    assert all(chunk.choices for chunk in chunks)
    assert amplitude_ai.flush()
    assert events.of_type("llm_message")[0]["input_tokens"] > 0


EVENTS = [b'data: {"choices":[{"delta":{"content":"a"}}],"usage":null}\n\n', b": ping\n\n", b"data: [DONE]\n\n"]
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n'
#: The same event as servers and proxies dress it up.
USAGES = [
    USAGE,
    b": OPENROUTER PROCESSING\n" + USAGE,
    b"event: message\n" + USAGE,
    b"id: 7\nretry: 3000\n" + USAGE,
    b'data:{"id":"x", "choices": [ ],\ndata: "usage": {"prompt_tokens": 1}}\n\n',
]


@given(
    st.lists(st.integers(1, 9), max_size=60),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(USAGES),
    st.booleans(),
)
def test_any_split(sizes, newline, usage, cut):
    """However the stream is cut, whatever its line ends, all bytes but those of the one event pass, in order."""
    ending = newline.encode()
    stream = b"".join([EVENTS[0], EVENTS[1], usage, EVENTS[2]]).replace(b"\n", ending) + (b"data: cut" if cut else b"")
    chunks, at = [], 0
    for size in [*sizes, len(stream)]:
        chunks.append(stream[at : at + size])
        at += size
    passed = b"".join(UsageFilter().over(iter(chunks)))
    assert passed == stream.replace(usage.replace(b"\n", ending), b"")


@given(st.binary(max_size=200), st.lists(st.integers(1, 9), max_size=60))
def test_any_bytes_pass(data, sizes):
    """What holds no usage passes whole, whatever it is."""
    chunks, at = [], 0
    for size in [*sizes, len(data)]:
        chunks.append(data[at : at + size])
        at += size
    assert b"".join(UsageFilter().over(iter(chunks))) == data


def test_nothing_else_is_held():
    """Whole events pass with the chunk they end in; of a long one all but its first bytes passes as it comes."""
    watched = UsageFilter()
    for event in EVENTS:
        assert watched.feed(event) == event
    assert watched.feed(b'data: {"id":"x","choices":[{"delta":{"content":"') == (
        b'data: {"id":"x","choices":[{"delta":{"content":"'
    )
    assert watched.feed(b"abc") == b"abc"
    assert watched.feed(b'"}}]}\n\n') == b'"}}]}\n\n'
    assert watched.feed(b'data: {"id":') == b""


def test_what_is_held_is_bounded():
    """An event that never says what it is passes once it is longer than usage can be; each byte is read once."""
    watched, held = UsageFilter(), 0
    for _ in range(100):
        watched.feed(b"data: " + b"x" * 1000)
        held = max(held, len(watched._held))
    assert held <= _usage_injection.HELD


def test_large_events_are_read_once(monkeypatch):
    """A stream of one event of 8 MB, in small pieces: the bytes looked at grow with it, not with its square."""
    looked = 0

    class Counting:
        def search(self, data, start):
            nonlocal looked
            looked += len(data) - start
            return

    monkeypatch.setattr(_usage_injection, "_CHOICE", Counting())
    piece = b"x" * 100
    passed = sum(len(part) for part in UsageFilter().over(iter([piece] * 80_000)))
    assert passed == 8_000_000
    assert looked < 2 * _usage_injection.HELD + 200 * _usage_injection._OVERLAP


def test_what_was_held_comes_before_the_error():
    """A connection that breaks inside an event: the application has the bytes that came, then the exception."""

    def breaking():
        yield b'data: {"cho'
        raise OSError("reset")

    stream = UsageFilter().over(breaking())
    assert next(stream) == b'data: {"cho'
    with pytest.raises(OSError, match="reset"):
        next(stream)


async def _lines(session, url, how):
    """A stream's lines, read as ``how`` says."""
    async with session.post(url, **how["request"]) as response:
        content = response.content
        if how["read"] == "lines":
            return [line.decode().rstrip("\n") async for line in content]
        if how["read"] == "text":
            return (await response.text()).split("\n")
        parts = {
            "chunked": lambda: content.iter_chunked(7),
            "any": content.iter_any,
            "chunks": content.iter_chunks,
        }[how["read"]]()
        data = [part[0] if isinstance(part, tuple) else part async for part in parts]
        return b"".join(data).decode().split("\n")


@pytest.mark.parametrize("read", ["lines", "text", "chunked", "any", "chunks"])
@pytest.mark.parametrize("sent", ["json", "bytes", "text"])
def test_aiohttp(simulator, read, sent):
    """The same under aiohttp, however the answer is read and the request was given."""
    aiohttp = pytest.importorskip("aiohttp")
    request = {"json": BODY} if sent == "json" else {"headers": {"content-type": "application/json"}}
    if sent != "json":
        request["data"] = json.dumps(BODY) if sent == "text" else json.dumps(BODY).encode()
    given = json.loads(json.dumps(BODY))
    how = {"read": read, "request": request}
    url = f"{simulator.url}/v1/chat/completions"
    events = EventList()

    async def run(watched):
        async with aiohttp.ClientSession() as session:
            if watched:
                amplitude_ai.instrument(session, amplitude_client=events, ai_config=CONFIG)
            return contents(await _lines(session, url, how))

    watched, bare = asyncio.run(run(True)), asyncio.run(run(False))
    assert watched[0] == bare[0]
    assert watched[1] == []
    assert given == BODY
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    told = simulator.requests()[0].told
    assert (record["input_tokens"], record["output_tokens"]) == (told.input, told.output)
    assert simulator.requests()[0].json["stream_options"] == {"include_usage": True}
    assert "stream_options" not in simulator.requests()[1].json


def test_a_stream_that_begins_with_a_mark():
    """The byte-order mark before the first event hides nothing of it; alone it passes."""
    mark = "\ufeff".encode()
    usage = b'data: {"id":"x","choices":[],"usage":{"prompt_tokens":7}}\n\n'
    assert b"".join(UsageFilter().over(iter([mark + usage, EVENTS[0]]))) == EVENTS[0]
    assert b"".join(UsageFilter().over(iter([mark + EVENTS[0], usage]))) == mark + EVENTS[0]
    assert b"".join(UsageFilter().over(iter([mark]))) == mark
