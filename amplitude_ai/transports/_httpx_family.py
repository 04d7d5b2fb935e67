"""What the httpx and httpx2 transports share: everything but the names of the library's classes. Imports neither.

The adapters forward the caller's own request to the caller's own transport and hand back its own response, whose
``stream`` alone is replaced by one that shows each chunk to the `Capture` and passes the same object on.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._guard import report
from .._models import Binding
from ._capture import ABANDONED, CLOSED, EXHAUSTED, Capture
from ._form import MAX_PARTS, written
from ._library import Library, Patch, async_closing, closing, kind_of
from ._stand_in import class_of
from ._watch import Everyone, Observer, Reader, end_client, open_capture, send_watched, send_watched_async

#: Key under which our headers travel with a redirected request (redirects copy ``request.extensions``).
EXTENSION = "amplitude_ai.context"


class RequestReader(Reader):
    """How a request of the family is read."""

    __slots__ = ()
    can_ask = True

    def target(self, request: Any) -> tuple[str, str, str]:
        url = request.url
        parts = getattr(url, "_uri_reference", None)  # what its properties are made of, each time
        if parts is not None:
            return request.method, parts.host or "", parts.path or "/"
        # httpx' ``path`` has an escaped slash for a slash.
        return request.method, url.host, url.raw_path.partition(b"?")[0].decode("latin-1")

    def path(self, request: Any) -> str:
        parts = getattr(request.url, "_uri_reference", None)
        return self.target(request)[2] if parts is None else parts.path or "/"

    def read(self, request: Any) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        headers = request.headers
        body = getattr(request, "_content", None)
        if body is None:
            body = _form(getattr(request, "stream", None))
        # The library's own list, uncopied.
        return request.url, getattr(headers, "_list", None) or headers.raw, body

    def names(self, request: Any) -> Iterable[bytes]:
        headers = request.headers
        own = getattr(headers, "_list", None)
        if own is None:
            return [name for name, _ in headers.raw]
        return [name for name, lower, _ in own if lower > _BEFORE_OURS]

    def drop(self, request: Any, names: Collection[str]) -> None:
        for name in names:
            del request.headers[name]

    def carried(self, request: Any) -> Mapping[str, str] | None:
        return request.extensions.get(EXTENSION)  # type: ignore[no-any-return]

    def carry(self, request: Any, ours: Mapping[str, str]) -> None:
        request.extensions = {**request.extensions, EXTENSION: ours}

    def put_body(self, request: Any, body: bytes) -> None:
        request.stream = type(request.stream)(body)
        request._content = body
        request.headers["content-length"] = str(len(body))
        request.headers["accept-encoding"] = "identity"  # events are taken out of plain text


def _form(stream: Any) -> bytes | None:
    """The text fields of a ``MultipartStream``, whose ``fields`` have a ``value``, or a ``file`` and its name."""
    try:
        fields, boundary = getattr(stream, "fields", None), getattr(stream, "boundary", None)
        if not isinstance(fields, list) or not isinstance(boundary, bytes):
            return None
        # ``files={"model": (None, "whisper-1")}`` is a field too: a file without a name.
        return written(
            boundary,
            (
                (field.name, field.value if hasattr(field, "value") else getattr(field, "file", None))
                for field in fields[:MAX_PARTS]
                if getattr(field, "filename", None) is None
            ),
        )
    except Exception as exc:
        report("read_form", exc)
        return None


#: The streams that clients make, around the transport's. (Others have a ``_stream`` too: a ``ByteStream`` its bytes.)
_BOUND = frozenset({"BoundSyncStream", "BoundAsyncStream"})
#: In the order of names: nothing of ours is as small.
_BEFORE_OURS = b"x-am"
_READER = RequestReader()


def attach(capture: Capture, response: Any, tee: Any) -> None:
    """Let the capture see the body of ``response``. ``tee`` is the library's stream class. Never raises."""
    try:
        capture.respond(response.status_code, response.headers)
        extensions = response.extensions
        if extensions and _is_cached(extensions):
            capture.from_cache = True
        if response.is_stream_consumed:  # a mock or a cache answered with a body that is already in memory
            capture.body_decoded = True
            capture.feed(response.content)
            capture.finish(EXHAUSTED)
            return
        if capture.usage_filter is not None and "content-encoding" in response.headers:
            capture.usage_filter = None
        stream = response.stream
        if type(stream).__name__ in _BOUND:  # as a client gives it out: the stream it made stays the outer one
            stream._stream = tee(stream._stream, capture)
        else:
            response.stream = tee(stream, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(ABANDONED)


def _is_cached(extensions: Mapping[str, Any]) -> bool:
    """Whether hishel answered from its cache (its versions say it in three ways)."""
    if "caching" in extensions:
        status = extensions["caching"]
        if isinstance(status, dict) and status.get("from_cache") is True:
            return True
    return extensions.get("hishel_from_cache") is True or extensions.get("from_cache") is True


class TeeBase:
    """State of a watched stream: the library's stream and the capture. Never the response."""

    # In one place: a class with a ``__getattr__`` makes each look at an attribute dear.
    __slots__ = ("_shown",)

    def __init__(self, stream: Any, capture: Capture) -> None:
        self._shown = stream, capture
        capture.is_read = True  # one that is let go from now on was abandoned

    def __getattr__(self, name: str) -> Any:
        # Extra attributes of the inner stream (elapsed, network objects) stay reachable.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._shown[0], name)

    __class__ = class_of(lambda self: self._shown[0])

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy is not watched: it would tell the same bytes again, and an end that is not the stream's.
        return self._shown[0].__reduce_ex__(protocol)


class SyncTee(TeeBase):
    """A byte stream that shows each chunk to the capture and yields the very same object."""

    def __iter__(self) -> Iterator[bytes]:
        stream, capture = self._shown
        hide = capture.usage_filter
        shown = iter(stream) if capture.finished else capture.over(stream)  # read again: what it was is told already
        return shown if hide is None else hide.over(shown)

    def close(self) -> None:
        """Finish the capture, then close the stream."""
        stream, capture = self._shown
        capture.finish(CLOSED)
        stream.close()


class AsyncTee(TeeBase):
    """The same in the other colour."""

    __slots__ = ()
    #: Whether the library closes each generator it goes through when a reader stops early, or leaves that to Python.
    _closes = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        stream, capture = self._shown
        hide = capture.usage_filter
        shown = aiter(stream) if capture.finished else capture.over_async(stream, self._closes)
        return shown if hide is None else hide.over_async(shown, self._closes)

    async def aclose(self) -> None:
        """Finish the capture, then close the stream."""
        stream, capture = self._shown
        capture.finish(CLOSED)
        await stream.aclose()


class TransportBase:
    """State of a transport that watches the one it wraps."""

    __slots__ = ("_watched",)

    def __init__(self, inner: Any, observer: Observer, binding: Binding) -> None:
        object.__setattr__(self, "_watched", (inner, observer, binding))

    @property
    def _inner(self) -> Any:
        return self._watched[0]

    __class__ = class_of(lambda self: self._watched[0])

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy takes the transport along: who watches it is of this client and process.
        return self._inner.__reduce_ex__(protocol)

    # A user's own attributes on a custom transport stay reachable through ours, to read, to set and to delete.
    def __getattr__(self, name: str) -> Any:
        if name == "_watched":  # of one that was made without its constructor
            raise AttributeError(name)
        return getattr(self._watched[0], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._watched[0], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._watched[0], name)


def binding_of(transport: TransportBase) -> Binding:
    """Whose the calls by a watched transport are. (No attribute: the transport has its inner one's, and no other.)"""
    binding: Binding = transport._watched[2]
    return binding


def observe_by(transport: TransportBase, observer: Observer) -> None:
    """Have other seams see what passes a watched transport."""
    inner, _, binding = transport._watched
    object.__setattr__(transport, "_watched", (inner, observer, binding))


class SyncTransport(TransportBase):
    """Mixin: a transport that watches the one it wraps."""

    _tee: type[SyncTee]

    def handle_request(self, request: Any) -> Any:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        inner, observer, binding = self._watched
        capture = open_capture(observer, binding, _READER, request)
        if capture is None:
            return inner.handle_request(request)
        response = send_watched(capture, inner.handle_request, request)
        attach(capture, response, type(self)._tee)
        return response

    def close(self) -> None:
        """Close the wrapped transport and end the client's run."""
        end_client(*self._watched[1:])
        self._inner.close()

    def __enter__(self) -> Any:
        self._inner.__enter__()
        return self

    def __exit__(self, kind: Any = None, exc: Any = None, tb: Any = None) -> None:
        end_client(*self._watched[1:])
        self._inner.__exit__(kind, exc, tb)


class AsyncTransport(TransportBase):
    """The same in the other colour."""

    _tee: type[AsyncTee]

    async def handle_async_request(self, request: Any) -> Any:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        inner, observer, binding = self._watched
        capture = open_capture(observer, binding, _READER, request)
        if capture is None:
            return await inner.handle_async_request(request)
        response = await send_watched_async(capture, inner.handle_async_request, request)
        attach(capture, response, type(self)._tee)
        return response

    async def aclose(self) -> None:
        """Close the wrapped transport and end the client's run."""
        end_client(*self._watched[1:])
        await self._inner.aclose()

    async def __aenter__(self) -> Any:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, kind: Any = None, exc: Any = None, tb: Any = None) -> None:
        end_client(*self._watched[1:])
        await self._inner.__aexit__(kind, exc, tb)


