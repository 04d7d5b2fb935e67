"""vcrpy's stand-ins for ``http.client``'s connections: what a cassette answers is a call like any other.

Under a cassette urllib.request and httplib2 send by ``VCRConnection``, which is no ``HTTPConnection``. When it is asked
for the response it has the whole request, and the response comes as a whole. (urllib3, requests, httpx and aiohttp are
watched above their stubs.)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ._headers import as_text
from ._library import Library, Patch
from ._watch import Everyone, Reader, answered, inside, send_watched
from .http_client import CLIENT


class _RequestReader(Reader):
    __slots__ = ()

    def target(self, request: Any) -> tuple[str, str, str]:
        return request.method, request.host or "", request.path

    def read(self, request: Any) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        headers = [(name, _value(value)) for name, value in request.headers.items()]
        return request.uri, headers, _body(request.body)

    def drop(self, request: Any, names: Collection[str]) -> None:
        for name in [name for name in request.headers if as_text(name, "latin-1").lower() in names]:
            del request.headers[name]


_READER = _RequestReader()


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``VCRConnection.getresponse``."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
            request = None if inside.get() else getattr(self, "_vcr_request", None)
            capture = None if request is None else everyone.open(_READER, CLIENT, request)
            if capture is None:
                return original(self, *args, **kwargs)
            response = send_watched(capture, original, self, *args, **kwargs)
            answered(capture, lambda: (response.status, response.getheaders(), response.data))
            return response

        return getresponse

    return [(module.VCRConnection, "getresponse", make)]


LIBRARY = Library(_hooks)


def _body(body: Any) -> bytes | None:
    if isinstance(body, str):
        return body.encode("latin-1")
    if hasattr(body, "read"):  # a copy of its own, each time
        body = body.read()
    return body if isinstance(body, bytes) else b"".join(body) if isinstance(body, Iterable) else None


def _value(value: Any) -> Any:
    """A header's value; ``putheader`` was given some."""
    return value[0] if isinstance(value, list | tuple) and value else value
