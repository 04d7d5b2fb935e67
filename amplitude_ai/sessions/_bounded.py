"""A table that keeps what was last told, and no more than so much of it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remember(table: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    """Put ``value`` in ``table`` as the newest; with more than ``most`` of them, the oldest goes."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
