"""What a body is: one JSON value, or a stream of which kind. The one place that decides it, by how the body begins.

The label (content-type) is a hint and no more: proxies send JSON errors as ``text/event-stream`` and streams as
``application/json``, or label nothing. A format says by ``framing`` what its streams are made of where that cannot be
seen: ``ndjson`` (a stream cut after its first line looks like one JSON value) or ``array`` (one JSON array of them).
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Iterator

from .._pattern import lazy_pattern
from ._eventstream import eventstream_frames
from ._format import Frame
from ._frames import json_array_frames, ndjson_frames, sse_frames
from ._json import loads

#: Bytes looked at to tell what a body is.
_HEAD = 4096
_BOM = b"\xef\xbb\xbf"
#: A line of server-sent events: a field, or a comment.
_SSE_LINE = lazy_pattern(rb"(?:data|event|id|retry|error)(?::|[\r\n]|$)|:")
_DATA_LINE = lazy_pattern(rb"(?:^|[\r\n]|\xbf)(?:data|event):")
_JSON_LINES = frozenset({"ndjson", "jsonl", "stream+json", "x-ndjson", "json-lines", "jsonlines", "x-jsonlines"})


def stream_frames(data: bytes, label: str, framing: str, streaming: bool) -> Iterator[Frame] | None:
    """The frames of a body that is a stream, ``None`` for one that is one value.

    Args:
        data: the decoded body.
        label: the content type, lower case, without parameters; may be empty.
        framing: what the format's streams are made of (``sse``, ``ndjson``, ``array``).
        streaming: a stream was asked for.
    """
    if _is_aws(data):
        return eventstream_frames(data)
    kind = label.rpartition("/")[2]
    start = data[:_HEAD].removeprefix(_BOM).lstrip()
    if start[:1] == b"{":
        lines = kind in _JSON_LINES or (framing == "ndjson" and streaming)
        return ndjson_frames(data) if _is_json_lines(data, lines) else None
    if start[:1] == b"[":
        return json_array_frames(data) if framing == "array" and streaming else None
    if kind == "event-stream":
        return sse_frames(data) if _SSE_LINE.match(start) or _DATA_LINE.search(data) else None
    if _SSE_LINE.match(start) and _DATA_LINE.search(data):  # "error: no such model" is a text
        return sse_frames(data)
    return eventstream_frames(data) if kind == "vnd.amazon.eventstream" else None


def _is_aws(data: bytes) -> bool:
    """Whether the first eight bytes are an event-stream message's, by their sum."""
    return len(data) >= 12 and struct.unpack_from(">I", data, 8)[0] == crc32(data[:8])


def _is_json_lines(data: bytes, expected: bool) -> bool:
    """Whether the first line is a whole JSON value and another follows it.

    Where lines are ``expected``, everything is lines that is not one value in several (indented).
    """
    line, _, rest = data.removeprefix(_BOM).lstrip().partition(b"\n")
    if expected:
        return not rest.strip() or line.rstrip().endswith(b"}") or b"}\n{" in data or not _is_json(data)
    if rest.lstrip()[:1] == b"{" and line.rstrip().endswith(b"}"):
        return _is_json(line)
    return not rest.strip() and b"}{" in line and not _is_json(line)  # values behind each other in one line


def _is_json(text: bytes) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True
