"""Sums over calls: costs by something, sessions, turns, and the numbers of the overview.

A call is a row of ``llm_message``: one HTTP attempt, as in the specification's queries. Sums of what nobody knows are
``None``, never 0, and how many calls lack a price is said beside each sum of money.
"""

from __future__ import annotations

from typing import Any

from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED
from ._filter import Filter
from ._reader import Reader, Row
from ._when import iso

DAY_MS = 86_400_000
BY = ("model", "user", "session", "agent", "day", "provider")


def costs(reader: Reader, by: str, which: Filter, limit: int = 1000) -> list[Row]:
    """One row per ``by``, the dearest first (days: the newest first)."""
    where, values = which.where(reader)
    key = {
        "model": reader.column("model_name"),
        "provider": reader.column("model_provider"),
        "user": "user_id",
        "session": reader.column("session_id"),
        "agent": reader.column("agent"),
        "day": f"time_ms / {DAY_MS}",
    }[by]
    order = "1 DESC" if by == "day" else "cost_usd DESC, calls DESC, 1"
    found = reader.rows(
        f"SELECT {key} AS {by}, {_sums(reader)} FROM events WHERE {where} GROUP BY 1 ORDER BY {order} LIMIT :limit",
        {**values, "limit": limit},
    )
    if by == "day":
        for row in found:
            row["day"] = (iso(row["day"] * DAY_MS) or "")[:10]
    return found


def total(reader: Reader, which: Filter) -> Row:
    """The same sums over all of them."""
    where, values = which.where(reader)
    return reader.rows(f"SELECT {_sums(reader)} FROM events WHERE {where}", values)[0]


def _sums(reader: Reader) -> str:
    of = reader.column
    return f"""
        count(*) AS calls, coalesce(sum({of("success")} = 0), 0) AS errors,
        coalesce(sum({of("attempt")} > 0), 0) AS retries,
        sum({of("input_tokens")}) AS input_tokens, sum({of("output_tokens")}) AS output_tokens,
        sum({of("total_tokens")}) AS total_tokens, sum({of("cached_input_tokens")}) AS cached_input_tokens,
        sum({of("cost_usd")}) AS cost_usd,
        count(*) - count({of("cost_usd")}) AS calls_without_cost,
        avg({of("latency_ms")}) AS avg_latency_ms, avg({of("time_to_first_token_ms")}) AS avg_ttft_ms
    """


def sessions(reader: Reader, which: Filter, limit: int, offset: int = 0) -> list[Row]:
    """Sessions, those with the newest calls first."""
    where, values = which.where(reader)
    named = reader.column("session_id")
    ids: dict[str, None] = {}
    # Read from the newest on, and only until there are enough; grouping would read them all.
    for (name,) in reader.tuples(f"SELECT {named} FROM events WHERE {where} ORDER BY time_ms DESC", values):
        if name is not None and name not in ids:
            ids[name] = None
            if len(ids) >= limit + offset:
                break
    return [_session(reader, name) for name in list(ids)[offset:]]


def _session(reader: Reader, name: str) -> Row:
    of = reader.column
    row = reader.rows(
        f"""SELECT min(time_ms) AS first_ms, max(time_ms) AS last_ms, max(user_id) AS user_id,
        group_concat(DISTINCT {of("model_name")}) AS models, {_sums(reader)}
        FROM events WHERE {of("session_id")} = ? AND event_type = ?""",
        (name, LLM_MESSAGE),
    )[0]
    tools = reader.one(
        f"SELECT count(*) FROM events WHERE {of('session_id')} = ? AND event_type = ?", (name, TOOL_CALLED)
    )
    first, last = row.pop("first_ms"), row.pop("last_ms")
    return {
        "session_id": name,
        "user_id": row.pop("user_id"),
        "first": iso(first),
        "last": iso(last),
        "duration_ms": None if first is None else last - first,
        "models": row.pop("models"),
        "tools": tools,
        **row,
    }


def has_turns(reader: Reader) -> bool:
    """Whether the newest events say which turn they belong to."""
    return bool(
        reader.one(
            f"SELECT count({reader.column('turn_id')}) FROM (SELECT * FROM events WHERE event_type = ? "
            "ORDER BY time_ms DESC LIMIT 1000)",
            (LLM_MESSAGE,),
        )
    )


def turns(reader: Reader, which: Filter, limit: int) -> list[Row]:
    """Turns, the newest first: a user's message and all calls and tools until the answer."""
    where, values = which.where(reader)
    of = reader.column
    named = f"{of('session_id')}, {of('turn_id')}"
    ids: dict[tuple[str, str], None] = {}
    # Read from the newest on, as for sessions.
    newest = f"SELECT {named} FROM events WHERE {where} AND {of('turn_id')} IS NOT NULL ORDER BY time_ms DESC"
    for one in reader.tuples(newest, values):
        ids[one] = None
        if len(ids) >= limit:
            break
    return [_turn(reader, session, turn) for session, turn in ids]


def _turn(reader: Reader, session: str | None, turn: str) -> Row:
    of = reader.column
    row = reader.rows(
        f"""SELECT max({of("turn_index")}) AS turn_index, max(user_id) AS user_id,
        min(time_ms) AS first_ms, max(time_ms) AS last_ms, {_sums(reader)}
        FROM events WHERE {of("session_id")} IS ? AND {of("turn_id")} = ? AND event_type = ?""",
        (session, turn, LLM_MESSAGE),
    )[0]
    first, last = row.pop("first_ms"), row.pop("last_ms")
    return {
        **{"session_id": session, "turn_id": turn, "turn_index": row.pop("turn_index")},
        **{"user_id": row.pop("user_id"), "first": iso(first), "last": iso(last), "duration_ms": last - first},
        **row,
    }


def bounds(reader: Reader) -> tuple[int | None, int | None]:
    """The times of the oldest and the newest event, in ms."""
    first: Any = reader.one("SELECT min(time_ms) FROM events")
    last: Any = reader.one("SELECT max(time_ms) FROM events")
    return first, last
