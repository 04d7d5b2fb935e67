"""Counts that a stream tells several times: a later zero, null or partial one takes nothing away.

What was written is counted cumulatively and never falls. What was read is told again with it, and a later snapshot that
is whole may correct it (Gemini's first ones are estimates). What a format adds up (cached and fresh input, an answer
and its thoughts) is a group, and a group comes from one snapshot: parts of two would be a figure no server sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ._json import add_counts, as_count, as_dict


class Group(Struct, frozen=True):
    """Names of counts that are added up (``counted``), and what belongs to them (``attached``).

    ``grows``: it counts what was written so far.
    """

    counted: tuple[str, ...]
    attached: tuple[str, ...] = ()
    grows: bool = False


def later(known: object, told: object, groups: Sequence[Group], omits: bool = False) -> dict[str, Any]:
    """The usage after another snapshot of it.

    Args:
        known: what was told so far.
        told: the snapshot; anything but an object tells nothing.
        groups: which counts are added up.
        omits: the format leaves out what has not changed, so that a count not told is the one known.
    """
    before, after = as_dict(known), as_dict(told)
    merged = dict(before)
    grouped = {name for group in groups for name in (*group.counted, *group.attached)}
    for name, value in after.items():
        if name not in grouped:
            merged[name] = _higher(before.get(name), value)
    is_whole = _is_whole(before, after, groups)
    for group in groups:
        had, has = _sum(before, group.counted), _sum(after, group.counted)
        if has is None:
            merged.update(
                {name: _higher(before.get(name), after.get(name)) for name in group.attached if name in after}
            )
        if has is None or (had and not has):
            continue
        given = {name: after.get(name) for name in group.counted}
        if omits:
            given = {name: before.get(name) if value is None else value for name, value in given.items()}
            has = _sum(given, group.counted) or 0
        if had is not None and has < had and (group.grows or not is_whole):
            continue
        merged.update(given)
        for name in group.attached:
            value = after.get(name)
            if had == has or had is None:
                merged[name] = _higher(before.get(name), value)
            elif value is not None:
                merged[name] = value
            elif has < had or isinstance(before.get(name), list):
                merged.pop(name, None)  # the parts of another sum
    return merged


def _is_whole(before: Mapping[str, Any], after: Mapping[str, Any], groups: Sequence[Group]) -> bool:
    """Whether a snapshot tells what was written, no less than the one before it did."""
    told = False
    for group in groups:
        had, has = _sum(before, group.counted), _sum(after, group.counted)
        if group.grows and has is not None and has >= (had or 0):
            told = True
        elif group.grows and had is not None:
            return False
    return told


def _sum(usage: Mapping[str, Any], names: Sequence[str]) -> int | None:
    return add_counts(*(as_count(usage.get(name)) for name in names))


def _higher(before: Any, after: Any) -> Any:
    """A count, or a table of them, that never falls; of anything else the later word."""
    if after is None:
        return before
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return {**before, **{name: _higher(before.get(name), value) for name, value in after.items()}}
    if _is_number(before):
        return max(before, after) if _is_number(after) else before
    return after


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
