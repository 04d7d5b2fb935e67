"""The fence: each function of ours is made to raise in turn. The application's call never notices; a counter does.

Everything runs on the calling thread here (``async_event_emission=False``), where a trace function can raise inside
whatever function is entered. Functions that the HTTP library calls itself are the fence's outside: what they call is
tried, they are not.
"""

import asyncio
import gc
import http.client
import json
import socket
import sys
import warnings
from pathlib import Path

import httpx
import httpx2
import pytest
import requests
import responses

import amplitude_ai
from amplitude_ai import _guard
from amplitude_ai.testing import EventList

OURS = str(Path(amplitude_ai.__file__).parent)
#: The fence itself; and what stands for the application here.
OUTSIDE = ("_guard.py", "testing.py")
#: The gates in the fence, which streams and transports call. Their whole bodies are fences, so what can raise is what
#: they call, which is tried; the entering of a function cannot.
GATES = {
    "open_capture",
    "Everyone.open",
    "AmplitudeAdapter.lend",
    "_take_back",
    "send_watched",
    "send_watched_async",
    "attach",
    "end_client",
    "_open",
    "_attach",
    "RawTee._decodes",
    "_of",
    "Sent.send",
    "Sent.getresponse",
    "Sent.close",
    "_reading.<locals>.read",
    "_Body.close",
    "Sent.begun",
    "Sent.failed",
    "Sent._attach",
    "Capture.feed",
    "Capture.ask",
    "Capture.finish",
    "Capture.__del__",
    "Capture.finished",
}
URL = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Add 1 and 2"}]}
PLAIN = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "Adding.",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
            },
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}
STREAM = [
    b'data: {"id":"1","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"Three"}}]}\n\n',
    b'data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n',
    b"data: [DONE]\n\n",
]
CONFIG = amplitude_ai.AIConfig(async_event_emission=False, redact_pii=True)


