"""Bytes -> frames: SSE, NDJSON, JSON arrays. (AWS event streams: ``_eventstream``; content-encoding: ``_decode``.)

Every reader takes what there is: a body cut anywhere, inside a UTF-8 character too, yields the frames that were whole.
Nothing here raises on wire data, and none reads more than `MAX_STEPS` lines or marks: a body of nothing but line ends
would keep the worker for a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ._format import Frame
from ._json import loads

#: Lines of a stream, or marks of an array, that are read. The longest answers there are have some 500,000.
MAX_STEPS = 2_000_000

_LINE_END = re.compile(rb"\r\n|\n|\r")


def sse_frames(data: bytes) -> Iterator[Frame]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Comments are skipped.

    An event at the very end without its blank line is given too: providers' last event may lack it, and a cut one
    that is whole JSON is as good as any.
    """
    event: str | None = None
    held: list[bytes] = []
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    size = len(data)
    for _ in range(MAX_STEPS):
        if position >= size:
            break
        found = _LINE_END.search(data, position)
        stop, after = (found.start(), found.end()) if found else (size, size)
        line = data[position:stop]
        position = after
        if not line:
            if held:
                yield Frame(event, _value(b"\n".join(held)), position)
            event, held = None, []
            continue
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            held.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace") or None
    if held:
        frame = Frame(event, _value(b"\n".join(held)), position)
        if not isinstance(frame.data, str) or frame.data == "[DONE]":
            yield frame


def ndjson_frames(data: bytes) -> Iterator[Frame]:
    """One JSON value a line."""
    position = 0
    for line in lines(data):
        position += len(line)
        text = line.strip()
        if text:
            value = _value(text)
            if not isinstance(value, str):
                yield Frame(None, value, position)


def lines(data: bytes) -> Iterator[bytes]:
    """The lines with their ends, one at a time: a list of them would be eight times as large as the data."""
    position, size = 0, len(data)
    for _ in range(MAX_STEPS):
        if position >= size:
            return
        found = _LINE_END.search(data, position)
        end = found.end() if found else size
        yield data[position:end]
        position = end


def json_array_frames(data: bytes) -> Iterator[Frame]:
    """The items of one JSON array that may be cut (Gemini's stream without ``alt=sse``)."""
    depth = 0
    start: int | None = None
    in_string = escaped = False
    skip_at = -1
    for match in islice(_ARRAY_TOKENS.finditer(data), MAX_STEPS):
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
