"""One SQLite file that several processes and threads write events to. Knows nothing of Amplitude.

In WAL mode a writer holds the lock for some microseconds and readers never wait, so every event is its own
transaction: a stored event survives the death of the process. (After a power cut the last ones may be missing, with
the file sound: ``synchronous=NORMAL``.) A process has one connection, made on first use and remade in a forked child.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from pathlib import Path
from typing import Any

from . import _store_schema
from ._location import default_path
from ._sqlite import inherited, open_private

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
        self._file: tuple[int, int] | None = None
        self._lock = threading.Lock()
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
    ) -> None:
        """Store one event; nothing happens when its ``insert_id`` is there already. On disk when this returns.

        Args:
            properties: the event's properties, a JSON object.
            details: whatever else it carried, a JSON object.

        Raises:
            OSError: the file or its directory could not be made.
            sqlite3.Error: the file is none of ours, is damaged, cannot be written, or was busy for too long.
            NewerStoreError: a newer version of this package made it.
        """
        row = (insert_id, event_type, time_ms, user_id, device_id, properties, details)
        self._write(_store_schema.INSERT, row)

    def close(self) -> None:
        """Close the file; the next write opens it again. The last one to close leaves a single file behind."""
        with self._lock:
            self._disconnect()

    def _write(self, statement: str, row: tuple[Any, ...]) -> None:
        with self._lock:
            if self._connection is not None and self._file != _identity(self.path):
                self._disconnect()  # somebody deleted or replaced the file: what we write would go with the old one
            if self._connection is None:
                self._connection = open_private(self.path, _store_schema.migrate)
                self._file = _identity(self.path)
            self._connection.execute(statement, row)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _after_fork(self) -> None:
        # A thread of the parent that was writing at that moment left the lock locked, and does not exist here.
        self._lock = threading.Lock()
        if self._connection is not None:
            inherited.append(self._connection)
            self._connection = None


def _forget_parents() -> None:
    for store in list(_stores):
        store._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
