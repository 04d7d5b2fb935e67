"""The tables of the local store: one base table, one view for each of the five events, and the views of `_store_views`.

Beside the base table are the sums of hours that are over (`_store_hours`).

The views are derived from `sessions.schema`, so a property that is added there is a column here. A view is only
a way to look: replacing it loses nothing. Unknown event types stay in the base table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import cache

from ..sessions.schema import COMMON, SCHEMA
from . import _store_hours
from ._sqlite import ManyRows, transaction
from ._store_views import VIEWS

#: The layout of the base table; a store with a higher number was made by a newer version and is left alone.
VERSION = 1

#: Times are milliseconds since 1970; ``properties`` are the event's, ``details`` the rest of what it carried. Seconds
#: since 1970 when it was stored, which may be long after it happened; versions before it was added leave it out.
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    insert_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    user_id TEXT,
    device_id TEXT,
    properties TEXT NOT NULL,
    details TEXT NOT NULL,
    stored_s INTEGER
)
"""
#: Properties that are read of many events at once: columns that are computed when read, and kept in an index. Versions
#: before they were added neither see nor mind them.
READ_OFTEN = (
    *("session_id", "model_name", "model_provider", "success", "attempt", "http_status", "error_type", "cost_usd"),
    *("input_tokens", "output_tokens", "total_tokens", "cached_input_tokens", "latency_ms", "time_to_first_token_ms"),
    *("tool_name", "agent", "turn_id", "turn_index"),
)
#: By type for the views, and with what sums and lists are made of, so that these read no texts; by session for what
#: was said in one; by time for what is newest of all types.
_INDEXES = {
    "events_by_kind": "CREATE INDEX IF NOT EXISTS events_by_kind ON events "
    f"(event_type, time_ms, user_id, {', '.join(READ_OFTEN)})",
    "events_by_session": "CREATE INDEX IF NOT EXISTS events_by_session ON events (session_id, time_ms)",
    "events_by_time": "CREATE INDEX IF NOT EXISTS events_by_time ON events (time_ms)",
}
#: What others have taken the place of.
_OLD_INDEXES = ("events_by_type",)

#: insert_id, event_type, time_ms, user_id, device_id, properties, details, stored_s: what is stored of an event.
Row = tuple[str, str, int, str | None, str | None, str, str, int]


#: One row an event; a second event with the ``insert_id`` of the first is the same event.
EVENTS = ManyRows(
    "events (insert_id, event_type, time_ms, user_id, device_id, properties, details, stored_s)",
    columns=8,
    conflict="ON CONFLICT (insert_id) DO NOTHING",
)

#: The oldest rows, no more than so many, as far as they were stored before a time. Rows are in the order of storing.
DELETE_OLD = """
DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?) AND coalesce(stored_s, time_ms / 1000) < ?
"""
#: The oldest rows, so many.
DELETE_OLDEST = "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)"


class NewerStoreError(Exception):
    """The store was written by a newer version of this package, whose layout this one does not know."""


def view_sql(event_type: str) -> str:
    """The statement that makes the view of one of the five events."""
    columns = [
        """strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS "time\"""",
        "user_id",
        "device_id",
        "insert_id",
    ]
    columns += [f"""json_extract(properties, '$.{name}') AS "{name}\"""" for name in (*COMMON, *SCHEMA[event_type])]
    columns.append("properties")
    return (
        f"""CREATE VIEW "{event_type}" AS SELECT {", ".join(columns)} FROM events WHERE event_type = '{event_type}'"""
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the store behind ``connection`` (in autocommit mode) to this version. Safe with other processes at it.

    Raises:
        NewerStoreError: a newer version's store.
        sqlite3.Error: it could not be read or written.
    """
    if _is_current(connection):
        return  # the usual case, which takes no write lock
    with transaction(connection):
        connection.execute(_TABLE)
        if "stored_s" not in _columns(connection):
            connection.execute("ALTER TABLE events ADD COLUMN stored_s INTEGER")
        for name in READ_OFTEN:
            if name not in _columns(connection):
                connection.execute(
                    f"ALTER TABLE events ADD COLUMN {name} AS (json_extract(properties, '$.{name}')) VIRTUAL"
                )
        for index in _OLD_INDEXES:
            connection.execute(f"DROP INDEX IF EXISTS {index}")
        for statement in (*_INDEXES.values(), *_store_hours.TABLES.values(), *_store_hours.TRIGGERS.values()):
            connection.execute(statement)
        made = _views(connection)
        for name, wanted in _wanted().items():
            if made.get(name) != wanted:
                connection.execute(f'DROP VIEW IF EXISTS "{name}"')
                connection.execute(wanted)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _is_current(connection: sqlite3.Connection) -> bool:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerStoreError(f"layout {version}, this version knows {VERSION}")
    made = _views(connection)
    if version != VERSION or any(made.get(name) != sql for name, sql in _wanted().items()):
        return False
    here = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    wanted = {*_INDEXES, *_store_hours.TABLES, *_store_hours.TRIGGERS}
    return here >= wanted and _columns(connection) >= {"stored_s", *READ_OFTEN}


@cache
def _wanted() -> Mapping[str, str]:
    """Every view's statement, by its name."""
    return {**{event_type: view_sql(event_type) for event_type in SCHEMA}, **VIEWS}


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo('events')")}


def _views(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