class _ClientReader(RequestReader):
    """The same for requests of clients that are all watched.

    Args:
        choose: the library's own choice of a client's transport: a subclass may give another each time it is asked.
    """

    __slots__ = ("_choose",)

    def __init__(self, choose: Callable[[Any, Any], Any]) -> None:
        self._choose = choose

    def watches_itself(self, client: Any, request: Any) -> bool:
        for transport in (client._transport, *client._mounts.values()):
            if isinstance(transport, TransportBase):
                return isinstance(self._choose(client, request.url), TransportBase)
        return False


def library(transport: type[SyncTransport], async_transport: type[AsyncTransport]) -> Library:
    """What is to be said of a library of this family.

    Args:
        transport: that watches, for its ``Client``.
        async_transport: the same for its ``AsyncClient``.
    """
    tee, async_tee = transport._tee, async_transport._tee

    def hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
        """``Client._send_single_request``: which transport a client picks, and its objects, stay its own."""
        reader = _ClientReader(module.Client._transport_for_url)

        def make(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            @functools.wraps(original)
            def _send_single_request(self: Any, request: Any) -> Any:
                capture = everyone.open(reader, self, request)
                if capture is None:
                    return original(self, request)
                response = send_watched(capture, original, self, request)
                attach(capture, response, tee)
                return response

            return _send_single_request

        def make_async(original: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any], Awaitable[Any]]:
            @functools.wraps(original)
            async def _send_single_request(self: Any, request: Any) -> Any:
                capture = everyone.open(reader, self, request)
                if capture is None:
                    return await original(self, request)
                response = await send_watched_async(capture, original, self, request)
                attach(capture, response, async_tee)
                return response

            return _send_single_request

        return [
            (module.Client, "_send_single_request", make),
            (module.AsyncClient, "_send_single_request", make_async),
            (module.Client, "close", closing(everyone)),
            (module.Client, "__exit__", closing(everyone)),
            (module.AsyncClient, "aclose", async_closing(everyone)),
            (module.AsyncClient, "__aexit__", async_closing(everyone)),
        ]

    def adopt(client: Any, observer: Observer, binding: Binding) -> bool:
        """Put a watching transport around every transport of an existing client, in place."""
        package = transport.__module__.rpartition(".")[2]
        if kind_of(client, package, "Client"):
            kind: Any = transport
        elif kind_of(client, package, "AsyncClient"):
            kind = async_transport
        else:
            return False

        def wrapped(inner: Any) -> Any:
            return inner if inner is None or isinstance(inner, TransportBase) else kind(inner, observer, binding)

        client._transport, client._mounts = (
            wrapped(client._transport),
            {pattern: wrapped(mounted) for pattern, mounted in client._mounts.items()},
        )
        return True

    return Library(hooks, adopt)
