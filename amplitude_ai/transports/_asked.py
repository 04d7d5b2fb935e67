"""A request that is no object of its library, but the arguments of a call. Imports no HTTP library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ._headers import as_text
from ._watch import Reader


class Asked:
    """What is to be sent; ``headers`` are what is to be sent in the end.

    Args:
        method: of the request.
        url: the whole of it.
        body: str, bytes, or what is not in memory.
        headers: a mapping that stays the application's.
    """

    __slots__ = ("body", "headers", "method", "parts", "url")

    def __init__(self, method: str, url: str, body: Any, headers: Mapping[str, Any]) -> None:
        self.method = method
        self.url = url
        self.parts = urlsplit(url)
        self.body = body
        self.headers = headers


class _AskedReader(Reader):
    __slots__ = ()

    def target(self, request: Asked) -> tuple[str, str, str]:
        return request.method, request.parts.hostname or "", request.parts.path

    def read(self, request: Asked) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        body = request.body
        content = (
            body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else None
        )
        return request.url, list(request.headers.items()), content

    def names(self, request: Asked) -> Iterable[str | bytes]:
        return request.headers

    def drop(self, request: Asked, names: Collection[str]) -> None:
        given = request.headers
        copy: Any = given.copy() if hasattr(given, "copy") else dict(given)  # repeated headers stay repeated
        for name in [name for name in copy if as_text(name, "latin-1").lower() in names]:
            del copy[name]
        request.headers = copy


READER = _AskedReader()
