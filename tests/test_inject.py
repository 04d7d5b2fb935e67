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
from amplitude_ai.testing import EventList
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


@given(st.lists(st.integers(1, 9), max_size=60), st.sampled_from(["\n", "\r\n"]))
def test_any_split(sizes, newline):
    """However the stream is cut, all bytes but those of the one event pass, in order."""
    ending = newline.encode()
    stream = b"".join([EVENTS[0], EVENTS[1], USAGE, EVENTS[2]]).replace(b"\n", ending) + b"data: cut"
    chunks, at = [], 0
    for size in [*sizes, len(stream)]:
        chunks.append(stream[at : at + size])
        at += size
    passed = b"".join(UsageFilter().over(iter(chunks)))
    assert passed == stream.replace(USAGE.replace(b"\n", ending), b"")
