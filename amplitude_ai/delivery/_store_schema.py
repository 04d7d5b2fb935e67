"""The tables of the local store: one base table, and one view for each of the five events.

The views are derived from `sessions._events.SCHEMA`, so a property that is added there is a column here. A view is only
a way to look: replacing it loses nothing. Unknown event types stay in the base table.
"""

from __future__ import annotations

import sqlite3

from ..sessions._events import COMMON, SCHEMA

#: The layout of the base table; a store with a higher number was made by a newer version and is left alone.
VERSION = 1

#: Times are milliseconds since 1970; ``properties`` are the event's, ``details`` the rest of what it carried.
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    insert_id TEXT NOT NULL UNIQUE,
    event_type TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    user_id TEXT,
    device_id TEXT,
    properties TEXT NOT NULL,
    details TEXT NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS events_by_type ON events (event_type, time_ms)"

#: One row an event; a second event with the ``insert_id`` of the first is the same event.
INSERT = """
INSERT INTO events (insert_id, event_type, time_ms, user_id, device_id, properties, details)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (insert_id) DO NOTHING
"""


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
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_TABLE)
        connection.execute(_INDEX)
        made = _views(connection)
        for event_type in SCHEMA:
            wanted = view_sql(event_type)
            if made.get(event_type) != wanted:
                connection.execute(f'DROP VIEW IF EXISTS "{event_type}"')
                connection.execute(wanted)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_current(connection: sqlite3.Connection) -> bool:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise NewerStoreError(f"layout {version}, this version knows {VERSION}")
    made = _views(connection)
    return version == VERSION and all(made.get(event_type) == view_sql(event_type) for event_type in SCHEMA)


def _views(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
