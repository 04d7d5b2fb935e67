"""The numbers of the overview, for the page and for the report. Several readings at once: SQLite leaves the lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..look import _cube, _sums
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
#: Users that are counted at the most.
_MANY = 100_000
_SHARES = (0.5, 0.95)
_TIMES = ("latency_ms", "time_to_first_token_ms")


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart and its legend."""

    title: str
    layers: list[Layer]
    svg: Markup


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows."""

    total: Row
    users: int
    sessions: int
    latency: list[float | None]
    ttft: list[float | None]
    by: dict[str, list[Row]]
    tools: list[Row]
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

    def read(ask: Any) -> Any:
        with Reader(path) as reader:
            return ask(reader)

    with ThreadPoolExecutor(3) as pool:
        cube = pool.submit(read, lambda reader: _cube.cube(reader, which, step))
        users = pool.submit(read, lambda reader: _sums.costs(reader, "user", which, _MANY))
        sessions = pool.submit(read, lambda reader: _sums.count_sessions(reader, which))
        tools = pool.submit(read, lambda reader: _sums.tools(reader, which, _TOP))
        errors = pool.submit(read, lambda reader: _sums.errors(reader, which, _TOP))
        shares = read(lambda reader: _sums.percentiles(reader, which, _TIMES, _SHARES))
    rows = cube.result()
    stretches = _filled(sorted(_cube.fold(rows, "time_ms"), key=lambda row: row["time_ms"]), step)
    return Overview(
        total=_cube.fold(rows, None)[0],
        users=sum(row["user"] is not None for row in users.result()),
        sessions=sessions.result(),
        latency=shares[0],
        ttft=shares[1],
        by={
            "model": _cube.fold(rows, "model")[:_TOP],
            "user": users.result()[:_TOP],
            "agent": _cube.fold(rows, "agent")[:_TOP],
        },
        tools=tools.result(),
        charts=_charts(stretches, step),
        series=stretches,
        errors=errors.result(),
    )


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
        (
            "Tokens",
            [
                Layer("cached", "cached input", values("cached_input_tokens")),
                Layer("in", "other input", unread),
                Layer("out", "output", values("output_tokens")),
            ],
            "",
        ),
        ("Average latency", [Layer("ms", "latency", values("avg_latency_ms"))], " ms"),
        ("Average time to first token", [Layer("ms", "time to first token", values("avg_ttft_ms"))], " ms"),
    ]
    return [Chart(title, layers, bars(f"{title} over time", labels, layers, unit)) for title, layers, unit in every]


def _less(all_of: float | None, part: float | None) -> float | None:
    return None if all_of is None else max(0, all_of - (part or 0))
