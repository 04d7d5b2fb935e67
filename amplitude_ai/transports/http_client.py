"""The watching of the standard library's ``http.client``, by which urllib.request, httplib2 and hand-written code send.

However a request is built, its head leaves by ``HTTPConnection.endheaders`` and stands in the connection's buffer then:
that is where it is watched. Until it is answered that one connection is marked as watched (`_http_request`), then that
one response (`_http_response`), until it has been read. urllib3's connections are subclasses: its calls, and those of
whoever sends by it, are watched above, and pass here (`inside`).
"""

from __future__ import annotations

import functools
import http.client
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._guard import report
from .._pattern import lazy_pattern
from . import _http_request, _http_response
from ._http_request import Sent
from ._library import Library, Patch, is_kind
from ._watch import Everyone, Reader, inside

#: Whose run a call is of: a connection is no client, urllib.request makes one for each call. All of them are one.
CLIENT = http.client
#: Of the target, where it is a whole URL: the request goes to a proxy.
_WHOLE = (b"http://", b"https://")
_CHUNKED = lazy_pattern(rb"(?i)transfer-encoding\s*:.*chunked")


def whole_url(connection: Any, target: str) -> str:
    """The URL of what a connection is asked for."""
    if target.startswith(("http://", "https://")):  # of the server, where the connection is a proxy's
        return target
    tunnelled = connection._tunnel_host
    host = tunnelled or connection.host
    port = connection._tunnel_port if tunnelled else connection.port
    scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
    at = "" if port in (None, connection.default_port) else f":{port}"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{at}{target}"


class _Head:
    """The head of a request in the buffer of its connection: the request line, then one header a line."""

    __slots__ = ("_connection", "_given", "_target", "lines", "method")

    def __init__(self, connection: Any, body: object) -> None:
        self._connection = connection
        self._given = body
        self.lines: list[bytes] = connection._buffer
        method, self._target, _ = self.lines[0].split(b" ", 2)
        self.method = method.decode("latin-1")

    @property
    def path(self) -> str:
        """The path, without the query."""
        target: bytes = self._target
        path = urlsplit(target).path if target.startswith(_WHOLE) else target.partition(b"?")[0]
        return path.decode("latin-1")

    @property
    def url(self) -> str:
        """The URL."""
        return whole_url(self._connection, self._target.decode("latin-1"))

    @property
    def is_chunked(self) -> bool:
        """Whether the body is sent in chunks."""
        return any(_CHUNKED.match(line) for line in self.lines)

    @property
    def body(self) -> bytes | None:
        """The body, where it was given with the head, as bytes."""
        given = self._given
        return bytes(given) if isinstance(given, bytes | bytearray | memoryview) else None


class _HeadReader(Reader):
    __slots__ = ()

    def path(self, request: _Head) -> str:
        return request.path

    def target(self, request: _Head) -> tuple[str, str, str]:
        parts = urlsplit(request.url)
        return request.method, parts.hostname or "", parts.path

    def read(self, request: _Head) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        return request.url, _headers(request.lines), request.body

    def names(self, request: _Head) -> Iterable[str | bytes]:
        return [name for name, _ in _headers(request.lines)]

    def drop(self, request: _Head, names: Collection[str]) -> None:
        unwanted = {name.encode("latin-1") for name in names}
        kept = [line for line in request.lines[1:] if line.partition(b":")[0].strip().lower() not in unwanted]
        request.lines[1:] = kept


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    parts = [line.partition(b":") for line in lines[1:]]
    return [(name.strip(), value.strip()) for name, _, value in parts]


_READER = _HeadReader()


def _connection_class(module: Any) -> type:
    """The library's own class, also while a cassette has put another in its place.

    Raises:
        LookupError: there is none.
    """
    own: type = module.HTTPConnection
    if is_kind(own, "http", "HTTPConnection"):
        return own
    for kind in reversed(object.__subclasses__()):  # of the copies of the library, the last
        if is_kind(kind, "http", "HTTPConnection"):
            return kind
    raise LookupError("http.client.HTTPConnection")


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``HTTPConnection.endheaders``, and what a call that was watched there goes by from then on."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def endheaders(self: Any, message_body: Any = None, *args: Any, **kwargs: Any) -> Any:
            sent = None if inside.get() else _open(self, message_body, everyone)
            try:
                done = original(self, message_body, *args, **kwargs)
            except BaseException as exc:
                if sent is not None:
                    sent.failed(exc)
                raise
            if sent is not None:
                sent.begun()
            return done

        return endheaders

    kind = _connection_class(module)
    return [
        (kind, "endheaders", make),
        *_http_request.hooks(kind),
        *_http_response.hooks(module.HTTPResponse),
    ]


def _open(connection: Any, body: object, everyone: Everyone) -> Sent | None:
    """The watched request, with its methods on the connection; ``None`` when it is not ours. Never raises."""
    try:
        if not connection._buffer:
            return None  # nothing was begun: the connection will say so itself
        head = _Head(connection, body)
        capture = everyone.open(_READER, CLIENT, head)
        return None if capture is None else Sent(connection, capture, head.body is None, head.is_chunked)
    except Exception as exc:
        report("open", exc)
        return None


LIBRARY = Library(_hooks)
