"""What the httpx and httpx2 transports share: everything but the names of the library's classes. Imports neither.

The adapters forward the caller's own request to the caller's own transport and hand back its own response, whose
``stream`` alone is replaced by one that shows each chunk to the `Capture` and passes the same object on.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

from .._guard import count, guard, report
from .._models import Binding, Outcome
from ._capture import Capture
from ._watch import EXTENSION, Observer, inside, our_headers


def open_capture(observer: Observer, binding: Binding, request: Any) -> Capture | None:
    """Start watching ``request``, or ``None`` when it is not ours. Removes our headers. Never raises."""
    try:
        url = request.url
        if not observer.watches(request.method, url.host, raw_path(url), binding.explicit):
            drop_our_headers(request)
            return None
        injected = (
            binding.config is not None and binding.config.inject_stream_usage and _inject(observer, request, binding)
        )
        carried = request.extensions.get(EXTENSION)
        capture, ours = observer.begin(
            binding, request.method, url, header_items(request.headers), getattr(request, "_content", None), carried
        )
        if ours:
            for name in ours:
                del request.headers[name]
            request.extensions = {**request.extensions, EXTENSION: ours}
        if injected:
            from ._usage_injection import UsageFilter

            capture.usage_filter = UsageFilter()
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


def raw_path(url: Any) -> str:
    """The path as it crosses the wire: httpx' ``path`` has an escaped slash for a slash."""
    path: bytes = url.raw_path
    return path.partition(b"?")[0].decode("latin-1")


def drop_our_headers(request: Any) -> None:
    """They are for us: no server gets them, watched or not."""
    for name in our_headers([item[0] for item in header_items(request.headers)]):
        del request.headers[name]


def header_items(headers: Any) -> Any:
    """For each header a tuple that begins with its name and ends with its value: the library's own, uncopied."""
    return getattr(headers, "_list", None) or headers.raw


def _inject(observer: Observer, request: Any, binding: Binding) -> bool:
    """Make a stream's request ask for its usage (`_usage_injection`). True when it did not before."""
    from . import _usage_injection

    if inside.get() or not _usage_injection.should_inject(
        observer, binding, request.method, request.url.host, raw_path(request.url)
    ):
        return False
    body = _usage_injection.with_usage(getattr(request, "_content", None))
    if body is None:
        return False
    request.stream = type(request.stream)(body)
    request._content = body
    request.headers["content-length"] = str(len(body))
    request.headers["accept-encoding"] = "identity"  # events are taken out of plain text
    return True