class Chunks(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """The stream, in pieces."""

    def __iter__(self):
        yield from STREAM

    async def __aiter__(self):
        for chunk in STREAM:
            yield chunk


class LegacyChunks(httpx.SyncByteStream):
    """The same of the other library."""

    def __iter__(self):
        yield from STREAM


def answer(library, stream):
    """An answer of a library's mock transport."""
    if not stream:
        return library.Response(200, json=PLAIN)
    chunks = Chunks() if library is httpx2 else LegacyChunks()
    return library.Response(200, stream=chunks, headers={"content-type": "text/event-stream"})


def by_client(library, stream, events):
    """A sync client."""
    transport = library.MockTransport(lambda request: answer(library, stream))
    client = amplitude_ai.instrumented_httpx(
        library.__name__, transport=transport, amplitude_client=events, ai_config=CONFIG, user_id="user123"
    )

    def call():
        with client.stream("POST", URL, json=BODY) as response:
            return response.status_code, b"".join(response.iter_bytes())

    return call


def by_async_client(library, stream, events):
    """An async one."""
    transport = library.MockTransport(lambda request: answer(library, stream))

    client = amplitude_ai.instrumented_async_httpx(
        library.__name__, transport=transport, amplitude_client=events, ai_config=CONFIG
    )

    def call():
        async def main():
            async with client.stream("POST", URL, json=BODY) as response:
                return response.status_code, b"".join([chunk async for chunk in response.aiter_bytes()])

        return asyncio.run(main())

    return call


def by_requests(_, stream, events):
    """requests."""
    session = amplitude_ai.instrumented_requests(amplitude_client=events, ai_config=CONFIG)

    def call():
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            body = {"body": b"".join(STREAM), "content_type": "text/event-stream"} if stream else {"json": PLAIN}
            mock.post(URL, **body)
            response = session.post(URL, json=BODY, stream=stream)
            return response.status_code, b"".join(response.iter_content(16))

    return call


def by_http_client(_, stream, events):
    """The standard library's, over a pair of sockets."""
    amplitude_ai.install_transport(amplitude_client=events, ai_config=CONFIG)
    body = b"".join(STREAM) if stream else json.dumps(PLAIN).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"

    def call():
        connection = http.client.HTTPConnection("api.openai.com")
        connection.sock, provider = socket.socketpair()
        provider.sendall(head.encode() + body)
        asked = json.dumps(BODY).encode()
        connection.request("POST", "/v1/chat/completions", iter([asked]) if stream else asked)
        response = connection.getresponse()
        got = response.status, b"".join(response)
        assert asked in provider.recv(65536)
        connection.close()
        provider.close()
        return got

    return call


@pytest.fixture(autouse=True)
def uninstalled():
    """For the way that has no client of its own."""
    yield
    amplitude_ai.uninstall_transport()


WAYS = [
    (by_client, httpx2, False),
    (by_client, httpx2, True),
    (by_client, httpx, True),
    (by_async_client, httpx2, True),
    (by_requests, requests, False),
    (by_requests, requests, True),
    (by_http_client, http.client, False),
    (by_http_client, http.client, True),
]


def ours(frame):
    """Whether a frame is in our package, behind the fence."""
    name = frame.f_code.co_filename
    return name.startswith(OURS) and not name.endswith(OUTSIDE)


def reached(call):
    """The functions of ours that a call enters from another of ours."""
    found = {}

    def trace(frame, event, arg):
        if event == "call" and ours(frame) and frame.f_back is not None and ours(frame.f_back):
            found[frame.f_code] = None

    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(None)
    return list(found)


class Injected(Exception):
    """The fault."""


def failing(call, code, kind=Injected):
    """The outcome of a call in which one function raises when it is entered first; and whether it was."""
    hits = []

    def trace(frame, event, arg):
        if not hits and event == "call" and frame.f_code is code:
            hits.append(code)
            raise kind(code.co_qualname)

    sys.settrace(trace)
    try:
        return call(), bool(hits)
    finally:
        sys.settrace(None)


def complaints():
    """All counters that tell of something that went wrong."""
    counters = _guard.counters()
    return sum(
        number
        for name, number in counters.items()
        if name.startswith(
            ("internal_errors", "dropped", "parse_errors", "usage_not", "spool_errors", "surroundings_unknown")
        )
    )


@pytest.mark.swallows
@pytest.mark.parametrize(("way", "library", "stream"), WAYS)
def test_no_fault_of_ours_reaches_the_call(way, library, stream):
    """Same status, same bytes, no exception; and a counter knows."""
    events = EventList()
    call = way(library, stream, events)
    expected = call()
    functions = [code for code in reached(call) if code.co_qualname not in GATES]
    assert len(functions) > 150
    silent, broken = [], []
    for code in functions:
        name = f"{Path(code.co_filename).name}:{code.co_qualname}"
        before = complaints()
        try:
            outcome, hit = failing(call, code)
        except BaseException as exc:
            broken.append(f"{name}: {type(exc).__name__}")
            continue
        assert outcome == expected, name
        if hit and complaints() == before:
            silent.append(name)
    print(f"{len(functions)} functions, {len(broken)} reached the call, {len(silent)} were not counted")
    assert not broken
    assert not silent
    assert not amplitude_ai.flush()  # events were lost, and it says so
    assert amplitude_ai.flush()  # once: nothing is waited for that nobody will answer for


@pytest.mark.swallows
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, asyncio.CancelledError])
@pytest.mark.parametrize(("way", "library", "stream"), WAYS)
def test_an_interrupt_in_our_code_is_the_applications(way, library, stream, kind):
    """Ctrl-C, a cancellation, an exit: it passes as it is or is counted; nothing stays locked, the next call works."""
    events = EventList()
    call = way(library, stream, events)
    expected = call()
    for code in reached(call):
        if code.co_qualname in GATES:
            continue
        name = f"{Path(code.co_filename).name}:{code.co_qualname}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outcome, _ = failing(call, code, kind)
            except kind:
                outcome = expected
        assert outcome == expected, name
        gc.collect(1)  # a call that was interrupted may be recorded only now
        before = len(events.of_type("llm_message"))
        assert call() == expected, name
        assert len(events.of_type("llm_message")) == before + 1, name
    amplitude_ai.flush(5)
    assert amplitude_ai.flush(5)
