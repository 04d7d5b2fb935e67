"""Hours that are over, summed up: what the overview of a long time reads instead of every event of it.

Made by whoever writes, now and then, off the application's thread: to write an event costs no more. Triggers forget an
hour as soon as one of its events is changed or removed, by whatever program. One that has more events than when it
was summed up is not believed (`look._cube` counts), and summed up anew.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable

from ..look._kinds import HOUR_MS, KINDS, SUMS, sums_sql
from ._sqlite import transaction

#: Sums as `look._kinds` has them, numbered within their hour and kind; and of each hour how many events it had, and its
#: calls' latencies and times to the first token, sorted (8 bytes each, this machine's floating point), for percentiles.
TABLES = {
    "hours": "CREATE TABLE IF NOT EXISTS hours "
    "(hour INTEGER PRIMARY KEY, events INTEGER NOT NULL, latencies BLOB NOT NULL, first_tokens BLOB NOT NULL)",
    "hour_sums": "CREATE TABLE IF NOT EXISTS hour_sums (kind TEXT NOT NULL, hour INTEGER NOT NULL, "
    f"number INTEGER NOT NULL, name, other, {', '.join(SUMS)}, PRIMARY KEY (kind, hour, number)) WITHOUT ROWID",
}


def _forget(row: str) -> str:
    hour = f"{row}.time_ms / {HOUR_MS}"
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    return f"DELETE FROM hour_sums WHERE kind IN ({kinds}) AND hour = {hour}; DELETE FROM hours WHERE hour = {hour}; "


def _known(row: str) -> str:
    return f"EXISTS (SELECT 1 FROM hours WHERE hour = {row}.time_ms / {HOUR_MS})"


TRIGGERS = {
    "hours_delete": "CREATE TRIGGER IF NOT EXISTS hours_delete AFTER DELETE ON events "
    f"WHEN {_known('OLD')} BEGIN {_forget('OLD')}END",
    "hours_update": "CREATE TRIGGER IF NOT EXISTS hours_update AFTER UPDATE ON events "
    f"WHEN {_known('OLD')} OR {_known('NEW')} BEGIN {_forget('OLD')}{_forget('NEW')}END",
}
#: An hour is taken to be over a while after its end: what happened in it has mostly arrived by then.
_GRACE_S = 120
#: Hours that one visit looks at, and calls after which it ends.
_HOURS, _CALLS = 24, 5_000


class HourSums:
    """Sums up the hours of one store, a few at each visit, the oldest first and then anew."""

    def __init__(self) -> None:
        self._next = 0

    def visit(self, connection: sqlite3.Connection, now_s: float) -> None:
        """Sum up some hours that are over.

        Raises:
            sqlite3.Error: the store is busy, say; another visit goes on.
        """
        calls = 0
        for _ in range(_HOURS):
            found = connection.execute("SELECT min(time_ms) FROM events WHERE time_ms >= ?", (self._next * HOUR_MS,))
            (time_ms,) = found.fetchone()
            hour = 0 if time_ms is None else time_ms // HOUR_MS
            if time_ms is None or (hour + 1) * 3600 + _GRACE_S > now_s:
                self._next = 0
                return
            self._next = hour + 1
            summed = connection.execute("SELECT events FROM hours WHERE hour = ?", (hour,)).fetchone()
            if summed != (_count(connection, hour),):
                calls += sum_up(connection, hour)
                if calls >= _CALLS:
                    return


def _count(connection: sqlite3.Connection, hour: int) -> int:
    span = (hour * HOUR_MS, (hour + 1) * HOUR_MS)
    (number,) = connection.execute("SELECT count(*) FROM events WHERE time_ms >= ? AND time_ms < ?", span).fetchone()
    return int(number)


def sum_up(connection: sqlite3.Connection, hour: int) -> int:
    """Sum up one hour; how many calls it had. In one transaction, so that no event comes between.

    Raises:
        sqlite3.Error: it could not be written, or was busy for too long.
    """
    with transaction(connection):
        span = (hour * HOUR_MS, (hour + 1) * HOUR_MS)
        for name, kind in KINDS.items():
            connection.execute("DELETE FROM hour_sums WHERE kind = ? AND hour = ?", (name, hour))
            where = f"event_type = ? AND time_ms >= ? AND time_ms < ?{kind.where(str)}"
            sums = f"SELECT {sums_sql(kind, str)} FROM events WHERE {where} GROUP BY name, other"
            connection.execute(
                f"INSERT INTO hour_sums SELECT ?, ?, row_number() OVER (), * FROM ({sums})",
                (name, hour, kind.event_type, *span),
            )
        found = connection.execute(
            "SELECT latency_ms, time_to_first_token_ms FROM events "
            "WHERE event_type = ? AND time_ms >= ? AND time_ms < ?",
            (KINDS["model"].event_type, *span),
        ).fetchall()
        times = [_sorted(row[index] for row in found) for index in (0, 1)]
        connection.execute("INSERT OR REPLACE INTO hours VALUES (?, ?, ?, ?)", (hour, _count(connection, hour), *times))
    return len(found)


def _sorted(values: Iterable[object]) -> bytes:
    return array("d", sorted(value for value in values if isinstance(value, int | float))).tobytes()
