"""The watching of urllib3, by which botocore (boto3) and hand-written code send. requests has an adapter of its own.

Everything goes through ``HTTPConnectionPool.urlopen``; what it returns is observed (`_raw_tee`). Tries that urllib3
makes itself (``retries=``) are one record.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._guard import report
from ._capture import ABANDONED, EXHAUSTED, Capture, as_text
from ._library import Library, Patch
from ._raw_tee import observe
from ._watch import Everyone, Reader, inside, send_watched


class _Asked:
    """What a pool is asked to send; ``headers`` are what it is to send in the end."""

    __slots__ = ("body", "headers", "method", "parts", "url")

    def __init__(self, pool: Any, method: str, url: str, body: Any, headers: Any) -> None:
        # Through a proxy the target is a whole URL.
        self.url = url if "://" in url else f"{pool.scheme}://{pool.host}:{pool.port}{url}"
        self.parts = urlsplit(self.url)
        self.method = method
        self.body = body
        self.headers: Mapping[str, Any] = pool.headers if headers is None else headers


class _AskedReader(Reader):
    __slots__ = ()

    def target(self, request: _Asked) -> tuple[str, str, str]:
        return request.method, request.parts.hostname or "", request.parts.path

    def read(self, request: _Asked) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        body = request.body
        content = (
            body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else None
        )
        return request.url, list(request.headers.items()), content

    def names(self, request: _Asked) -> Iterable[str | bytes]:
        return request.headers

    def drop(self, request: _Asked, names: Collection[str]) -> None:
        given = request.headers
        copy: Any = given.copy() if hasattr(given, "copy") else dict(given)  # repeated headers stay repeated
        for name in [name for name in copy if as_text(name, "latin-1").lower() in names]:
            del copy[name]
        request.headers = copy


_READER = _AskedReader()


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``HTTPConnectionPool.urlopen``."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def urlopen(
            self: Any, method: str, url: str, body: Any = None, headers: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            if inside.get():
                return original(self, method, url, body, headers, *args, **kwargs)
            capture, headers = _open(everyone, self, method, url, body, headers)
            if capture is None:
                return original(self, method, url, body, headers, *args, **kwargs)
            response = send_watched(capture, original, self, method, url, body, headers, *args, **kwargs)
            return _attached(capture, response, bool(kwargs.get("decode_content", True)))

        return urlopen

    return [(module.HTTPConnectionPool, "urlopen", make)]


LIBRARY = Library(_hooks)


def _open(everyone: Everyone, pool: Any, method: str, url: str, body: Any, headers: Any) -> tuple[Capture | None, Any]:
    """The capture, and the headers without ours. Never raises."""
    try:
        asked = _Asked(pool, method, url, body, headers)
        given = asked.headers
        capture = everyone.open(_READER, pool, asked)
        return capture, headers if asked.headers is given else asked.headers
    except Exception as exc:
        report("open", exc)
        return None, headers


def _attached(capture: Capture, response: Any, decoded: bool) -> Any:
    """The response with its body shown to the capture. Never raises."""
    try:
        capture.respond(response.status, list(response.headers.items()))
        if not hasattr(response, "_fp") or getattr(response, "_body", None) is not None:
            # It has been read (preload_content), or (HTTP/2) came as a whole.
            capture.body_decoded = decoded
            capture.feed(response.data)
            capture.finish(EXHAUSTED)
            return response
        return observe(response, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(ABANDONED)
        return response
