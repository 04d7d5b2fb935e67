"""`cube`: one reading of many calls that all sums of the overview are folded from, so that a million are read once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from ._filter import Filter
from ._reader import Reader, Row

_ADDED = ("input_tokens", "output_tokens", "total_tokens", "cached_input_tokens", "cost_usd")
_COUNTED = ("calls", "errors", "retries", "priced", "latency_n", "ttft_n")
_SUMMED = (*_ADDED, "latency_sum", "ttft_sum")


def cube(reader: Reader, which: Filter, step_ms: int) -> list[Row]:
    """The calls' sums by stretch of time, model and agent: some hundreds of rows. Each key more costs a sort."""
    where, values = which.where(reader)
    of = reader.column
    return reader.rows(
        f"""SELECT time_ms / :step * :step AS time_ms, {of("model_name")} AS model, {of("agent")} AS agent,
        count(*) AS calls, sum({of("success")} = 0) AS errors, sum({of("attempt")} > 0) AS retries,
        {", ".join(f"sum({of(name)}) AS {name}" for name in _ADDED)}, count({of("cost_usd")}) AS priced,
        sum({of("latency_ms")}) AS latency_sum, count({of("latency_ms")}) AS latency_n,
        sum({of("time_to_first_token_ms")}) AS ttft_sum, count({of("time_to_first_token_ms")}) AS ttft_n
        FROM events WHERE {where} GROUP BY 1, 2, 3""",
        {**values, "step": step_ms},
    )


def fold(rows: Iterable[Row], key: str | None) -> list[Row]:
    """One row per value of ``key`` (``None``: one row), in the form of `_sums.costs`; the dearest first."""
    groups: dict[Hashable, dict[str, Any]] = {}
    for row in rows:
        name = row[key] if key else None
        group = groups.get(name)
        if group is None:
            group = groups[name] = {**dict.fromkeys(_COUNTED, 0), **dict.fromkeys(_SUMMED)}
        for each in _COUNTED:
            group[each] += row[each] or 0
        for each in _SUMMED:
            if row[each] is not None:
                group[each] = (group[each] or 0) + row[each]
    if not groups and key is None:
        groups[None] = {**dict.fromkeys(_COUNTED, 0), **dict.fromkeys(_SUMMED)}
    made = [{**({key: name} if key else {}), **_finished(group)} for name, group in groups.items()]
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
