"""vcrpy's stand-ins for ``http.client``'s connections: what a cassette answers is a call like any other.

Under a cassette urllib.request and httplib2 send by ``VCRConnection``, which is no ``HTTPConnection``. When it is asked
for the response it has the whole request, and the response comes as a whole. (urllib3, requests, httpx and aiohttp are
watched above their stubs.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from .._guard import report
from .._models import Binding, Outcome
from ._capture import Capture
from ._watch import Observer, Reader, as_text, inside, open_capture, send_watched
from .http_client import CLIENT


class _RequestReader(Reader):
    __slots__ = ()

    def target(self, request: Any) -> tuple[str, str, str]:
        return request.method, request.host or "", request.path

    def url(self, request: Any) -> str:
        return str(request.uri)

    def headers(self, request: Any) -> Sequence[Sequence[Any]]:
        return [(name, _value(value)) for name, value in request.headers.items()]

    def body(self, request: Any) -> bytes | None:
        body = request.body
        if isinstance(body, str):
            return body.encode("latin-1")
        if hasattr(body, "read"):  # a copy of its own, each time
            body = body.read()
        return body if isinstance(body, bytes) else b"".join(body) if isinstance(body, Iterable) else None

    def drop(self, request: Any, names: Collection[str]) -> None:
        for name in [name for name in request.headers if as_text(name, "latin-1").lower() in names]:
            del request.headers[name]


_READER = _RequestReader()


def watched_getresponse(
    original: Callable[..., Any], observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Callable[..., Any]:
    """``VCRConnection.getresponse``, watched. ``original`` takes the connection first."""

    @functools.wraps(original)
    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        capture = None if inside.get() else _open(self, observer, binding_of)
        if capture is None:
            return original(self, *args, **kwargs)
        response = send_watched(capture, original, self, *args, **kwargs)
        _attach(capture, response)
        return response

    return getresponse


def _open(connection: Any, observer: Observer, binding_of: Callable[[Any], Binding | None]) -> Capture | None:
    try:
        request = getattr(connection, "_vcr_request", None)
        binding = None if request is None else binding_of(CLIENT)
    except Exception as exc:
        report("open", exc)
        return None
    return None if binding is None else open_capture(observer, binding, _READER, request)


def _attach(capture: Capture, response: Any) -> None:
    try:
        capture.respond(response.status, response.getheaders())
        capture.feed(response.data)
        capture.finish(Outcome.EXHAUSTED)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


def _value(value: Any) -> Any:
    """A header's value; ``putheader`` was given some."""
    return value[0] if isinstance(value, list | tuple) and value else value
