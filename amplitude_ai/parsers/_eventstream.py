"""``application/vnd.amazon.eventstream`` -> frames.

A message is: total length, headers length, CRC of those eight bytes, headers, payload, CRC of all that (big endian;
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html). Lengths can only be trusted while the
sums are right, so reading ends at the first message that is cut or damaged. Nothing here raises on wire data.
"""

from __future__ import annotations

import contextlib
import struct
from base64 import b64decode
from binascii import crc32
from collections.abc import Iterator

from .._models import JSON
from ._format import Frame
from ._json import as_dict, as_str, loads

_PRELUDE = struct.Struct(">III")
_SUM = struct.Struct(">I")
_OVERHEAD = _PRELUDE.size + _SUM.size
_LENGTH = struct.Struct(">H")
#: Header value types with a fixed size: booleans, integers, timestamp, UUID. 6 and 7 (bytes, text) say theirs.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


def eventstream_frames(data: bytes) -> Iterator[Frame]:
    """The whole messages of a body.

    ``Frame.event`` is ``:event-type``; ``data`` is the payload's JSON, for ``InvokeModelWithResponseStream`` the JSON
    inside its ``{"bytes": base64}``, for SageMaker's ``PayloadPart`` the bytes as Latin-1. An exception message
    becomes ``{"error": {"type", "message"}}``.
    """
    start = 0
    while len(data) - start >= _OVERHEAD:
        total, headers_size, prelude_sum = _PRELUDE.unpack_from(data, start)
        end = start + total
        if crc32(data[start : start + 8]) != prelude_sum or end > len(data) or headers_size + _OVERHEAD > total:
            return
        if crc32(data[start : end - 4]) != _SUM.unpack_from(data, end - 4)[0]:
            return
        split = start + _PRELUDE.size + headers_size
        yield _frame(_headers(data[start + _PRELUDE.size : split]), data[split : end - 4], end)
        start = end


def _frame(headers: dict[str, str], payload: bytes, end: int) -> Frame:
    if headers.get(":event-type") == "PayloadPart":  # SageMaker: a stretch of somebody else's bytes, cut anywhere
        return Frame("PayloadPart", payload.decode("latin-1"), end)
    value = _value(payload)
    kind = headers.get(":message-type")
    if kind == "exception":
        name = headers.get(":exception-type")
        message = as_str(as_dict(value).get("message")) or as_str(as_dict(value).get("Message"))
        return Frame(name, {"error": {"type": name, "message": message}}, end)
    if kind == "error":
        name = headers.get(":error-code")
        return Frame(name, {"error": {"type": name, "message": headers.get(":error-message")}}, end)
    inner = as_dict(value).get("bytes")
    if isinstance(inner, str):
        with contextlib.suppress(ValueError):  # no base64: what came is given as it came
            value = _value(b64decode(inner))
    return Frame(headers.get(":event-type"), value, end)


def _value(payload: bytes) -> JSON:
    try:
        return loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _headers(block: bytes) -> dict[str, str]:
    """The text headers; others are stepped over."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            name_end = at + 1 + block[at]
            name = block[at + 1 : name_end].decode("utf-8", "replace")
            kind, at = block[name_end], name_end + 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            size = _LENGTH.unpack_from(block, at)[0]
            if kind == 7:
                found[name] = block[at + 2 : at + 2 + size].decode("utf-8", "replace")
            at += 2 + size
    except (IndexError, struct.error):
        pass  # the sums were right and the sender wrong: what was read so far stands
    return found
