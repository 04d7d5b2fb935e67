"""The numbers of the overview, for the page and for the report. Several readings at once: SQLite leaves the lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace

from ..look import _cube
from ..look._filter import Filter
from ..look._reader import Reader, Row
from ..look._when import iso
from ._charts import Layer, bars

#: Spans to look at, their length in ms (``None``: all there is).
RANGES: dict[str, int | None] = {
    "1h": 3_600_000,
    "24h": 86_400_000,
    "7d": 7 * 86_400_000,
    "30d": 30 * 86_400_000,
    "all": None,
}
_HOUR = 3_600_000
_STEPS = (
    1_000,
    5_000,
    15_000,
    60_000,
    300_000,
    900_000,
    _HOUR,
    3 * _HOUR,
    6 * _HOUR,
    24 * _HOUR,
    7 * 24 * _HOUR,
    30 * 24 * _HOUR,
)
_BARS = 62
_TOP = 10
_SHARES = (0.5, 0.95)
_Read = TypeVar("_Read")
Times = Mapping[int, Sequence[Sequence[float]]]


class Chart(Struct, frozen=True):
    """One chart and its legend."""

    title: str
    layers: list[Layer]
    drawn: Markup


class Overview(Struct, frozen=True):
    """What the overview shows."""

    total: Row
    users: int
    sessions: int
    latency: list[float | None]
    ttft: list[float | None]
    by: dict[str, list[Row]]
    tools: list[Row]
    cache: list[Row]
    saved_usd: float | None
    charts: list[Chart]
    series: list[Row]
    errors: list[Row]


def overview(path: Path, which: Filter) -> Overview:
    """Read it all."""
    # A moment ago is now, for all of the readings: their sums must be of the same calls.
    with Reader(path) as reader:
        last = reader.one("SELECT max(time_ms) FROM events")
        first = reader.one("SELECT min(time_ms) FROM events WHERE time_ms >= ?", (which.since_ms or 0,))
    if which.until_ms is None and last is not None:
        which = replace(which, until_ms=last + 1)
    step = _step(first, which.until_ms)
    with Reader(path) as reader:
        reader.hold()
        found = _cube.stretches(reader, which, step)

    def read(ask: Callable[[Reader, _cube.Stretches], _Read]) -> _Read:
        with Reader(path) as reader:
            reader.hold()
            return ask(reader, found if found.hold_for(reader) else _cube.stretches(reader, which, step))

    with ThreadPoolExecutor(3) as pool:
        made = pool.submit(read, lambda reader, parts: _cube.cube(reader, parts, "model", step))
        users = pool.submit(read, lambda reader, parts: _cube.cube(reader, parts, "user"))
        sessions = pool.submit(read, lambda reader, parts: _cube.names(reader, parts, "session"))
        tools = pool.submit(read, lambda reader, parts: _cube.cube(reader, parts, "tool"))
        errors = pool.submit(read, lambda reader, parts: _cube.cube(reader, parts, "error"))
        cached = pool.submit(read, lambda reader, parts: _cube.cube(reader, parts, "cache"))
        times = read(lambda reader, parts: _cube.times(reader, parts, step))
    rows = made.result()
    stretches = _filled(_with_shares(_cube.fold(rows, "at_ms", "time_ms"), times), step)
    everyone = _cube.fold(users.result(), "name", "user")
    return Overview(
        total=_cube.fold(rows, None)[0],
        users=sum(row["user"] is not None for row in everyone),
        sessions=len(sessions.result()),
        latency=_shares_of_all(times, 0),
        ttft=_shares_of_all(times, 1),
        by={
            "model": _cube.fold(rows, "name", "model")[:_TOP],
            "user": everyone[:_TOP],
            "agent": _cube.fold(rows, "other", "agent")[:_TOP],
        },
        tools=_most(_cube.fold(tools.result(), "name", "tool")),
        cache=sorted(_cube.fold(cached.result(), "name", "model"), key=_saved)[:_TOP],
        saved_usd=_cube.fold(cached.result(), None)[0]["saved_usd"],
        charts=_charts(stretches, step),
        series=stretches,
        errors=_most({"error": row["name"], "status": row["other"], **row} for row in _added(errors.result())),
    )


def _most(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -row["calls"])[:_TOP]


def _saved(row: Row) -> tuple[float, int]:
    return -(row["saved_usd"] or 0), -(row["cached_input_tokens"] or 0)


def _added(rows: list[Row]) -> list[Row]:
    """Rows of the same name and other, from several stretches, as one."""
    calls: Counter[tuple[Any, Any]] = Counter()
    for row in rows:
        calls[row["name"], row["other"]] += row["calls"]
    return [{"name": name, "other": other, "calls": number} for (name, other), number in calls.items()]


def _shares_of_all(times: Times, index: int) -> list[float | None]:
    return _cube.shares(chain.from_iterable(both[index] for both in times.values()), _SHARES)


def _with_shares(series: list[Row], times: Times) -> list[Row]:
    for row in series:
        for name, values in zip(("latency", "ttft"), times.get(row["time_ms"], ((), ())), strict=True):
            row[f"{name}_p50"], row[f"{name}_p95"] = _cube.shares(values, _SHARES)
    return sorted(series, key=lambda row: row["time_ms"])


def _step(first: int | None, last: int | None) -> int:
    if first is None or last is None:
        return _HOUR
    return next((step for step in _STEPS if (last - first) / step <= _BARS), _STEPS[-1])


def _filled(series: list[Row], step: int) -> list[Row]:
    """With the stretches between in which nothing happened: a gap is to be seen."""
    if not series:
        return []
    known = {row["time_ms"]: row for row in series}
    first, last = series[0]["time_ms"], series[-1]["time_ms"]
    if (last - first) // step > 10 * _BARS:
        return series
    empty = dict.fromkeys(series[0])
    return [known.get(at, {**empty, "time_ms": at, "calls": 0, "errors": 0}) for at in range(first, last + 1, step)]


def _charts(series: list[Row], step: int) -> list[Chart]:
    labels = [
        (iso(row["time_ms"]) or "")[: 10 if step >= 24 * _HOUR else 16 if step >= 60_000 else 19].replace("T", " ")
        for row in series
    ]

    def values(name: str) -> list[float | None]:
        return [row[name] for row in series]

    fine = [row["calls"] - row["errors"] for row in series]
    unread = [_less(row["input_tokens"], row["cached_input_tokens"]) for row in series]
    every = [
        ("Calls", [Layer("ok", "fine", fine), Layer("failed", "failed", values("errors"))], ""),
        ("Cost, USD", [Layer("cost", "cost", values("cost_usd"))], ""),
        ("Cost of a call with a price, USD", [Layer("cost", "mean cost", [_mean_cost(row) for row in series])], ""),
        (
            "Tokens",
            [
                Layer("cached", "cached input", values("cached_input_tokens")),
                Layer("in", "other input", unread),
                Layer("out", "output", values("output_tokens")),
            ],
            "",
        ),
        ("Latency", _two(values("latency_p50"), values("latency_p95")), " ms"),
        ("Time to first token", _two(values("ttft_p50"), values("ttft_p95")), " ms"),
    ]
    return [Chart(title, layers, bars(f"{title} over time", labels, layers, unit)) for title, layers, unit in every]


def _mean_cost(row: Row) -> float | None:
    cost, priced = row["cost_usd"], row["calls"] - (row["calls_without_cost"] or 0)
    return cost / priced if cost is not None and priced else None


def _two(median: list[float | None], most: list[float | None]) -> list[Layer]:
    """The median, and on top of it what is missing to the 95th percentile."""
    above = [_less(*pair) for pair in zip(most, median, strict=True)]
    return [Layer("ms", "median", median), Layer("tail", "95%", above, most)]


def _less(all_of: float | None, part: float | None) -> float | None:
    return None if all_of is None else max(0, all_of - (part or 0))
