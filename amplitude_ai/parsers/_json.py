"""Reading JSON that may hold anything: each getter returns its type or ``None``, and never raises."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from .._guard import count
from .._models import JSON
from ._pieces import loads_in_pieces

_NOTHING: Mapping[str, Any] = {}
_DICT = frozenset({dict})
#: Token counts past this are damage or malice, not usage; Amplitude and SQLite both hold 64-bit integers.
_MAX_COUNT = 2**53


#: The most memory that one document may take once decoded, by its marks. A million embedding values take 32 MB.
MAX_DECODED = 192 * 1024 * 1024
#: Shorter documents cannot come near it.
_SMALL = 512 * 1024
#: Bytes of a long document that are looked through in one call, which holds the interpreter's lock.
_STEP = 512 * 1024
#: Bytes of memory for which each mark in the text stands: a dict, a list, an item and its number, half a string.
_MARKS = ((b"{", 232), (b"[", 88), (b",", 32), (b'"', 28))


def loads(data: bytes | str) -> JSON:
    """Decode JSON. Raises `ValueError` on anything malformed, and on what would be a hundred times as large decoded.

    What applications' own parsers read is read too: lone surrogates, a byte-order mark, UTF-16, NaN (as ``None``).
    Halves of characters stay halves: the other one may be in the next delta (`rejoined`).
    """
    if len(data) > _SMALL:
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if len(raw) + sum(_count(raw, mark) * size for mark, size in _MARKS) > MAX_DECODED:
            count("json_too_large")
            raise ValueError("this JSON would take too much memory decoded")
        value = loads_in_pieces(raw) if raw is data else None
        if value is not None:
            return value
    try:
        return orjson.loads(data)
    except ValueError:
        return _lenient(data)


def loads_whole(data: bytes) -> JSON:
    """The same of a document that is complete: of characters there are whole ones only."""
    value = loads(data)
    return rejoined(value) if has_halves(data) else value


def _lenient(data: bytes | str) -> JSON:
    """The standard library's reading, which is that of httpx, requests and aiohttp."""
    if isinstance(data, bytes):
        data = data.decode(json.detect_encoding(data), "replace" if data[:1] in _OPENINGS else "strict")
    try:
        return json.loads(data.removeprefix("\ufeff"), parse_constant=_nothing)
    except RecursionError:
        raise ValueError("nested too deeply") from None


_OPENINGS = (b"{", b"[")


def _nothing(_: str) -> None:
    return None


_decoder = json.JSONDecoder(parse_constant=_nothing)


def values(text: str) -> list[JSON] | None:
    """The JSON values that stand one behind the other in a text, ``None`` when it is anything else."""
    found: list[JSON] = []
    at = 0
    if len(text) > _SMALL:
        return None
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        if len(found) >= _MAX_VALUES:
            return None
        try:
            value, at = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        found.append(value)
    return found or None


#: JSON values in one event of a stream (two were seen), or behind each other in a body.
_MAX_VALUES = 10_000


def has_halves(data: bytes) -> bool:
    """Whether a text of JSON may hold halves of characters: they are always spelled as escapes."""
    if len(data) <= _STEP:
        return b"\\" in data and (b"\\ud" in data or b"\\uD" in data)
    return any(
        data.find(half, at, at + _STEP + 2) >= 0 for at in range(0, len(data), _STEP) for half in (b"\\ud", b"\\uD")
    )


def _count(data: bytes, mark: bytes) -> int:
    return sum(data.count(mark, at, at + _STEP) for at in range(0, len(data), _STEP))


def is_whole(value: JSON) -> bool:
    """Whether every text in ``value`` is made of whole characters."""
    if isinstance(value, str):
        if value.isascii():
            return True
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
        return True
    if isinstance(value, Mapping):
        return all(is_whole(name) and is_whole(item) for name, item in value.items())
    return all(map(is_whole, value)) if isinstance(value, list | tuple) else True


def rejoined(value: JSON) -> JSON:
    """``value`` with the halves of split characters joined (a delta may end in one), and lone halves replaced."""
    if isinstance(value, str):
        return value if is_whole(value) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {rejoined(name): rejoined(item) for name, item in value.items()}
    return [rejoined(item) for item in value] if isinstance(value, list | tuple) else value


def as_dict(value: object) -> Mapping[str, Any]:
    """``value`` when it is an object, else an empty one."""
    # A dict or nothing it is nearly always, and an abstract class's look at one takes ten times as long.
    return value if type(value) is dict or (value is not None and isinstance(value, Mapping)) else _NOTHING


def as_list(value: object) -> Sequence[Any]:
    """``value`` when it is an array, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def dicts(value: object) -> Iterable[Mapping[str, Any]]:
    """The objects among the items of an array; nothing when ``value`` is no array."""
    if type(value) is list and (
        (len(value) == 1 and type(value[0]) is dict) or _DICT.issuperset(map(type, value))
    ):  # as it nearly always is
        return value
    return (item for item in as_list(value) if isinstance(item, Mapping))


def as_str(value: object) -> str | None:
    """``value`` when it is a non-empty string."""
    return value if isinstance(value, str) and value else None


def texts(value: object) -> Iterator[str]:
    """A text itself, or those of an array; none that is empty."""
    for text in [value] if isinstance(value, str) else as_list(value):
        if isinstance(text, str) and text:
            yield text


def as_count(value: object) -> int | None:
    """A count that cannot be negative (tokens, requests): an int, or a float with an integral value."""
    if type(value) is int:
        return value if 0 <= value <= _MAX_COUNT else None
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= _MAX_COUNT else None


def text_count(text: object) -> int | None:
    """A count that is told as text: digits and no more."""
    told = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 20
    return as_count(int(str(text))) if told else None


def header_count(headers: Mapping[str, str], name: str) -> int | None:
    """A count that a header tells."""
    return text_count(headers.get(name, ""))


def as_float(value: object) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def add_counts(*counts: int | None) -> int | None:
    """The sum of the counts that are known; ``None`` when none is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def as_text(value: JSON) -> str:
    """A value as JSON text: what stands where a text is meant to."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def arguments(text: object) -> JSON:
    """Tool arguments: the decoded JSON when ``text`` is JSON text, else ``text`` itself (cut streams, bad models)."""
    if not isinstance(text, str):
        return text
    try:
        return loads(text) if text.strip() else {}
    except ValueError:
        return text
