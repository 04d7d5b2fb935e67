"""The watching transports, over in-memory inner transports where the very objects can be compared."""

import asyncio
import gc
import io
import json
from typing import ClassVar

import httpx
import httpx2
import pytest

import amplitude_ai
from amplitude_ai import _runtime, _worker
from amplitude_ai._models import Binding, Outcome, Scope
from amplitude_ai.transports import httpx as leaf_httpx
from amplitude_ai.transports import httpx2 as leaf_httpx2
from amplitude_ai.transports._capture import Capture
from amplitude_ai.transports._usage_injection import UsageFilter
from amplitude_ai.transports._watch import Observer

URL = "https://api.openai.com/v1/chat/completions"
LIBRARIES = [(httpx, leaf_httpx), (httpx2, leaf_httpx2)]
CHUNKS = [b"one" * 9, b"two" * 9, b"three" * 9]


class Watch:
    """An observer that keeps what it is given."""

    def __init__(self, watched=True):
        self.captures = []
        self.closed = []
        self.said = []
        self.observer = Observer(
            sink=self.captures.append,
            watches=lambda method, host, path, explicit: watched,
            snapshot=self.snapshot,
            client_closed=self.closed.append,
        )

    def snapshot(self, binding, headers):
        self.said.append(dict(headers))
        return Scope(binding)

    @property
    def exchange(self):
        (capture,) = self.captures
        return capture.exchange()


@pytest.fixture(params=LIBRARIES, ids=["httpx", "httpx2"])
def lib(request):
    return request.param


def stream_class(module, chunks, error=None):
    class Stream(module.SyncByteStream, module.AsyncByteStream):
        closed = 0

        def __iter__(self):
            yield from chunks
            if error:
                raise error

        async def __aiter__(self):
            for chunk in chunks:
                yield chunk
            if error:
                raise error

        def close(self):
            self.closed += 1

        async def aclose(self):
            self.closed += 1

    return Stream()


def inner(module, respond):
    class Inner(module.BaseTransport, module.AsyncBaseTransport):
        closed = False
        requests: ClassVar[list] = []
        color = "blue"

        def handle_request(self, request):
            self.requests.append(request)
            return respond(request)

        async def handle_async_request(self, request):
            self.requests.append(request)
            return respond(request)

        def close(self):
            self.closed = True

    return Inner()


def watched(lib, respond, **kwargs):
    module, leaf = lib
    watch = Watch(**kwargs)
    transport = leaf.AmplitudeTransport(inner(module, respond), watch.observer, Binding(explicit=True))
    return watch, transport


def test_the_application_gets_the_very_chunks_of_the_network(lib):
    """Nothing is queued or copied: each chunk is the object the inner transport yielded."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS)))
    request = module.Request("POST", URL, json={"a": 1})
    response = transport.handle_request(request)
    got = list(response.stream)
    assert all(mine is theirs for mine, theirs in zip(got, CHUNKS, strict=True))
    assert watch.exchange.outcome is Outcome.EXHAUSTED
    assert watch.exchange.status == 200
    assert watch.exchange.request_body == request.content
    assert json.loads(watch.exchange.request_body) == {"a": 1}
    assert watch.exchange.response_chunks == tuple(CHUNKS)
    assert len(watch.exchange.chunk_times_ns) == 3


async def test_async_the_same(lib):
    """The other colour behaves the same, and a second iteration (openai drains) adds no second record."""
    module, leaf = lib
    watch = Watch()
    transport = leaf.AsyncAmplitudeTransport(
        inner(module, lambda r: module.Response(200, stream=stream_class(module, CHUNKS))), watch.observer, Binding()
    )
    response = await transport.handle_async_request(module.Request("POST", URL, json={}))
    got = [chunk async for chunk in response.stream]
    [chunk async for chunk in response.stream]
    await response.stream.aclose()
    assert all(mine is theirs for mine, theirs in zip(got, CHUNKS, strict=True))
    assert len(watch.captures) == 1


def test_an_unwatched_request_gets_the_untouched_response(lib):
    """No tee at all where there is nothing to watch; our headers are removed all the same."""
    module, _ = lib
    stream = stream_class(module, CHUNKS)
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream), watched=False)
    request = module.Request("POST", URL, headers={"X-Amplitude-User-Id": "u"})
    response = transport.handle_request(request)
    assert response.stream is stream
    assert watch.captures == []
    assert "x-amplitude-user-id" not in request.headers


def test_our_headers_are_read_and_removed_before_the_wire(lib):
    """``X-Amplitude-*`` reaches the context, never the server; a redirected copy keeps what was said."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS)))
    request = module.Request(
        "POST", URL, headers={"X-Amplitude-User-Id": "user1", "Authorization": "Bearer k"}, json={}
    )
    transport.handle_request(request)
    sent = transport._inner.requests[-1]
    assert sent is request
    assert not [name for name in sent.headers if name.startswith("x-amplitude")]
    assert sent.headers["authorization"] == "Bearer k"
    assert watch.said[-1] == {"x-amplitude-user-id": "user1"}
    transport.handle_request(module.Request("POST", URL, extensions=request.extensions))
    assert watch.said[-1] == {"x-amplitude-user-id": "user1"}


