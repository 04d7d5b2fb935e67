"""Bytes -> frames: content-encoding, SSE, NDJSON, JSON arrays. (AWS event streams: ``_eventstream``.)

Every reader takes what there is: a body cut anywhere, inside a UTF-8 character or a gzip block too, yields the
frames that were whole. Nothing here raises on wire data; decompression stops at `LIMIT` bytes (a bomb is cut short).
"""

from __future__ import annotations

import bisect
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ._format import Frame
from ._json import loads

#: The most bytes one body may decompress to.
LIMIT = 64 * 1024 * 1024


class Body:
    """A decoded body that still knows which wire chunk each byte came with."""

    __slots__ = ("_ends", "damaged", "data")

    def __init__(self, data: bytes, ends: list[int], damaged: bool) -> None:
        self.data = data
        self._ends = ends
        self.damaged = damaged

    def chunk_at(self, end: int) -> int:
        """Index of the wire chunk that completed the first ``end`` decoded bytes."""
        return bisect.bisect_left(self._ends, end)


def decode(chunks: Sequence[bytes], encoding: str | None) -> Body:
    """Undo content-encoding, chunk by chunk (so that time stays attached). Stacked encodings are undone in turn."""
    names = [name.strip().lower() for name in (encoding or "").split(",") if name.strip()]
    steps = [_decoders[name]() for name in reversed(names) if name in _decoders]
    damaged = any(name not in _decoders and name != "identity" for name in names)
    if not steps:
        ends: list[int] = []
        total = 0
        for chunk in chunks:
            total += len(chunk)
            ends.append(total)
        return Body(b"".join(chunks), ends, damaged)
    out: list[bytes] = []
    ends = []
    total = 0
    for chunk in chunks:
        data = chunk
        try:
            for step in steps:
                data = step(data)
        except Exception:
            damaged = True
            break
        total += len(data)
        ends.append(total)
        out.append(data)
        if total > LIMIT:
            damaged = True
            break
    return Body(b"".join(out), ends, damaged)


def _gzip() -> Callable[[bytes], bytes]:
    return _inflater(zlib.MAX_WBITS | 16)


def _deflate() -> Callable[[bytes], bytes]:
    # RFC 9110 means zlib-wrapped; many servers send raw deflate. The first byte tells.
    state: list[Any] = []

    def step(data: bytes) -> bytes:
        if not state:
            if not data:
                return b""
            wrapped = data[0] & 0x0F == 8
            state.append(_inflater(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS))
        return bytes(state[0](data))

    return step


def _inflater(wbits: int) -> Callable[[bytes], bytes]:
    inflater = zlib.decompressobj(wbits)
    return lambda data: inflater.decompress(data, LIMIT)


def _brotli() -> Callable[[bytes], bytes]:
    import brotli

    decoder = brotli.Decompressor()

    def step(data: bytes) -> bytes:
        return bytes(decoder.process(data))

    return step


def _zstd() -> Callable[[bytes], bytes]:
    import zstandard

    decoder = zstandard.ZstdDecompressor().decompressobj()
    return lambda data: bytes(decoder.decompress(data))


_decoders: dict[str, Callable[[], Callable[[bytes], bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}

_LINE_END = re.compile(rb"\r\n|\n|\r")


def sse_frames(data: bytes) -> Iterator[Frame]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Comments are skipped.

    An event at the very end without its blank line is given too: providers' last event may lack it, and a cut one
    that is whole JSON is as good as any.
    """
    event: str | None = None
    lines: list[bytes] = []
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    size = len(data)
    while position < size:
        found = _LINE_END.search(data, position)
        stop, after = (found.start(), found.end()) if found else (size, size)
        line = data[position:stop]
        position = after
        if not line:
            if lines:
                yield Frame(event, _value(b"\n".join(lines)), position)
            event, lines = None, []
            continue
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            lines.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace") or None
    if lines:
        frame = Frame(event, _value(b"\n".join(lines)), size)
        if not isinstance(frame.data, str) or frame.data == "[DONE]":
            yield frame


def ndjson_frames(data: bytes) -> Iterator[Frame]:
    """One JSON value a line."""
    position = 0
    for line in data.splitlines(keepends=True):
        position += len(line)
        text = line.strip()
        if text:
            value = _value(text)
            if not isinstance(value, str):
                yield Frame(None, value, position)


def json_array_frames(data: bytes) -> Iterator[Frame]:
    """The items of one JSON array that may be cut (Gemini's stream without ``alt=sse``)."""
    depth = 0
    start: int | None = None
    in_string = escaped = False
    skip_at = -1
    for match in _ARRAY_TOKENS.finditer(data):
        token = match.group()
        if in_string:
            if escaped and match.start() == skip_at:
                escaped = False
                continue
            escaped = False
            if token == b"\\":
                escaped, skip_at = True, match.end()
            elif token == b'"':
                in_string = False
            continue
        if token == b'"':
            in_string = True
        elif token in b"{[":
            depth += 1
            if depth == 2 and token == b"{":
                start = match.start()
        elif token in b"}]":
            depth -= 1
            if depth == 1 and start is not None:
                value = _value(data[start : match.end()])
                if not isinstance(value, str):
                    yield Frame(None, value, match.end())
                start = None


_ARRAY_TOKENS = re.compile(rb'["\\{}\[\]]')


def _value(text: bytes) -> Any:
    """Decoded JSON, else the text."""
    try:
        return loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")
