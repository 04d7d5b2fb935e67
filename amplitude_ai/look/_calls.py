"""Calls and conversations: lists of calls, one call with what belongs to it, one session in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED, USER_MESSAGE
from ._filter import Filter
from ._reader import Reader, Row
from ._when import iso

#: What a line about a call may show; further properties are in the event.
SUMMARY = (
    "session_id",
    "model_provider",
    "model_name",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cached_input_tokens",
    "reasoning_tokens",
    "cost_usd",
    "cost_source",
    "latency_ms",
    "time_to_first_token_ms",
    "tool_call_count",
    "success",
    "http_status",
    "error_type",
    "error_message",
    "finish_reason",
    "attempt",
    "is_streaming",
    "stream_aborted",
    "input_content",
    "output_content",
)
#: By which ids a call is known, beside its ``insert_id``.
_IDS = ("message_id", "response_id", "provider_request_id")
#: The newest calls among which those other ids are looked for: they have no index.
_LOOKED_THROUGH = 20_000
#: Events of one session that are shown at the most.
SESSION_EVENTS = 2_000


def newest(reader: Reader, which: Filter, limit: int, before: tuple[int, int] | None = None) -> list[Row]:
    """The newest calls first.

    Args:
        before: ``(time_ms, row)`` of the last call of the page before.
    """
    where, values = which.where(reader)
    if before is not None:
        where += " AND (time_ms, id) < (:before_ms, :before_id)"
        values["before_ms"], values["before_id"] = before
    # The inner statement reads an index only; the texts are read of the rows that are shown.
    inner = f"SELECT id FROM events WHERE {where} ORDER BY time_ms DESC, id DESC LIMIT :limit"
    found = reader.each(
        f"SELECT id, insert_id, time_ms, user_id, properties FROM events WHERE id IN ({inner}) "
        "ORDER BY time_ms DESC, id DESC",
        {**values, "limit": limit},
    )
    return [summary(row) for row in found]


def later(reader: Reader, which: Filter, after: int, limit: int) -> list[Row]:
    """Calls stored after row ``after``, in the order of storing."""
    where, values = which.where(reader)
    # The plus keeps SQLite from the index by time: only the rows after one are looked at.
    where = where.replace("event_type =", "+event_type =").replace("time_ms >=", "+time_ms >=")
    found = reader.each(
        f"SELECT id, insert_id, time_ms, user_id, properties FROM events WHERE id > :after AND {where} "
        "ORDER BY id LIMIT :limit",
        {**values, "after": after, "limit": limit},
    )
    return [summary(row) for row in found]


def summary(row: Row) -> Row:
    """A row of ``events`` as a line about a call: every name of `SUMMARY`, ``None`` where nothing is known."""
    properties = load(row["properties"])
    said = {name: properties.get(name) for name in SUMMARY}
    return {
        "row": row["id"],
        "id": row["insert_id"],
        "time": iso(row["time_ms"]),
        "time_ms": row["time_ms"],
        "user_id": row["user_id"],
        **said,
    }


def event(row: Row) -> Row:
    """A row of ``events`` as the event it is."""
    return {
        "row": row["id"],
        "id": row["insert_id"],
        "event_type": row["event_type"],
        "time": iso(row["time_ms"]),
        "time_ms": row["time_ms"],
        "user_id": row["user_id"],
        "device_id": row["device_id"],
        "properties": load(row["properties"]),
    }


def load(text: str) -> dict[str, Any]:
    """The properties of an event; empty for what is no JSON object."""
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            # Perhaps half of a pair, from a program of somebody's own: no file and no SQL takes it.
            whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
            value = json.loads(whole.decode("utf-16", "replace"))
    except (ValueError, TypeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


_EVENT = "SELECT id, insert_id, event_type, time_ms, user_id, device_id, properties FROM events"


def find(reader: Reader, name: str) -> list[Row]:
    """The events that ``name`` may mean: an ``insert_id``, the beginning of one, or another id of a call."""
    exact = reader.rows(f"{_EVENT} WHERE insert_id = ?", (name,))
    if not exact and len(name) >= 4:
        exact = reader.rows(f"{_EVENT} WHERE insert_id >= ? AND insert_id < ? LIMIT 20", (name, name + "\U0010ffff"))
    if not exact:
        same = " OR ".join(f"json_extract(properties, '$.{each}') = :name" for each in _IDS)
        newest_calls = "SELECT id FROM events WHERE event_type = :type ORDER BY time_ms DESC LIMIT :limit"
        exact = reader.rows(
            f"{_EVENT} WHERE id IN ({newest_calls}) AND ({same}) LIMIT 20",
            {"name": name, "type": LLM_MESSAGE, "limit": _LOOKED_THROUGH},
        )
    return [event(row) for row in exact]


def session(reader: Reader, session_id: str, limit: int = SESSION_EVENTS) -> list[Row]:
    """The events of a session, oldest first."""
    found = reader.rows(
        f"{_EVENT} WHERE {reader.column('session_id')} = ? ORDER BY time_ms, id LIMIT ?", (session_id, limit)
    )
    return [event(row) for row in found]


def around(events: list[Row], call_id: str) -> list[Row]:
    """What belongs to one call among the events of its session: what the user said, its attempts, its tools.

    Joined by ``call_id`` and ``turn_id``; a tool stands at the end of the answer that asked for it. Events that name
    no call are joined by their neighbours.
    """
    place = next((index for index, each in enumerate(events) if each["id"] == call_id), None)
    if place is None or events[place]["event_type"] != LLM_MESSAGE:
        return [each for each in events if each["id"] == call_id]
    call, turn = (events[place]["properties"].get(name) for name in ("call_id", "turn_id"))
    if call is not None:
        attempts = [each for each in events if _is(each, LLM_MESSAGE, "call_id", call)]
        ends = {each["time_ms"] for each in attempts}
        return [
            each
            for each in events
            if each in attempts
            or (_is(each, USER_MESSAGE, "turn_id", turn) and each["time_ms"] <= max(ends))
            or (_is(each, TOOL_CALLED, "turn_id", turn) and each["time_ms"] in ends)
        ]
    first = place
    while first and _belongs_before(events[first - 1], events[first]):
        first -= 1
    last = place
    while last + 1 < len(events) and _belongs_after(events[last + 1], events[last]):
        last += 1
    return events[first : last + 1]


def _is(event: Row, event_type: str, name: str, value: Any) -> bool:
    return bool(event["event_type"] == event_type and event["properties"].get(name) == value)


def _belongs_before(before: Row, current: Row) -> bool:
    if before["event_type"] == USER_MESSAGE:
        return True
    return before["event_type"] == LLM_MESSAGE and bool(current["properties"].get("attempt"))


def _belongs_after(after: Row, current: Row) -> bool:
    if after["event_type"] == LLM_MESSAGE:
        return bool(after["properties"].get("attempt"))
    return bool(after["event_type"] == TOOL_CALLED)


def export(reader: Reader, which: Filter, event_type: str | None) -> Iterator[Row]:
    """All events of a type (``None``: all types), in the order of storing, one at a time."""
    where, values = which.where(reader, event_type or LLM_MESSAGE)
    if event_type is None:
        where = where.replace("event_type = :event_type", ":event_type IS NOT NULL")
    for row in reader.each(f"{_EVENT} WHERE {where} ORDER BY id", values):
        yield event(row)