def test_a_header_of_ours_may_hold_any_bytes(lib):
    """What is no UTF-8 is read as far as it goes, and the call is made and recorded."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS)))
    request = module.Request("POST", URL, headers=[(b"X-Amplitude-User-Id", b"ann\xff")], json={})
    assert b"".join(transport.handle_request(request).stream) == b"".join(CHUNKS)
    assert watch.said[-1] == {"x-amplitude-user-id": "ann\ufffd"}
    assert "x-amplitude-user-id" not in transport._inner.requests[-1].headers


def test_no_request_header_is_kept_but_the_allowed(lib):
    """Authorization, cookies and keys are nowhere in the exchange."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS)))
    headers = {
        "Authorization": "Bearer CANARY",
        "Cookie": "CANARY",
        "x-api-key": "CANARY",
        "x-stainless-retry-count": "1",
    }
    list(transport.handle_request(module.Request("POST", URL, headers=headers, json={})).stream)
    assert "CANARY" not in repr(watch.exchange)
    assert watch.exchange.request_headers["x-stainless-retry-count"] == "1"


def test_an_error_of_the_transport_is_recorded_and_passes_unchanged(lib):
    """The very exception object goes on to the application."""
    module, _ = lib
    error = module.ConnectError("refused")

    def respond(request):
        raise error

    watch, transport = watched(lib, respond)
    with pytest.raises(module.ConnectError) as caught:
        transport.handle_request(module.Request("POST", URL, json={}))
    assert caught.value is error
    assert watch.exchange.outcome is Outcome.ERROR
    assert (watch.exchange.error.type, watch.exchange.error.message) == ("ConnectError", "refused")
    assert watch.exchange.status is None


def test_an_error_in_the_stream_is_recorded_and_passes_unchanged(lib):
    """A cut body leaves what was seen and the exception's type."""
    module, _ = lib
    error = module.RemoteProtocolError("cut")
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS, error)))
    with pytest.raises(module.RemoteProtocolError) as caught:
        list(transport.handle_request(module.Request("POST", URL, json={})).stream)
    assert caught.value is error
    assert watch.exchange.error.type == "RemoteProtocolError"
    assert watch.exchange.response_chunks == tuple(CHUNKS)


def test_close_before_the_end_finishes_and_closes_the_inner_stream(lib):
    """A reader that stops early leaves one record of what it read."""
    module, _ = lib
    stream = stream_class(module, CHUNKS)
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream))
    response = transport.handle_request(module.Request("POST", URL, json={}))
    iterator = iter(response.stream)
    next(iterator)
    response.close()
    assert stream.closed == 1
    assert watch.exchange.outcome is Outcome.CLOSED
    assert watch.exchange.response_chunks == (CHUNKS[0],)


