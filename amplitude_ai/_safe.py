"""Values that Amplitude, JSON and SQLite all take, made of any Python value. Standard library only.

In: whatever a caller or a provider put into a property. Out: new ``dict``, ``list``, ``str``, ``int``, ``float`` and
``bool`` objects, never the ones that came in, so nobody downstream can change what somebody upstream holds.

Why: amplitude-analytics drops *all* properties of an event when one of them is a Decimal, a datetime, a tuple, bytes,
a list in a list or a list with ``None`` (``amplitude.event.is_validate_properties``), or when there are more than 1,024
(``amplitude.utils.truncate``); NaN makes the whole request invalid JSON.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import json
import math
from collections.abc import Iterable, Mapping
from operator import is_
from typing import Any

from ._pattern import lazy_pattern

#: Levels of nesting kept; Amplitude takes 40 (https://amplitude.com/docs/faq/limits).
MAX_DEPTH = 16
#: Keys of one dict and items of one list that are kept; Amplitude's SDK empties a dict of more than 1,024.
MAX_ITEMS = 1000
#: Values kept in one event, over all levels: the bound for structures that are wide at every level.
MAX_VALUES = 5000
#: Characters of a key, and of the text that stands for an object of an unknown class.
MAX_NAME = 1024
#: Rows of names that are remembered, and the characters of one.
_MAX_KNOWN, _MAX_KNOWN_TEXT = 256, 8192
_MAX_INT = 2**63 - 1  # the largest SQLite and most JSON readers take as a whole number

#: What needs no copy, and what may stand in a flat mapping.
_PLAIN = frozenset({str, int, float, bool, type(None)})
_STR = frozenset({str})

#: Half of a surrogate pair has no UTF-8 form, and SQL functions take NUL for the end of the text.
_UNWRITABLE = lazy_pattern("[\ud800-\udfff\0]")


def safe_text(text: str) -> str:
    """``text`` as a plain ``str`` that has a UTF-8 form and no NUL; what has none becomes U+FFFD."""
    plain = str.__str__(text)
    return plain if plain.isascii() and "\0" not in plain else _UNWRITABLE.sub("\ufffd", plain)


def safe_properties(properties: Mapping[Any, Any]) -> dict[str, Any]:
    """A deep copy of ``properties`` that can be sent and stored. Never raises; unknown classes become their ``str()``.

    What has no value (``None``, NaN, infinities) is left out. Of too much the last is kept, where our own stand.
    """
    return known_again(properties)[0]


def known_again(properties: Mapping[Any, Any]) -> tuple[dict[str, Any], Made]:
    """What `safe_properties` makes, and what knows it again."""
    made = _flat(properties)
    if made is not None:
        return made, Made(made, True)
    made = _Maker().mapping(properties, 0)
    return made, Made(made, _is_flat(made))


def copy_of(value: Any) -> Any:
    """A deep copy of what `safe_properties` made, a small part of what ``copy.deepcopy`` costs."""
    kind = type(value)
    if kind is dict:
        if _is_flat(value):
            return value.copy()
        return {name: item if type(item) in _PLAIN else copy_of(item) for name, item in value.items()}
    if kind is list:
        return [item if type(item) in _PLAIN else copy_of(item) for item in value]
    # A plugin has put something else there since.
    return value if kind in _PLAIN else copy.deepcopy(value)


class Made:
    """What `safe_properties` made, to be known again: to look through it anew takes ten times as long.

    Nothing but what cannot be changed is known again: of a mapping that holds others, nobody can tell.
    """

    __slots__ = ("_names", "_values")

    def __init__(self, made: dict[str, Any], is_flat: bool) -> None:
        self._names: tuple[str, ...] | None = tuple(made) if is_flat else None
        self._values = tuple(made.values()) if is_flat else ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Made) and (self._names, self._values) == (other._names, other._values)

    __hash__ = None  # type: ignore[assignment]

    def is_same(self, properties: object) -> bool:
        """Whether these are the very names and values that were made, in a copy or not."""
        return (
            self._names is not None
            and type(properties) is dict
            and len(properties) == len(self._names)
            and all(map(is_, properties, self._names))
            and all(map(is_, properties.values(), self._values))
        )


#: The names of events' properties that are safe as they are, by themselves: a program has few such rows.
_safe_names: set[tuple[str, ...]] = set()


def _are_safe(names: tuple[Any, ...]) -> bool:
    """Whether these names need no change. To find that out takes longer than to look at their values."""
    if not _STR.issuperset(map(type, names)):
        return False
    if names in _safe_names:
        return True
    text = "".join(names)
    if not text.isascii() or "\0" in text or max(map(len, names)) > MAX_NAME:
        return False
    if len(text) <= _MAX_KNOWN_TEXT:
        if len(_safe_names) >= _MAX_KNOWN:
            _safe_names.clear()
        _safe_names.add(names)
    return True


def _is_flat(made: dict[str, Any]) -> bool:
    return _PLAIN.issuperset(map(type, made.values()))


def _flat(properties: Mapping[Any, Any]) -> dict[str, Any] | None:
    """The same as `_Maker` makes, where nothing is nested, of unknown class or too much: nearly always. Else ``None``.

    A third of what an event costs would be to look at each key and value as `_Maker` does.
    """
    if type(properties) is not dict or len(properties) > MAX_ITEMS:
        return None
    if not properties:
        return {}
    if not _are_safe(tuple(properties)):
        return None
    made = properties.copy()
    absent = []
    for name, item in made.items():
        kind = type(item)
        if kind is str:
            if not item.isascii() or "\0" in item:
                made[name] = safe_text(item)
        elif kind is int:
            if not -_MAX_INT <= item <= _MAX_INT:
                made[name] = _whole(item)
        elif item is None or (kind is float and not math.isfinite(item)):
            absent.append(name)
        elif kind not in _PLAIN:
            return None
    for name in absent:
        del made[name]
    return made


class _Maker:
    """One pass over one event's properties."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        # From the end, where our own stand: of too many values it is they that are kept.
        for key, item in list(value.items())[: -MAX_ITEMS - 1 : -1]:
            safe = self.value(item, depth + 1)
            if safe is not None:
                made.setdefault(_key(key), safe)
        return dict(reversed(made.items()))

    def value(self, value: Any, depth: int) -> Any:
        """The safe form of ``value``; ``None`` when there is none."""
        self._left -= 1
        if self._left < 0:
            return None
        kind = type(value)  # nearly all are of these very classes
        if kind is str:
            return safe_text(value)
        if kind is int:
            return _whole(value)
        if kind is float:
            return _number(value)
        if isinstance(value, enum.Enum):
            value = value.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return safe_text(value)
        if isinstance(value, int):
            return _whole(value)
        if isinstance(value, float | decimal.Decimal):
            return _number(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, depth)
        return _other(value)

    def _container(self, value: Mapping[Any, Any] | Iterable[Any], depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return f"<{type(value).__name__}>"
        if isinstance(value, Mapping):
            return self.mapping(value, depth)
        made = []
        for item in list(value)[:MAX_ITEMS]:
            safe = self.value(item, depth + 1)
            if isinstance(safe, list):
                safe = json.dumps(safe, ensure_ascii=False)  # Amplitude knows no list in a list
            if safe is not None:
                made.append(safe)
        return made


def _key(key: Any) -> str:
    return safe_text(key)[:MAX_NAME] if isinstance(key, str) else _text_of(key)


def _whole(value: int) -> int | str:
    if -_MAX_INT <= value <= _MAX_INT:
        return int(value)
    # Python refuses to write numbers of more than 4,300 digits, which is 14,284 bits.
    return str(int(value)) if value.bit_length() < 14_000 else f"<int of {value.bit_length()} bits>"


def _number(value: float | decimal.Decimal) -> float | None:
    if isinstance(value, decimal.Decimal) and not value.is_finite():
        return None  # a signalling NaN cannot even be made a float
    number = float(value)
    return number if math.isfinite(number) else None


def _other(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return _text_of(value)


def _text_of(value: Any) -> str:
    try:
        text = str(value)
    except Exception:
        # The class is the user's, and so is its error: the event says which class it was.
        return f"<{type(value).__name__}>"
    return safe_text(text)[:MAX_NAME]
