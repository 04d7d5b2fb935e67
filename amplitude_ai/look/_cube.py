"""The sums of the overview: of hours that the store has summed up already, and event by event of the rest.

`Stretches` says which are which; `cube` and `times` read both; `fold` adds up what they gave.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ._filter import Filter
from ._kinds import COUNTED, HOUR_MS, KINDS, SUMMED, resummed_sql, sums_sql
from ._reader import Reader, Row

#: Stretches that are read event by event, at the most; where they are more, all of it is.
_STRETCHES = 50
_TTFT = "time_to_first_token_ms"


class Stretches(Struct, frozen=True):
    """A span of time in parts.

    Attributes:
        summed: hours since 1970, from and before, that are summed up wherever they have events.
        live: the rest.
        events: how many events the summed hours have.
    """

    summed: Sequence[tuple[int, int]]
    live: Sequence[Filter]
    events: int = 0

    def hold_for(self, reader: Reader) -> bool:
        """Whether another reader, a moment later, finds the same hours summed up."""
        return bool(self.events == sum(reader.one(_EVENTS_OF, part) for part in self.summed))


_EVENTS_OF = "SELECT coalesce(sum(events), 0) FROM hours WHERE hour >= ? AND hour < ?"


def stretches(reader: Reader, which: Filter, step_ms: int = HOUR_MS) -> Stretches:
    """What of ``which`` (with an end) is summed up: whole hours, where only time is asked for, and in steps of hours.

    The reader must hold still (`Reader.hold`) until the parts are read; see `Stretches.hold_for`.
    """
    only_time = Filter(since_ms=which.since_ms, until_ms=which.until_ms)
    if which != only_time or which.until_ms is None or step_ms % HOUR_MS or not reader.has_table("hours"):
        return Stretches((), (which,))
    first, last = -(-(which.since_ms or 0) // HOUR_MS), which.until_ms // HOUR_MS
    summed: list[tuple[int, int]] = []
    live: list[Filter] = []
    at = which.since_ms
    believed = _believed(reader, first, last)
    for hour in believed:
        begin = hour * HOUR_MS
        is_gap = at is None or (at < begin and _has_events(reader, at, begin))
        if is_gap:
            live.append(replace(which, since_ms=at, until_ms=begin))
        if is_gap or not summed:
            summed.append((hour, hour + 1))
        else:
            summed[-1] = (summed[-1][0], hour + 1)  # over hours without events, too
        at = begin + HOUR_MS
    live.append(replace(which, since_ms=at))
    if len(live) > _STRETCHES:
        return Stretches((), (which,))
    return Stretches(summed, live, sum(believed.values()))


def _believed(reader: Reader, first: int, last: int) -> dict[int, int]:
    """Hours that are summed up and have as many events as then; in order, with that number."""
    told = "SELECT hour, events FROM hours WHERE hour >= ? AND hour < ? ORDER BY hour"
    hours: dict[int, int] = dict(reader.tuples(told, (first, last)).fetchall())
    if not hours:
        return {}
    span = (min(hours) * HOUR_MS, (max(hours) + 1) * HOUR_MS)
    within = "FROM events WHERE time_ms >= ? AND time_ms < ?"
    if reader.one(f"SELECT count(*) {within}", span) == sum(hours.values()):
        return hours
    counted = dict(reader.tuples(f"SELECT time_ms / {HOUR_MS}, count(*) {within} GROUP BY 1", span).fetchall())
    return {hour: events for hour, events in hours.items() if counted.get(hour) == events}


def _has_events(reader: Reader, since_ms: int, until_ms: int) -> bool:
    return bool(
        reader.one("SELECT EXISTS (SELECT 1 FROM events WHERE time_ms >= ? AND time_ms < ?)", (since_ms, until_ms))
    )


def cube(reader: Reader, parts: Stretches, kind: str, step_ms: int | None = None) -> list[Row]:
    """Sums by ``name`` and ``other`` of a kind, and by stretch of time (``time_ms``) where a step is given."""
    asked = KINDS[kind]
    key = "NULL" if step_ms is None else "time_ms / :step * :step"
    rows: list[Row] = []
    for which in parts.live:
        where, values = which.where(reader, asked.event_type)
        where += asked.where(reader.column)
        rows += reader.rows(
            f"SELECT {key} AS at_ms, {sums_sql(asked, reader.column)} FROM events WHERE {where} GROUP BY 1, 2, 3",
            {**values, "step": step_ms},
        )
    key = "NULL" if step_ms is None else f"hour * {HOUR_MS} / :step * :step"
    for since, until in parts.summed:
        rows += reader.rows(
            f"SELECT {key} AS at_ms, {resummed_sql()} FROM hour_sums "
            "WHERE kind = :kind AND hour >= :since AND hour < :until GROUP BY 1, 2, 3",
            {"kind": kind, "since": since, "until": until, "step": step_ms},
        )
    return rows


def names(reader: Reader, parts: Stretches, kind: str) -> set[Any]:
    """The different names of a kind; ``None`` is none."""
    asked = KINDS[kind]
    found: set[Any] = set()
    for which in parts.live:
        where, values = which.where(reader, asked.event_type)
        found.update(reader.tuples(f"SELECT DISTINCT {reader.column(asked.name)} FROM events WHERE {where}", values))
    for part in parts.summed:
        condition = "kind = ? AND hour >= ? AND hour < ?"
        found.update(reader.tuples(f"SELECT DISTINCT name FROM hour_sums WHERE {condition}", (kind, *part)))
    return {name for (name,) in found} - {None}


def times(reader: Reader, parts: Stretches, step_ms: int) -> dict[int, tuple[array[float], array[float]]]:
    """By stretch of time the latencies of its calls, and their times to the first token; in no order."""
    found: dict[int, tuple[array[float], array[float]]] = {}
    for since, until in parts.summed:
        told = "SELECT hour, latencies, first_tokens FROM hours WHERE hour >= ? AND hour < ?"
        rows = reader.tuples(told, (since, until))
        for hour, latencies, first_tokens in rows:
            place = found.setdefault(hour * HOUR_MS // step_ms * step_ms, (array("d"), array("d")))
            place[0].frombytes(latencies)
            place[1].frombytes(first_tokens)
    columns = f"time_ms / :step * :step, {reader.column('latency_ms')}, {reader.column(_TTFT)}"
    for which in parts.live:
        where, values = which.where(reader)
        for at_ms, *both in reader.tuples(f"SELECT {columns} FROM events WHERE {where}", {**values, "step": step_ms}):
            place = found.setdefault(at_ms, (array("d"), array("d")))
            for index, value in enumerate(both):
                if isinstance(value, int | float):
                    place[index].append(value)
    return found


def shares(values: Iterable[float], wanted: Sequence[float]) -> list[float | None]:
    """The values that so large a share of all does not exceed (nearest rank)."""
    known = sorted(values)
    return [known[max(0, math.ceil(share * len(known)) - 1)] if known else None for share in wanted]


def fold(rows: Iterable[Row], key: str | None, called: str | None = None) -> list[Row]:
    """One row per value of ``key`` (``None``: one row), in the form of `_sums.costs`; the dearest first.

    Args:
        called: what the key is called in the result.
    """
    groups: dict[Hashable, dict[str, Any]] = {}
    for row in rows:
        name = row[key] if key else None
        group = groups.get(name)
        if group is None:
            group = groups[name] = {**dict.fromkeys(COUNTED, 0), **dict.fromkeys(SUMMED)}
        for each in COUNTED:
            group[each] += row[each] or 0
        for each in SUMMED:
            if row[each] is not None:
                group[each] = (group[each] or 0) + row[each]
    if not groups and key is None:
        groups[None] = {**dict.fromkeys(COUNTED, 0), **dict.fromkeys(SUMMED)}
    made = [{**({called or key: name} if key else {}), **_finished(group)} for name, group in groups.items()]
    return sorted(made, key=lambda row: (-(row["cost_usd"] or 0), -row["calls"]))


def _finished(group: dict[str, Any]) -> Row:
    latency, latency_n = group.pop("latency_sum"), group.pop("latency_n")
    ttft, ttft_n = group.pop("ttft_sum"), group.pop("ttft_n")
    return {
        **group,
        "calls_without_cost": group["calls"] - group.pop("priced"),
        "avg_latency_ms": latency / latency_n if latency_n else None,
        "avg_ttft_ms": ttft / ttft_n if ttft_n else None,
    }