def test_an_abandoned_stream_is_recorded_when_it_is_collected(lib):
    """Nobody closes, nobody reads on: garbage collection finishes the record."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, stream=stream_class(module, CHUNKS)))
    response = transport.handle_request(module.Request("POST", URL, json={}))
    assert watch.captures == []
    del response
    gc.collect()
    assert watch.exchange.outcome is Outcome.ABANDONED


async def test_cancellation_passes_and_is_told(lib):
    """A task cancelled while it reads leaves a record that says so."""
    module, leaf = lib
    started = asyncio.Event()

    class Hanging(module.AsyncByteStream):
        async def __aiter__(self):
            yield b"x"
            started.set()
            await asyncio.sleep(60)

    watch = Watch()
    transport = leaf.AsyncAmplitudeTransport(
        inner(module, lambda r: module.Response(200, stream=Hanging())), watch.observer, Binding()
    )

    async def read():
        response = await transport.handle_async_request(module.Request("POST", URL, json={}))
        async for _ in response.stream:
            pass

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watch.exchange.outcome is Outcome.CANCELLED
    assert watch.exchange.error.type == "CancelledError"


def test_a_body_already_in_memory_is_taken_at_once(lib):
    """Mock and caching transports answer with content: no stream is ever read."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, json={"id": "x"}))
    response = transport.handle_request(module.Request("POST", URL, json={}))
    assert response.json() == {"id": "x"}
    assert b"".join(watch.exchange.response_chunks) == response.content


@pytest.mark.swallows
def test_a_failing_recorder_leaves_the_call_alone(lib):
    """Whatever of ours breaks, the application gets its answer and a counter rises."""
    from amplitude_ai import _guard

    module, leaf = lib

    def broken(*args):
        raise RuntimeError("boom")

    observer = Observer(sink=broken, watches=broken, snapshot=broken, client_closed=broken)
    stream = stream_class(module, CHUNKS)
    transport = leaf.AmplitudeTransport(
        inner(module, lambda r: module.Response(200, stream=stream)), observer, Binding()
    )
    before = _guard.counted("internal_errors")
    response = transport.handle_request(module.Request("POST", URL, json={}))
    assert list(response.stream) == CHUNKS
    transport.close()
    assert _guard.counted("internal_errors") == before + 2


def test_a_nested_client_is_the_same_call(lib):
    """A transport that itself uses a watched transport gives one record."""
    module, leaf = lib
    watch = Watch()
    innermost = leaf.AmplitudeTransport(
        inner(module, lambda r: module.Response(200, stream=stream_class(module, CHUNKS))), watch.observer, Binding()
    )
    outer = leaf.AmplitudeTransport(innermost, watch.observer, Binding())
    list(outer.handle_request(module.Request("POST", URL, json={})).stream)
    assert len(watch.captures) == 1


def test_the_inner_transport_is_entered_closed_and_reachable(lib):
    """Custom attributes stay reachable, closing closes, and the client's end is told."""
    module, _ = lib
    watch, transport = watched(lib, lambda r: module.Response(200, content=b""))
    assert transport.color == "blue"
    with transport:
        pass
    assert transport._inner.closed
    assert len(watch.closed) == 1


def test_a_response_that_is_kept_keeps_no_bytes_of_ours(lib, monkeypatch):
    """A program that collects them would hold each body twice. What does not fit into the queue is let go too."""
    module, _ = lib
    for most in (_worker.MAX_ITEMS, 0):
        monkeypatch.setattr(_runtime.runtime.worker, "_max_items", most)
        # Of other tests, held by who knows whom.
        earlier = [one for one in gc.get_objects() if type(one) is Capture]
        transport = module.MockTransport(lambda _: module.Response(200, stream=stream_class(module, CHUNKS)))
        with amplitude_ai.instrumented_httpx(
            library=module.__name__, transport=transport, amplitude_client=amplitude_ai.testing.EventList()
        ) as client:
            response = client.post(URL, json={})
            assert amplitude_ai.flush()
            captures = [one for one in gc.get_objects() if type(one) is Capture and one not in earlier]
            assert response.content == b"".join(CHUNKS)
            assert captures
            assert not any(one._chunks or one.request_body for one in captures)


