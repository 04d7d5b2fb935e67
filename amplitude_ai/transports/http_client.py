"""The watching of the standard library's ``http.client``, by which urllib.request, httplib2 and hand-written code send.

However a request is built, its head leaves by ``HTTPConnection.endheaders`` and stands in the connection's buffer then:
that is where it is watched. Until it is answered a few methods of ours stand on that one connection (`_http_request`),
then on that one response (`_http_response`), and go when it has been read. urllib3's connections are subclasses: its
calls, and those of whoever sends by it, are watched above, and pass here (`inside`).
"""

from __future__ import annotations

import functools
import http.client
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._guard import report
from .._models import Binding
from ._http_request import Sent
from ._watch import Observer, Reader, drop_our_headers, inside, open_capture, our_headers

#: Whose run a call is of: a connection is no client, urllib.request makes one for each call. All of them are one.
CLIENT = http.client
#: Of the target, where it is a whole URL: the request goes to a proxy.
_WHOLE = ("http://", "https://")
_CHUNKED = re.compile(rb"(?i)transfer-encoding\s*:.*chunked")


class _Head:
    """The head of a request in the buffer of its connection: the request line, then one header a line."""

    __slots__ = ("body", "chunked", "host", "lines", "method", "path", "url")

    def __init__(self, connection: Any, body: object) -> None:
        self.lines: list[bytes] = connection._buffer
        self.method, target, _ = self.lines[0].decode("latin-1").split(" ", 2)
        if not target.startswith(_WHOLE):
            tunnelled = connection._tunnel_host
            host = tunnelled or connection.host
            port = connection._tunnel_port if tunnelled else connection.port
            scheme = "https" if connection.default_port == http.client.HTTPS_PORT else "http"
            at = "" if port in (None, connection.default_port) else f":{port}"
            target = f"{scheme}://{f'[{host}]' if ':' in host else host}{at}{target}"
        self.url: str = target
        parts = urlsplit(target)
        self.host, self.path = parts.hostname or "", parts.path
        self.chunked = any(_CHUNKED.match(line) for line in self.lines)
        self.body = bytes(body) if isinstance(body, bytes | bytearray | memoryview) else None


class _HeadReader(Reader):
    __slots__ = ()

    def target(self, request: _Head) -> tuple[str, str, str]:
        return request.method, request.host, request.path

    def url(self, request: _Head) -> object:
        return request.url

    def headers(self, request: _Head) -> Sequence[Sequence[Any]]:
        return _headers(request.lines)

    def body(self, request: _Head) -> bytes | None:
        return request.body

    def drop(self, request: _Head, names: Collection[str]) -> None:
        unwanted = {name.encode("latin-1") for name in names}
        kept = [line for line in request.lines[1:] if line.partition(b":")[0].strip().lower() not in unwanted]
        request.lines[1:] = kept


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    parts = [line.partition(b":") for line in lines[1:]]
    return [(name.strip(), value.strip()) for name, _, value in parts]


_READER = _HeadReader()


def connection_class() -> type:
    """The library's own class, also while a cassette has put another in its place.

    Raises:
        LookupError: there is none.
    """
    own = http.client.HTTPConnection
    if own.__module__ == http.client.__name__:
        return own
    for kind in object.__subclasses__():
        if (kind.__module__, kind.__qualname__) == (http.client.__name__, "HTTPConnection"):
            return kind
    raise LookupError("http.client.HTTPConnection")


def watched_endheaders(
    original: Callable[..., Any], observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Callable[..., Any]:
    """``HTTPConnection.endheaders``, watched. ``original`` takes the connection first."""

    @functools.wraps(original)
    def endheaders(self: Any, message_body: Any = None, *args: Any, **kwargs: Any) -> Any:
        sent = None if inside.get() else _open(self, message_body, observer, binding_of)
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


def _open(
    connection: Any, body: object, observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Sent | None:
    """The watched request, with its methods on the connection; ``None`` when it is not ours. Never raises."""
    try:
        lines: list[bytes] = connection._buffer
        if not lines:
            return None  # nothing was begun: the connection will say so itself
        head = None
        target = lines[0].split(b" ", 2)[1]
        if target[:4] == b"http":
            head = _Head(connection, body)
            target = head.path.encode("latin-1")
        if not observer.may_watch(target):
            if our_headers([name for name, _ in _headers(lines)]):
                drop_our_headers(_READER, head or _Head(connection, body))
            return None
        head = head or _Head(connection, body)
        binding = binding_of(CLIENT)
        if binding is None:
            return None
        capture = open_capture(observer, binding, _READER, head)
        return None if capture is None else Sent(connection, capture, head.body is None, head.chunked)
    except Exception as exc:
        report("open", exc)
        return None
