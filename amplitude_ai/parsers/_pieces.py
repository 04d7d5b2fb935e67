"""A long request is decoded in pieces: a JSON parser is one call, which holds the interpreter's lock for all of it.

In: the bytes of a document. Out: what decoding it as a whole gives, or ``None`` where only that can tell. A
conversation is one array of turns, and almost all of such a request. It is cut between two turns where a cut is likely,
and each piece is decoded alone. What decodes alone, begun where an element may begin, is whole elements: JSON is read
from left to right, so a cut that fell into a text or into a turn leaves a piece that does not decode. Nothing is taken
on trust.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from .._pattern import lazy_pattern

#: About how long a piece is. A turn longer than that is one piece.
PIECE = 128 * 1024
#: Where the conversation begins, at the latest; what stands before it is decoded at once.
_START = 256 * 1024
#: How many cuts may be wrong, of a document, before it is decoded as a whole.
_WRONG = 16
#: What a cut takes at most: its brace, comma, brace and name.
_SEAM = 256

_ARRAY = lazy_pattern(rb'"(messages|contents|input)"\s*:\s*\[')
_FIRST_KEY = lazy_pattern(rb'\s*\{\s*"(\w{1,64})"\s*:')
#: Stands in the array for the turns that were decoded before.
_MARK = "\ue002"
_MARKED = f'"{_MARK}",'.encode()


def loads_in_pieces(data: bytes) -> Any:
    """``data`` decoded, as a whole document would be; ``None`` when it cannot be cut, or is no JSON."""
    found = _conversation(data)
    if found is None:
        return None
    name, start = found
    turns, end = _turns(data, start)
    if not turns:
        return None
    all_of_it = memoryview(data)
    whole = _loads(all_of_it[:start], _MARKED, all_of_it[end:])
    last = whole.get(name) if isinstance(whole, dict) else None
    # (Where an object names the array twice, the later one counts, and is not marked.)
    if not isinstance(last, list) or not last or last[0] != _MARK:
        return None
    turns += last[1:]
    whole[name] = turns
    return whole


def _conversation(data: bytes) -> tuple[str, int] | None:
    """The name of the array of turns, of the object that the document is, and where its first turn stands."""
    for found in _ARRAY.finditer(data, 0, _START):
        name, start = found[1].decode(), found.end()
        # With nothing but this array open, the document could end so.
        before = _loads(memoryview(data)[:start], b"0]}")
        if isinstance(before, dict) and before.get(name) == [0]:
            return name, start
    return None


def _turns(data: bytes, start: int) -> tuple[list[Any], int]:
    """All turns but the last ones, and where those begin."""
    turns: list[Any] = []
    first = _FIRST_KEY.match(data, start, start + 1024)
    if first is None:
        return turns, start
    # Programs spell all turns of a request alike.
    likely = re.compile(rb'\}\s*(,)\s*(?=\{\s*"' + first[1] + rb'"\s*:)')
    wrong, taken, at = 0, start, start + PIECE
    while at < len(data) and wrong < _WRONG:
        # Looked for a stretch at a time: to search is one call, too.
        cut = likely.search(data, at, at + PIECE + _SEAM)
        if cut is None:
            at += PIECE
            continue
        piece = _loads(b"[[", memoryview(data)[taken : cut.start(1)], b"]]")
        if piece is None:
            wrong += 1
            at = cut.end()
            continue
        turns += piece[0]
        taken = cut.end()
        at = taken + PIECE
    return turns, taken


def _loads(*parts: bytes | memoryview) -> Any:
    try:
        return orjson.loads(b"".join(parts))
    except ValueError:
        return None
