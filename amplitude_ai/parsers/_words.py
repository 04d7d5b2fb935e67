"""Words that a pattern cannot do without: by them most paths and hosts are told to be none of ours, in a microsecond.

In: a pattern of the tables (`_paths`, `compatible`). Out: for every text that it matches at least one whole part of it,
between two separators. To go through eighty patterns took up to 15 µs for each path that was new (``/items/4711``), and
to compile them 5 ms of the application's first request. It reads what the tables use of the language of patterns, and
takes whatever it does not know for something that may match anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Generic, TypeVar

T = TypeVar("T")

#: Stands for what may be anything, separators and nothing included.
_ANY = "\0"
#: What means something else than itself, and what may stand behind an atom.
_SPECIAL, _MARKS = frozenset("\\[](){}|?*+.^$"), frozenset("?*+{")
#: Readings of a pattern that are told apart; where it has more, it may match anything.
_MAX_READINGS = 256


class Index(Generic[T]):
    """Rows by the words without which they match nothing.

    Args:
        rows: in the order in which they count.
        separators: the characters that stand between two words of a text.
    """

    def __init__(self, rows: Iterable[tuple[str, T]], separators: str) -> None:
        self._separators = separators
        self._rows: list[T] = []
        self._by_word: dict[str, list[int]] = {}
        self._always_at: list[int] = []
        for at, (pattern, row) in enumerate(rows):
            self._rows.append(row)
            words = needed(pattern, separators)
            if words is None:
                self._always_at.append(at)
            for word in words or ():
                self._by_word.setdefault(word, []).append(at)
        self._always = [self._rows[at] for at in self._always_at]
        self._words = frozenset(self._by_word)

    def candidates(self, text: str) -> list[T]:
        """The rows that may match ``text``, in their order."""
        if not self.shares_word(text):
            return self._always
        found = {at for word in _parts(text, self._separators) for at in self._by_word.get(word, ())}
        return [self._rows[at] for at in sorted(found.union(self._always_at))]

    def shares_word(self, text: str) -> bool:
        """Whether ``text`` may match any row but those whose patterns have no word."""
        return not self._words.isdisjoint(_parts(text, self._separators))


def _parts(text: str, separators: str) -> list[str]:
    for other in separators[1:]:
        text = text.replace(other, separators[0])
    return text.split(separators[0])


def needed(pattern: str, separators: str) -> frozenset[str] | None:
    """Words of which every text that ``pattern`` matches has one; ``None`` where it may match without any."""
    readings, at = _readings(pattern, 0)
    if at < len(pattern):
        return None
    words = set()
    for reading in readings:
        literal = [part for part in _parts(reading, separators) if part and _ANY not in part]
        if not literal:
            return None
        words.add(max(literal, key=len))
    return frozenset(words)


def _readings(pattern: str, at: int) -> tuple[set[str], int]:
    """What stands from here to the end, or to the bracket that closes: its alternatives, each by its readings."""
    every: set[str] = set()
    while True:
        found, at = _sequence(pattern, at)
        every |= found
        if at >= len(pattern) or pattern[at] != "|":
            return every, at
        at += 1


def _sequence(pattern: str, at: int) -> tuple[set[str], int]:
    read = {""}
    while at < len(pattern) and pattern[at] not in "|)":
        options, at = _atom(pattern, at)
        mark = pattern[at : at + 1]
        if mark in _MARKS:
            options = options | {""} if mark == "?" else {_ANY}
            end = pattern.find("}", at) if mark == "{" else at
            at = (end if end >= 0 else len(pattern)) + 1
        read = {before + option for before, option in product(read, options)}
        if len(read) > _MAX_READINGS:
            read = {_ANY}
    return read, at


def _atom(pattern: str, at: int) -> tuple[set[str], int]:
    end = at
    while end < len(pattern) and pattern[end] not in _SPECIAL:
        end += 1
    if pattern[end : end + 1] in _MARKS:  # it means the last character alone
        end = max(end - 1, at)
    if end > at:
        return {pattern[at:end]}, end
    first = pattern[at]
    if first == "\\":
        escaped = pattern[at + 1 : at + 2]
        return {_ANY if escaped.isalnum() else escaped}, at + 2
    if first == "[":
        end = pattern.find("]", at + 3 if pattern[at + 1 : at + 2] == "^" else at + 2)
        return {_ANY}, (end if end >= 0 else len(pattern)) + 1
    if first == "(":
        kind = pattern[at + 1 : at + 3]
        inner, at = _readings(pattern, at + 3)
        # What must not follow is no part of the text.
        return ({"?:": inner, "?!": {""}}.get(kind, {_ANY})), at + 1
    return {_ANY if first in ".^$" else first}, at + 1
