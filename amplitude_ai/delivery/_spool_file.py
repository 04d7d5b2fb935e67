"""The spool's file: rows of events, each with whom it is for and which process has it in hand. SQL and bounds only."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .. import _clock
from ._sqlite import ManyRows, close_with, identity, inherited, open_private, set_aside, transaction, used_bytes

#: How many of the oldest rows make room at a time.
_EVICTED_AT_ONCE = 200
#: Ids as one value: a JSON array.
_LISTED = "SELECT value FROM json_each(?)"
#: Rows of the file that stood there before somebody deleted or replaced it must not be taken for rows of the one that
#: does now: what is told outside is the number of the file and, below that, the row's own.
_FILE = 1 << 48
_ROWS = ManyRows("events (destination, owner, written_s, body)", columns=4)
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    owner TEXT NOT NULL,
    written_s INTEGER NOT NULL,
    body BLOB NOT NULL
)
"""


def _migrate(connection: sqlite3.Connection) -> None:
    connection.execute(_TABLE)


class SpoolFile:
    """Not for two threads at once.

    Args:
        path: the file.
        max_bytes: its size; the oldest rows make room for new ones.
        max_age_s: rows older than this, in seconds, are removed.
        dropped: told how many rows were removed, and why (``full`` or ``old``).

    Every method raises ``sqlite3.Error`` or ``OSError`` when the file cannot be used.
    """

    def __init__(self, path: Path, max_bytes: int, max_age_s: float, dropped: Callable[[str, int], None]) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._dropped = dropped
        self._connection: sqlite3.Connection | None = None
        self._let_go: Callable[[], object] = bool
        self._identity: tuple[int, int] | None = None
        self._first = 0  # added to each row of this file

    def add(self, destination: str, owner: str, bodies: Sequence[bytes]) -> list[int]:
        """Write events, in one transaction; their row ids. From then on they survive the death of the process."""
        connection = self._open()
        self._make_room(connection, sum(map(len, bodies)))
        now = int(_clock.wall_s())
        last = self._first + _ROWS.insert(connection, [(destination, owner, now, body) for body in bodies])
        # The largest ids there ever were, in order (AUTOINCREMENT), and no other process's between two of them.
        return list(range(last - len(bodies) + 1, last + 1))

    def remove(self, ids: Iterable[int]) -> None:
        """Forget rows."""
        self._open().execute(f"DELETE FROM events WHERE id IN ({_LISTED})", (self._own(ids),))

    def expire(self) -> None:
        """Remove rows that are too old."""
        oldest = int(_clock.wall_s() - self._max_age_s)
        removed = self._open().execute("DELETE FROM events WHERE written_s < ?", (oldest,)).rowcount
        if removed:
            self._dropped("old", removed)

    def owners(self, destination: str) -> list[str]:
        """Whose rows there are for ``destination``."""
        found = self._open().execute("SELECT DISTINCT owner FROM events WHERE destination = ?", (destination,))
        return [owner for (owner,) in found]

    def adopt(self, destination: str, owner: str, dead: str) -> list[int]:
        """Take over what another process left: its rows, oldest first. Only one of several who try gets them."""
        theirs = (dead, destination)
        with self._transaction() as connection:
            query = "SELECT id FROM events WHERE owner = ? AND destination = ? ORDER BY id"
            ids = [row for (row,) in connection.execute(query, theirs)]
            connection.execute("UPDATE events SET owner = ? WHERE owner = ? AND destination = ?", (owner, *theirs))
        return [self._first + row for row in ids]

    def read(self, rows: Sequence[int]) -> dict[int, bytes]:
        """The events of rows, without those that made room for others."""
        found = self._open().execute(f"SELECT id, body FROM events WHERE id IN ({_LISTED})", (self._own(rows),))
        return {self._first + row: bytes(body) for row, body in found}

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._let_go()
            connection.close()

    def set_aside(self) -> None:
        """Begin anew: the file is damaged. It stays beside the new one for whoever wants to look."""
        self.close()
        set_aside(self._path)
        self._first += _FILE

    def forget(self) -> None:
        """In a forked child: the connection is the parent's."""
        if self._connection is not None:
            self._let_go()
            inherited.append(self._connection)
            self._connection = None

    def _own(self, ids: Iterable[int]) -> str:
        return json.dumps([row - self._first for row in ids if row >= self._first])

    def _open(self) -> sqlite3.Connection:
        """The file; begun anew where it was deleted: what is written to one that is gone survives nothing."""
        if self._connection is not None and self._identity != identity(self._path):
            self.close()
            self._first += _FILE
        if self._connection is None:
            self._connection = open_private(self._path, _migrate)
            self._let_go = close_with(self, self._connection)
            self._identity = identity(self._path)
        return self._connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        with transaction(connection):
            yield connection

    def _make_room(self, connection: sqlite3.Connection, size: int) -> None:
        while used_bytes(connection) + size > self._max_bytes:
            oldest = "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)"
            removed = connection.execute(oldest, (_EVICTED_AT_ONCE,)).rowcount
            if removed <= 0:
                return
            self._dropped("full", removed)
