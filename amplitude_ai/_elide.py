"""Long base64 data is taken out of JSON before it is parsed: nothing of it is ever kept but its length.

In: the bytes of a JSON document. Out: the same document, in which the middle of long base64 strings is a mark telling
how much is missing. Why: a JSON parser holds the interpreter's lock for all of a document (12 ms for 10 MB), in which
no other thread of the application runs; finding the ends of a string takes a thirtieth of that. Standard library only.
"""

from __future__ import annotations

from ._pattern import lazy_pattern

#: Documents smaller than this are parsed as they are.
_LARGE = 128 * 1024
#: A stretch of at least twice this without a quotation mark is looked at.
_STEP = 32 * 1024
#: Bytes kept of its ends.
_HEAD = 1024
_TAIL = 64
#: Bytes looked at, every so often, to tell base64 from other long strings.
_SAMPLE = 64

_DATA_URL = lazy_pattern(rb"data:[\w.+-]{1,64}/[\w.+-]{1,64}(?:;[\w=.+-]{1,64}){0,4};base64,")
_BASE64 = lazy_pattern(rb"[A-Za-z0-9+/_=-]*")
_MIXED = 24  # different characters that the base64 of real media has at least

#: What stands for the part that is missing. Its ends are characters for private use (Unicode's U+E000 and U+E001).
MARK = "\ue000[0-9]{1,20}\ue001"
_MARK = lazy_pattern(MARK)


def whole_length(text: str) -> int:
    """The length that ``text`` had before it was shortened, in characters."""
    if "\ue000" not in text:
        return len(text)
    return len(text) + sum(int(found[0][1:-1]) - len(found[0]) for found in _MARK.finditer(text))


def elide_base64(data: bytes) -> bytes:
    """``data`` with the middle of long base64 strings marked as missing; ``data`` itself when there are none."""
    if len(data) < _LARGE:
        return data
    parts: list[bytes] = []
    done = 0
    for start, end in _stretches(data):
        inner = _cut(data, start, end)
        if inner is not None:
            parts += (data[done : inner[0]], f"\ue000{inner[1] - inner[0]}\ue001".encode())
            done = inner[1]
    if not parts:
        return data
    return b"".join((*parts, data[done:]))


def _stretches(data: bytes) -> list[tuple[int, int]]:
    """(start, end) of the long stretches between two quotation marks."""
    found = []
    at = 0
    while at + _STEP <= len(data):
        if data.find(b'"', at, at + _STEP) >= 0:
            at += _STEP
            continue
        start = data.rfind(b'"', 0, at) + 1
        end = data.find(b'"', at + _STEP)
        if end < 0:
            break
        if start and end - start >= 2 * _STEP:
            found.append((start, end))
        at = end + 1
    return found


def _cut(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """What may be left out of the stretch: nothing, unless it is base64 wherever it is looked at."""
    url = _DATA_URL.match(data, start, min(start + _HEAD, end))
    first = start + _HEAD
    last = end - _TAIL
    head = data[url.end() if url else start : first]
    # Characters that JSON escapes are none of base64's, so no escape is cut in two.
    if not (_is_base64(head) and _is_base64(data[last:end])):
        return None
    samples = [data[at : at + _SAMPLE] for at in range(first, last - _SAMPLE, _STEP)]
    if not all(map(_is_base64, samples)):
        return None
    # Without the prefix a long word is no media: random bytes have every class of character.
    if url is None and len(set(head)) < _MIXED:
        return None
    return first, last


def _is_base64(data: bytes) -> bool:
    return _BASE64.fullmatch(data) is not None