def bodies(module):
    """Streams that have a ``_stream`` of their own: bytes, an iterator, a file, a transport's own."""

    class Own(module.SyncByteStream):
        def __init__(self):
            self._stream = iter([b"{", b"}"])

        def __iter__(self):
            while (chunk := next(self._stream, None)) is not None:
                yield chunk

    return [
        module.ByteStream(b"{}"),
        module._content.IteratorByteStream(iter([b"{}"])),
        module._content.IteratorByteStream(io.BytesIO(b"{}")),
        Own(),
    ]


@pytest.mark.parametrize("how", ["given", "adopted", "hooked"])
@pytest.mark.parametrize("number", range(4))
def test_a_stream_of_a_transports_own_is_never_opened(lib, how, number):
    """respx and others answer with such: the stand-in goes around it, and nothing of it is touched."""
    module, _ = lib
    transport = module.MockTransport(lambda _: module.Response(200, stream=bodies(module)[number]))
    events = amplitude_ai.testing.EventList()
    if how == "given":
        client = amplitude_ai.instrumented_httpx(
            library=module.__name__, transport=transport, amplitude_client=events, user_id="ann"
        )
    else:
        client = module.Client(transport=transport)
        if how == "adopted":
            amplitude_ai.instrument(client, amplitude_client=events, user_id="ann")
        else:
            amplitude_ai.install_transport(amplitude_client=events, user_id="ann")
    try:
        with client:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
            assert client.post(URL, json=body).content == b"{}"
        assert amplitude_ai.flush()
        assert len(events.of_type("llm_message")) == 1
    finally:
        amplitude_ai.uninstall_transport()


@pytest.mark.parametrize("asks_for_usage", [False, True])
def test_a_stream_that_is_read_again(lib, asks_for_usage):
    """What it was has been told: the second reader gets all, and nothing is told, nor kept, twice."""
    module, leaf = lib
    watch = Watch()
    captures = []
    for kind, read in ((leaf._Stream, list), (leaf._AsyncStream, read_async)):
        capture = Capture(watch.observer.sink, Scope(Binding()), "POST", URL, ((), ()), b"{}")
        capture.usage_filter = UsageFilter() if asks_for_usage else None
        captures.append(capture)
        stream = kind(stream_class(module, CHUNKS), capture)
        assert b"".join(read(stream)) == b"".join(read(stream)) == b"".join(CHUNKS)
    assert watch.captures == captures
    for capture in captures:
        assert capture.exchange().response_chunks == tuple(CHUNKS)
        assert len(capture.exchange().chunk_times_ns) == len(CHUNKS)


def read_async(stream):
    """All chunks of an async stream."""

    async def read():
        return [chunk async for chunk in stream]

    return asyncio.run(read())


@pytest.mark.parametrize("asks_for_usage", [False, True])
def test_httpx2_closes_what_it_goes_through(asks_for_usage):
    """A reader that stops early: httpx2 closes each generator then and there, and trio warns of those that are left."""
    ended = []
    event = b'data: {"choices": [{"index": 0}]}\n\n'

    class Stream(httpx2.AsyncByteStream):
        async def __aiter__(self):
            try:
                for chunk in [event] * 3:
                    yield chunk
            finally:
                ended.append(True)

    async def read():
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, stream=Stream()))
        config = amplitude_ai.AIConfig(inject_stream_usage=asks_for_usage)
        amplitude_ai.install_transport(amplitude_client=amplitude_ai.testing.EventList(), ai_config=config)
        body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
        async with httpx2.AsyncClient(transport=transport) as client, client.stream("POST", URL, json=body) as response:
            chunks = response.aiter_raw()
            given = await anext(chunks)
            await chunks.aclose()
            return given, list(ended)

    try:
        assert asyncio.run(read()) == (event, [True])
    finally:
        amplitude_ai.uninstall_transport()
