"""Bytes -> frames: SSE, NDJSON, JSON arrays. (AWS event streams: ``_eventstream``; content-encoding: ``_decode``.)

Every reader takes what there is: a body cut anywhere, inside a UTF-8 character too, yields the frames that were whole.
Nothing here raises on wire data, and none reads more than `MAX_STEPS` lines or marks: a body of nothing but line ends
would keep the worker for a minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec.structs import replace

from .._pattern import lazy_pattern
from ._format import Frame
from ._json import as_str, loads, values

#: Lines of a stream, or marks of an array, that are read. The longest answers there are have some 500,000.
MAX_STEPS = 2_000_000

_LINE_END = lazy_pattern(rb"\r\n|\n|\r")
#: The lines of an event as nearly all are: a name, data, and the blank one.
_USUAL_LINES = 3


def sse_frames(data: bytes) -> Iterator[Frame]:
    """Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Comments are skipped.

    Lenient where servers stray: events that end with a single line end, several JSON values in one event, an error in
    a line of its own (llama.cpp's ``error: {...}``). An event at the very end without its blank line is given too:
    providers' last event may lack it, and a cut one that is whole JSON is as good as any.
    """
    event: str | None = None
    held: list[tuple[bytes, int]] = []
    position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    size = len(data)
    left = MAX_STEPS
    # With one that ends a line by itself each event would be looked for to the end of the data.
    no_bare_cr = data.count(b"\r") == data.count(b"\r\n") + data.endswith(b"\r")
    while position < size and left > 0:
        if no_bare_cr and not held and event is None and (usual := _usual_event(data, position)) is not None:
            named, said, position = usual
            left -= _USUAL_LINES
            try:
                value = loads(said)
            except ValueError:
                value = said.decode("utf-8", "replace")
            if type(value) is str:
                yield from _event(named, [(said, position)], position)
            else:
                yield Frame(named, value, position)
            continue
        left -= 1
        found = _LINE_END.search(data, position)
        stop, after = (found.start(), found.end()) if found else (size, size)
        line = data[position:stop]
        position = after
        if not line:
            if len(held) == 1 and not isinstance(value := _value(held[0][0]), str):  # as nearly all are
                yield Frame(event, value, position)
            elif held:
                yield from _event(event, held, position)
            event, held = None, []
            continue
        name, _, said = line.partition(b":")
        if said.startswith(b" "):
            said = said[1:]
        if name == b"data":
            held.append((said, position))
        elif name == b"event":
            if held and event is not None:  # the event before was not ended by a blank line
                yield from _event(event, held, position)
                held = []
            event = said.decode("utf-8", "replace").strip() or None
        elif name == b"error":
            error = _value(said)
            yield Frame(
                "error", error if isinstance(error, Mapping) and "error" in error else {"error": error}, position
            )
    for frame in _event(event, held, position) if held else ():
        if not isinstance(frame.data, str) or frame.data == "[DONE]" or _is_text(frame.data):
            yield frame


def _usual_event(data: bytes, start: int) -> tuple[str | None, bytes, int] | None:
    """Name, data and end of an event that is at most a name, then one line of data, then a blank line; else ``None``.

    It is found by built-in functions alone: a stream is made of thousands. No line may end with a CR alone.
    """
    name: bytes | None = None
    stop = data.find(b"\n", start)
    if stop >= 0 and data.startswith(b"event:", start):
        name = data[start + 6 : stop]
        start, stop = stop + 1, data.find(b"\n", stop + 1)
    if stop < 0 or not data.startswith(b"data:", start):
        return None
    if data.startswith(b"\n", stop + 1):
        end = stop + 2
    elif data.startswith(b"\r\n", stop + 1):
        end = stop + 3
    else:
        return None
    said = data[start + (6 if data.startswith(b" ", start + 5) else 5) : stop].removesuffix(b"\r")
    return (None if name is None else name.decode("utf-8", "replace").strip() or None), said, end


def _event(event: str | None, held: list[tuple[bytes, int]], end: int) -> Iterator[Frame]:
    """One event. Its lines are one value; else each line is one, or a line holds several."""
    joined = held[0][0] if len(held) == 1 else b"\n".join(line for line, _ in held)
    value = _value(joined)
    if not isinstance(value, str) or not _is_broken(value):
        yield Frame(event, value, end)
    elif len(held) > 1:
        for line, line_end in held:
            yield from _event(event, [(line, line_end)], line_end)
    else:
        for one in values(value) or (value,):
            yield Frame(event, one, end)


def _is_broken(text: str) -> bool:
    """Whether a text that is no JSON began as such, in whole or in its first line."""
    return text[:64].lstrip()[:1] in ("{", "[") and text[:64].strip() != "[DONE]"


def _is_text(text: str) -> bool:
    return not _is_broken(text)


def with_errors(frames: Iterator[Frame], refused: bool) -> Iterator[Frame]:
    """The frames, each error under ``error``, where every format looks for it.

    Flat ones (``event: error``, or ``"type": "error"``, with a message beside it) and such as are plain text: those of
    proxies and gateways, which know nothing of the format. A text counts as one when nothing but ``[DONE]`` follows it.
    """
    last: Frame | None = None
    for frame in frames:
        data = frame.data
        if type(data) is dict and not refused and frame.event != "error" and data.get("type") != "error":
            last = None
            yield frame
            continue
        if isinstance(data, str) and data.strip() not in ("", "[DONE]"):
            if frame.event == "error":
                yield replace(frame, data={"error": {"message": data}})
            else:
                last = frame if frame.event in _UNNAMED else None  # a named event of text is the format's own
                yield frame
            continue
        if isinstance(data, Mapping):
            last = None
            if (frame.event == "error" or data.get("type") == "error" or refused) and not data.get("error"):
                told = {name: value for name, value in data.items() if name != "type" or value != "error"}
                if as_str(told.get("message")) or frame.event == "error" or data.get("type") == "error":
                    frame = replace(frame, data={"error": told or {"message": "an error event without a message"}})
        yield frame
    if last is not None and (refused or _tells_an_error(str(last.data))):
        yield replace(last, data={"error": {"message": str(last.data).strip()}})


_UNNAMED = (None, "message")
_ERROR_WORDS = lazy_pattern(
    r"error|exception|fail|timeout|timed out|denied|limit|exceed|unavailable|overload|refused|abort|reset|invalid", re.I
)


def _tells_an_error(text: str) -> bool:
    return not _is_broken(text) and _ERROR_WORDS.search(text, 0, 4096) is not None


def ndjson_frames(data: bytes) -> Iterator[Frame]:
    """One JSON value a line."""
    position = 0
    for line in lines(data):
        position += len(line)
        text = line.strip()
        if text:
            value = _value(text)
            for one in (values(value) or ()) if isinstance(value, str) else (value,):
                if isinstance(one, Mapping | list):
                    yield Frame(None, one, position)


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


_ARRAY_TOKENS = lazy_pattern(rb'["\\{}\[\]]')


def _value(text: bytes) -> Any:
    """Decoded JSON, else the text."""
    try:
        return loads(text)
    except ValueError:
        return text.decode("utf-8", "replace")
