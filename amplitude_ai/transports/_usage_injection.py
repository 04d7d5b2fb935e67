"""``AIConfig(inject_stream_usage=True)``: ask OpenAI-style streams for usage, and hide the extra chunk it comes in.

The only place in the package that changes what the application sends; off by default. A request that says anything
about ``stream_options`` itself is left alone. Library-free: bytes in, bytes out.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import orjson

from .._models import Binding
from ..parsers import _router

_FORMATS = ("openai.chat", "openai.completions")
_EVENT_END = re.compile(rb"\r?\n\r?\n")


def should_inject(binding: Binding, method: str, host: str, path: str) -> bool:
    """Whether the request may be made to ask."""
    if binding.config is None or not binding.config.inject_stream_usage:
        return False
    found = _router.route(method, host, path)
    return found is not None and found.format in _FORMATS


def with_usage(body: object) -> bytes | None:
    """``body`` asking for usage; ``None`` when it is no stream, asks itself, or cannot be read."""
    if not isinstance(body, bytes | str) or not body:
        return None
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("stream") is not True or "stream_options" in value:
        return None
    return orjson.dumps({**value, "stream_options": {"include_usage": True}})


class UsageFilter:
    """Takes the chunk that has nothing but usage out of a stream of server-sent events; all other bytes pass."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """What of the stream so far may pass: whole events, but for the one."""
        data = self._rest + chunk
        passed, at = [], 0
        for end in _EVENT_END.finditer(data):
            event = data[at : end.end()]
            if not _is_usage_alone(event):
                passed.append(event)
            at = end.end()
        self._rest = data[at:]
        return b"".join(passed)

    def flush(self) -> bytes:
        """What is left at the end."""
        rest, self._rest = self._rest, b""
        return rest

    def over(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The stream without the chunk."""
        for chunk in chunks:
            if passed := self.feed(chunk):
                yield passed
        if rest := self.flush():
            yield rest

    async def over_async(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same in the other colour."""
        async for chunk in chunks:
            if passed := self.feed(chunk):
                yield passed
        if rest := self.flush():
            yield rest


def _is_usage_alone(event: bytes) -> bool:
    if b'"usage"' not in event:
        return False
    try:
        value = orjson.loads(event.strip().removeprefix(b"data:").strip())
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("choices") == [] and isinstance(value.get("usage"), dict)
