"""Which columns the lists have."""

from __future__ import annotations

from ._output import Column, Row, is_terminal, ms, usd, whole


def _failed(row: Row) -> bool:
    return row.get("success") is False or bool(row.get("errors"))


def _status(row: Row) -> str | None:
    if row["success"] is False:
        return str(row["error_type"] or row["http_status"] or "failed")
    return str(row["http_status"] or "ok")


def _texts(row: Row) -> str | None:
    said = row["error_message"] if row["success"] is False else row["output_content"]
    return str(said) if said is not None else None


def _short_time(name: str) -> Column:
    def cell(row: Row) -> str:
        text = str(row[name] or "")
        return text[5:19].replace("T", " ") if is_terminal() else text

    return Column(name, cell, spare=name != "time")


def _money(row: Row) -> str | None:
    return usd(row["cost_usd"])


CALLS = (
    _short_time("time"),
    Column("id", lambda row: row["id"][:8] if is_terminal() else row["id"], spare=True),
    Column("user", lambda row: row["user_id"], spare=True),
    Column("model", lambda row: row["model_name"]),
    Column("in", lambda row: whole(row["input_tokens"]), True, spare=True),
    Column("out", lambda row: whole(row["output_tokens"]), True, spare=True),
    Column("cost", _money, True),
    Column("ms", lambda row: ms(row["latency_ms"]), True, spare=True),
    Column("TTFT", lambda row: ms(row["time_to_first_token_ms"]), True, spare=True),
    Column("tools", lambda row: row["tool_call_count"] or None, True, spare=True),
    Column("status", _status, is_red=_failed),
    Column("answer", _texts, wide=True, spare=True, is_red=_failed),
)

_SUMS = (
    Column("calls", lambda row: whole(row["calls"]), True),
    Column("errors", lambda row: whole(row["errors"]), True, is_red=_failed),
    Column("in", lambda row: whole(row["input_tokens"]), True, spare=True),
    Column("out", lambda row: whole(row["output_tokens"]), True, spare=True),
    Column("cached", lambda row: whole(row["cached_input_tokens"]), True, spare=True),
    Column("cost", _money, True),
    Column("unpriced", lambda row: whole(row["calls_without_cost"] or None), True, spare=True),
    Column("avg ms", lambda row: ms(row["avg_latency_ms"]), True, spare=True),
)

SESSIONS = (
    Column("session", lambda row: row["session_id"]),
    Column("user", lambda row: row["user_id"]),
    _short_time("first"),
    Column("took ms", lambda row: ms(row["duration_ms"]), True, spare=True),
    *_SUMS[:2],
    Column("tools", lambda row: whole(row["tools"]), True, spare=True),
    *_SUMS[2:4],
    _SUMS[5],
    Column("models", lambda row: row["models"], wide=True, spare=True),
)

TURNS = (
    Column("session", lambda row: row["session_id"]),
    Column("turn", lambda row: row["turn_id"]),
    Column("user", lambda row: row["user_id"]),
    _short_time("first"),
    Column("took ms", lambda row: ms(row["duration_ms"]), True, spare=True),
    *_SUMS,
)


def costs(by: str) -> tuple[Column, ...]:
    """The columns of costs by something."""
    return (Column(by, lambda row: row[by]), *_SUMS)


def plain(names: list[str]) -> tuple[Column, ...]:
    """The columns of any rows."""
    return tuple(Column(name, lambda row, name=name: row[name]) for name in names)  # type: ignore[misc]
