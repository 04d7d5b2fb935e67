"""``AIConfig(inject_stream_usage=True)``: ask OpenAI-style streams for usage, and hide the extra chunk it comes in.

The only place in the package that changes what the application sends; off by default. A request that says anything
about ``stream_options`` itself is left alone. Library-free: bytes in, bytes out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson

from .._models import Binding
from .._pattern import lazy_pattern
from ._capture import close_generator
from ._watch import Observer

_LINE_END = lazy_pattern(rb"\r\n|\n|\r")
#: A choice begins. Usage comes with an empty list of them.
_CHOICE = lazy_pattern(rb'"choices"\s{0,8}:\s{0,8}\[\s{0,8}[^\]\s]')
#: Bytes that `_CHOICE` may take.
_OVERLAP = 64
#: The longest event that is held: the usage event has some 500 bytes.
HELD = 16 * 1024


def should_inject(observer: Observer, binding: Binding, method: str, host: str, path: str) -> bool:
    """Whether the request may be made to ask."""
    if binding.config is None or not binding.config.inject_stream_usage:
        return False
    return observer.takes_usage_option(method, host, path)


def with_usage(body: object) -> bytes | None:
    """``body`` asking for usage; ``None`` when it is no stream, asks itself, or cannot be read."""
    if not isinstance(body, bytes | str) or not body:
        return None
    try:
        value = asking(orjson.loads(body))
    except ValueError:
        return None
    return None if value is None else orjson.dumps(value)


def asking(value: object) -> dict[str, Any] | None:
    """The same of a decoded body."""
    if not isinstance(value, dict) or value.get("stream") is not True or "stream_options" in value:
        return None
    if "messages" not in value and "prompt" not in value:
        return None
    return {**value, "stream_options": {"include_usage": True}}


class UsageFilter:
    """Takes the event that has nothing but usage out of a stream of server-sent events; all other bytes pass.

    What came of an event is held only while it may be that event: until its JSON begins a choice, or is longer than
    usage is. Each byte is looked at once, and `HELD` bytes are kept at most.
    """

    def __init__(self) -> None:
        self._held = bytearray()  # of an event that may be the one
        self._looked = 0  # how far the held bytes were looked through
        self._passing = False  # the event under way is not the one
        self._hidden = False  # the last event was
        self._after_cr = False  # the last byte was a CR: a LF belongs to it
        self._at_start = True  # of a line

    def feed(self, chunk: bytes) -> bytes:
        """What of the stream so far may pass."""
        passed: list[bytes] = []
        begin = at = 0
        if self._after_cr and chunk[:1] == b"\n":
            at = 1
            if not self._held and not self._passing:  # it ends the line that ended an event
                begin = 1
                if not self._hidden:
                    passed.append(b"\n")
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        for end in _LINE_END.finditer(chunk, at):
            is_blank = self._at_start and end.start() == at
            self._at_start, at = True, end.end()
            if is_blank:
                self._end_event(chunk[begin:at], passed)
                begin = at
        self._at_start = self._at_start and at == len(chunk)
        self._go_on(chunk[begin:], passed)
        return b"".join(passed)

    def _end_event(self, data: bytes, passed: list[bytes]) -> None:
        event = bytes(self._held) + data
        self._hidden = not self._passing and _is_usage_alone(event)
        if not self._hidden:
            passed.append(event)
        self._begin()

    def _go_on(self, data: bytes, passed: list[bytes]) -> None:
        if self._passing:
            passed.append(data)
            return
        self._held += data
        if len(self._held) > HELD or _CHOICE.search(self._held, max(self._looked - _OVERLAP, 0)):
            passed.append(bytes(self._held))
            self._begin()
            self._passing = True
        self._looked = len(self._held)

    def _begin(self) -> None:
        self._held.clear()
        self._looked = 0
        self._passing = False

    def flush(self) -> bytes:
        """What is left at the end."""
        rest = bytes(self._held)
        self._begin()
        return b"" if _is_usage_alone(rest) else rest

    def over(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The stream without the event. What was held when it breaks is given out before the exception."""
        try:
            for chunk in chunks:
                if passed := self.feed(chunk):
                    yield passed
        except Exception:
            if rest := self.flush():
                yield rest
            raise
        if rest := self.flush():
            yield rest

    async def over_async(self, chunks: AsyncIterator[bytes], closes: bool = False) -> AsyncIterator[bytes]:
        """The same in the other colour."""
        try:
            async for chunk in chunks:
                if passed := self.feed(chunk):
                    yield passed
        except Exception:
            if rest := self.flush():
                yield rest
            raise
        except BaseException:
            if closes:
                await close_generator(chunks)
            raise
        if rest := self.flush():
            yield rest


def _is_usage_alone(event: bytes) -> bool:
    """Whether an event, with whatever names, ids and comments it has, holds usage and no choice."""
    if b'"usage"' not in event or len(event) > HELD:
        return False
    data = []
    for line in _LINE_END.split(event.removeprefix(b"\xef\xbb\xbf")):
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value)
    try:
        value = orjson.loads(b"\n".join(data))
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("choices") == [] and isinstance(value.get("usage"), dict)