def attach(capture: Capture, response: Any, tee: Any) -> None:
    """Let the capture see the body of ``response``. ``tee`` is the library's stream class. Never raises."""
    try:
        capture.respond(response.status_code, response.headers)
        if response.extensions and _is_cached(response.extensions):
            capture.from_cache = True
        if response.is_stream_consumed:  # a mock or a cache answered with a body that is already in memory
            capture.body_decoded = True
            capture.feed(response.content)
            capture.finish(Outcome.EXHAUSTED)
            return
        if capture.usage_filter is not None and "content-encoding" in response.headers:
            capture.usage_filter = None
        if "_stream" in vars(response.stream):  # as a client gives it out: the stream it made stays the outer one
            response.stream._stream = tee(response.stream._stream, capture)
        else:
            response.stream = tee(response.stream, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


def _is_cached(extensions: Mapping[str, Any]) -> bool:
    """Whether hishel answered from its cache (its versions say it in three ways)."""
    status = extensions.get("caching")
    told = status.get("from_cache") if isinstance(status, dict) else None
    return True in (told, extensions.get("hishel_from_cache"), extensions.get("from_cache"))


class TeeBase:
    """State of a watched stream: the library's stream and the capture. Never the response."""

    def __init__(self, stream: Any, capture: Capture) -> None:
        self._stream = stream
        self._capture = capture
        self._feed = capture.chunk_recorder()
        self._ask = capture.ask_recorder()

    def __getattr__(self, name: str) -> Any:
        # Extra attributes of the inner stream (elapsed, network objects) stay reachable.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __del__(self) -> None:
        capture = self.__dict__.get("_capture")  # not there when it was only half made: `attach` has finished it
        if capture is not None:
            capture.finish(Outcome.ABANDONED)


class SyncTee(TeeBase):
    """A byte stream that shows each chunk to the capture and yields the very same object."""

    def __iter__(self) -> Iterator[bytes]:
        hide = self._capture.usage_filter
        return self._watched() if hide is None else hide.over(self._watched())

    def _watched(self) -> Iterator[bytes]:
        capture = self._capture
        feed, ask = self._feed, self._ask
        try:
            ask()
            for chunk in self._stream:
                feed(chunk)
                yield chunk
                ask()
        except BaseException as exc:
            capture.fail(exc)
            raise
        capture.finish(Outcome.EXHAUSTED)

    def close(self) -> None:
        """Finish the capture, then close the stream."""
        self._capture.finish(Outcome.CLOSED)
        self._stream.close()


class AsyncTee(TeeBase):
    """The same in the other colour."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        hide = self._capture.usage_filter
        return self._watched() if hide is None else hide.over_async(self._watched())

    async def _watched(self) -> AsyncIterator[bytes]:
        capture = self._capture
        feed, ask = self._feed, self._ask
        try:
            ask()
            async for chunk in self._stream:
                feed(chunk)
                yield chunk
                ask()
        except BaseException as exc:
            capture.fail(exc)
            raise
        capture.finish(Outcome.EXHAUSTED)

    async def aclose(self) -> None:
        """Finish the capture, then close the stream."""
        self._capture.finish(Outcome.CLOSED)
        await self._stream.aclose()


class TransportBase:
    """State of a transport that watches the one it wraps."""

    _OWN = frozenset({"_inner", "_observer", "_binding"})

    def __init__(self, inner: Any, observer: Observer, binding: Binding) -> None:
        self._inner = inner
        self._observer = observer
        self._binding = binding

    # A user's own attributes on a custom transport stay reachable through ours, to read, to set and to delete.
    def __getattr__(self, name: str) -> Any:
        if name in self._OWN:
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._inner, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._inner, name)


class SyncTransport(TransportBase):
    """Mixin: a transport that watches the one it wraps."""

    _tee: type[SyncTee]

    def handle_request(self, request: Any) -> Any:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        capture = open_capture(self._observer, self._binding, request)
        if capture is None:
            return self._inner.handle_request(request)
        around = inside.get()
        inside.set(True)
        try:
            response = self._inner.handle_request(request)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)
        attach(capture, response, self._tee)
        return response

    def close(self) -> None:
        """Close the wrapped transport and end the client's run."""
        end_client(self._observer, self._binding)
        self._inner.close()

    def __enter__(self) -> Any:
        self._inner.__enter__()
        return self

    def __exit__(self, kind: Any = None, exc: Any = None, tb: Any = None) -> None:
        end_client(self._observer, self._binding)
        self._inner.__exit__(kind, exc, tb)


class AsyncTransport(TransportBase):
    """The same in the other colour."""

    _tee: type[AsyncTee]

    async def handle_async_request(self, request: Any) -> Any:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        capture = open_capture(self._observer, self._binding, request)
        if capture is None:
            return await self._inner.handle_async_request(request)
        around = inside.get()
        inside.set(True)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)
        attach(capture, response, self._tee)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport and end the client's run."""
        end_client(self._observer, self._binding)
        await self._inner.aclose()

    async def __aenter__(self) -> Any:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, kind: Any = None, exc: Any = None, tb: Any = None) -> None:
        end_client(self._observer, self._binding)
        await self._inner.__aexit__(kind, exc, tb)


def watched_send(
    original: Callable[[Any, Any], Any], open_for: Callable[[Any, Any], Capture | None], tee: type[SyncTee]
) -> Callable[[Any, Any], Any]:
    """``Client._send_single_request``, watched: which transport the client picks, and its objects, stay its own.

    Args:
        original: takes the client first.
        open_for: ``(client, request)`` -> the capture, or ``None``; never raises.
        tee: the library's stream class.
    """

    @functools.wraps(original)
    def _send_single_request(self: Any, request: Any) -> Any:
        capture = open_for(self, request)
        if capture is None:
            return original(self, request)
        around = inside.get()
        inside.set(True)
        try:
            response = original(self, request)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)  # not reset(token): a coroutine may be closed in another context
        attach(capture, response, tee)
        return response

    return _send_single_request


def watched_async_send(
    original: Callable[[Any, Any], Awaitable[Any]],
    open_for: Callable[[Any, Any], Capture | None],
    tee: type[AsyncTee],
) -> Callable[[Any, Any], Awaitable[Any]]:
    """The same in the other colour."""

    @functools.wraps(original)
    async def _send_single_request(self: Any, request: Any) -> Any:
        capture = open_for(self, request)
        if capture is None:
            return await original(self, request)
        around = inside.get()
        inside.set(True)
        try:
            response = await original(self, request)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)
        attach(capture, response, tee)
        return response

    return _send_single_request


def end_client(observer: Observer, binding: Binding) -> None:
    """Tell the worker that a client was closed. Never raises."""
    with guard("end_client"):
        count("clients_closed")
        observer.client_closed(binding)


def watch_client(client: Any, transport_class: type[Any], observer: Observer, binding: Binding) -> None:
    """Put a watching transport around every transport of an existing client, in place."""

    def wrapped(transport: Any) -> Any:
        if transport is None or isinstance(transport, TransportBase):
            return transport
        return transport_class(transport, observer, binding)

    mounts: Mapping[Any, Any] = client._mounts
    client._transport = wrapped(client._transport)
    client._mounts = {pattern: wrapped(transport) for pattern, transport in mounts.items()}
