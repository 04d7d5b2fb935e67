"""One SQLite file that several processes and threads write events to. Knows nothing of Amplitude.

In WAL mode a writer holds the lock for some microseconds and readers never wait. What is written at once is one
transaction: a stored event survives the death of the process. (After a power cut the last ones may be missing, with
the file sound: ``synchronous=NORMAL``.) A process has one connection, made on first use and remade in a forked child.
A damaged file is set aside, and a new one begun. What is too much or too old makes room, oldest first.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from .. import _clock, _threads
from .._config import store_limits
from .._guard import count, log_once
from . import _store_schema
from ._location import default_path
from ._sqlite import BUSY_SECONDS, close_with, identity, inherited, is_damaged, open_private, set_aside, used_bytes
from ._store_hours import HourSums
from ._store_schema import Row

#: The bounds are looked at after so many bytes written, and after so many seconds.
_LOOK_BYTES, _LOOK_SECONDS = 1 << 20, 60.0
#: What a row takes beside its properties and details, about.
_ROW_BYTES = 200
#: A look removes so many rows in one statement (of a small store a part), in so many statements; where that is too
#: few, the next write goes on.
_ROWS, _PART, _STEPS = 200, 16, 5

_stores: weakref.WeakSet[Store] = weakref.WeakSet()


class Store:
    """The local store.

    Args:
        path: its file; by default where `default_path` says. Made with mode 0600, and its directory with 0700, when
            missing; the mode of what exists is the user's choice and stays.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self.path = Path(path).expanduser() if path is not None else default_path()
        self._connection: sqlite3.Connection | None = None
        self._let_go: Callable[[], object] = bool
        self._file: tuple[int, int] | None = None
        self._lock = _threads.Lock()
        self._wait_s = BUSY_SECONDS
        self.max_bytes, self.max_age_s = store_limits(None)
        self._unlooked, self._look_at = 0, 0.0  # at the first write
        self._hours = HourSums()
        _stores.add(self)

    def write(
        self,
        *,
        insert_id: str,
        event_type: str,
        time_ms: int,
        user_id: str | None,
        device_id: str | None,
        properties: str,
        details: str = "{}",
        wait_s: float = BUSY_SECONDS,
    ) -> None:
        """Store one event; nothing happens when its ``insert_id`` is there already. On disk when this returns.

        Args:
            properties: the event's properties, a JSON object.
            details: whatever else it carried, a JSON object.
            wait_s: how long to wait for other processes, in seconds.

        Raises:
            OSError: the file or its directory could not be made.
            sqlite3.Error: the file is none of ours, is damaged, cannot be written, or was busy for too long.
                A damaged one is set aside, and is no error.
            NewerStoreError: a newer version of this package made it.
        """
        row = (insert_id, event_type, time_ms, user_id, device_id, properties, details, int(_clock.wall_s()))
        self.write_all([row], wait_s)

    def write_all(self, rows: Sequence[Row], wait_s: float = BUSY_SECONDS) -> None:
        """Store several events, all or none: many in one statement, which costs a quarter of as many statements.

        Args:
            rows: the events.
            wait_s: how long to wait for other processes, in seconds.

        Raises:
            what `write` raises.
        """
        with self._lock:
            try:
                self._insert(rows, wait_s)
            except sqlite3.DatabaseError as exc:
                if not is_damaged(exc):
                    raise
                self._begin_anew(exc)
                self._insert(rows, wait_s)

    def limit(self, max_bytes: int, max_age_s: int) -> None:
        """From the next write on, hold no more than so many bytes, and nothing older than so many seconds."""
        if (max_bytes, max_age_s) != (self.max_bytes, self.max_age_s):
            self.max_bytes, self.max_age_s = max_bytes, max_age_s
            self._unlooked = 0

    def close(self) -> None:
        """Close the file; the next write opens it again. The last one to close leaves a single file behind."""
        with self._lock:
            self._disconnect()

    def _insert(self, rows: Sequence[Row], wait_s: float) -> None:
        if self._connection is not None and self._file != identity(self.path):
            self._disconnect()  # somebody deleted or replaced the file: what we write would go with the old one
        if self._connection is None:
            self._file = identity(self.path)
            self._connection = open_private(self.path, _store_schema.migrate, wait_s)
            self._let_go = close_with(self, self._connection)
            self._file = identity(self.path)
            # What is removed is prompts and answers: overwritten, not only forgotten.
            self._connection.execute("PRAGMA secure_delete = ON")
        elif wait_s != self._wait_s:
            self._connection.execute(f"PRAGMA busy_timeout = {int(wait_s * 1000)}")
        self._wait_s = wait_s
        _store_schema.EVENTS.insert(self._connection, rows)
        self._unlooked -= sum(len(row[5]) + len(row[6]) + _ROW_BYTES for row in rows)
        if self._unlooked <= 0 or _clock.monotonic_s() >= self._look_at:
            self._make_room(self._connection)

    def _begin_anew(self, exc: sqlite3.DatabaseError) -> None:
        self._disconnect()
        if self._file != identity(self.path):
            return  # another process has set it aside already, and this is the new one
        set_aside(self.path)
        count("store_set_aside")
        log_once(
            f"store damaged:{self.path}",
            logging.WARNING,
            "amplitude_ai: the local store %s was damaged (%s); it is set aside as %s.damaged, and a new one begun",
            self.path,
            exc,
            self.path.name,
        )

    def _make_room(self, connection: sqlite3.Connection) -> None:
        oldest_s = int(_clock.wall_s() - self.max_age_s)
        try:
            for _ in range(_STEPS):
                removed = connection.execute(_store_schema.DELETE_OLD, (_ROWS, oldest_s)).rowcount
                self._removed("old", removed)
                more = removed == _ROWS
                if used_bytes(connection) > self.max_bytes:
                    removed = connection.execute(
                        _store_schema.DELETE_OLDEST, (min(_ROWS, max(1, _span(connection) // _PART)),)
                    ).rowcount
                    self._removed("full", removed)
                    more = more or removed > 0
                if not more:
                    self._look_again()
                    return self._hours.visit(connection, _clock.wall_s())
        except sqlite3.OperationalError:
            self._look_again()  # busy, say: the event is stored, and room is made another time

    def _look_again(self) -> None:
        self._unlooked = min(_LOOK_BYTES, self.max_bytes // 64)
        self._look_at = _clock.monotonic_s() + _LOOK_SECONDS

    def _removed(self, why: str, rows: int) -> None:
        for _ in range(rows):
            count(f"dropped_store_{why}")
        if rows > 0:
            log_once(
                f"store_{why}",
                logging.WARNING,
                "amplitude_ai: events were removed from the local store %s, it is too %s",
                self.path,
                why,
            )

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._let_go()
            connection.close()

    def _after_fork(self) -> None:
        # A thread of the parent that was writing at that moment left the lock locked, and does not exist here.
        self._lock = _threads.Lock()
        if self._connection is not None:
            self._let_go()
            inherited.append(self._connection)
            self._connection = None


def _span(connection: sqlite3.Connection) -> int:
    """About how many rows there are: counting them would read them all."""
    ((first, last),) = connection.execute("SELECT (SELECT min(id) FROM events), (SELECT max(id) FROM events)")
    return 0 if first is None else int(last - first + 1)


def _forget_parents() -> None:
    for store in list(_stores):
        store._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)
