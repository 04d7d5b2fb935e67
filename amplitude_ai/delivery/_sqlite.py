"""Opening a private SQLite file that several processes write to. Knows nothing of what is in it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .. import _clock, _threads

#: How long a write waits for other processes, in seconds.
BUSY_SECONDS = 5.0

#: Connections that a forked child inherited. SQLite allows a child neither to use nor to close them
#: (https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_), and dropping the
#: last reference would close them.
inherited: list[sqlite3.Connection] = []


def open_private(
    path: Path, migrate: Callable[[sqlite3.Connection], None], wait_s: float = BUSY_SECONDS
) -> sqlite3.Connection:
    """Open ``path`` in WAL mode and autocommit, made with mode 0600 (its directory 0700) when missing.

    Args:
        path: the file.
        migrate: brings its tables to where they should be.
        wait_s: how long to wait for other processes, here and in each later statement, in seconds.

    Raises:
        OSError: the file or its directory could not be made.
        sqlite3.Error: it is no database, is damaged, cannot be written, or was busy for too long.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite would make the file for all to read; its -wal and -shm files take over the mode of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    deadline = _clock.monotonic_s() + wait_s
    while True:
        # Threads take turns by the owner's lock, so SQLite need not insist on the thread that opened it.
        connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection)
        except sqlite3.OperationalError as exc:
            connection.close()
            # Turning WAL on does not wait for processes that do the same: it fails at once.
            if not is_busy(exc) or _clock.monotonic_s() >= deadline:
                raise
            _threads.pause(0.01)
        except BaseException:
            connection.close()
            raise
        else:
            return connection


def close_with(owner: object, connection: sqlite3.Connection) -> Callable[[], object]:
    """Have ``connection`` closed when ``owner`` is collected: from 3.13 on Python warns of one that goes by itself.

    Returns:
        what calls that off.
    """
    closing = weakref.finalize(owner, connection.close)
    closing.atexit = False
    return closing.detach


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of a block's writes or, where it or the end of it raises, none. ``connection`` is in autocommit mode."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors (a full disk) SQLite has done so itself, and what it says then would hide which it was.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class ManyRows:
    """An INSERT of many rows: as many a statement as fit, a quarter of what as many statements cost.

    SQLite before 3.32 takes 999 values in one; the connection keeps each statement compiled, so they are few.

    Args:
        into: table and columns.
        columns: how many these are.
        conflict: what follows the values.
    """

    def __init__(self, into: str, columns: int, conflict: str = "") -> None:
        row = "(" + ", ".join("?" * columns) + ")"
        self._statements = [
            (rows, f"INSERT INTO {into} VALUES {', '.join([row] * rows)} {conflict}") for rows in (100, 20, 5, 1)
        ]
        #: The statement for one row.
        self.single = self._statements[-1][1]

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Insert ``rows`` in one transaction, all or none; the last one's row id."""
        last = 0
        if len(rows) == 1:  # a transaction of its own
            return connection.execute(self.single, rows[0]).lastrowid or 0
        with transaction(connection):
            at = 0
            for size, statement in self._statements:
                while len(rows) - at >= size:
                    values = [value for row in rows[at : at + size] for value in row]
                    last = connection.execute(statement, values).lastrowid or 0
                    at += size
        return last


def is_busy(exc: sqlite3.Error) -> bool:
    """Whether another connection has the file, so that the same may work a little later."""
    # The low byte of an extended code is the plain one; "protocol" is a race for the WAL index.
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)


def is_damaged(exc: sqlite3.Error) -> bool:
    """Whether the file is no sound database; everything else (busy, full, read-only) may pass."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path) -> None:
    """Make room for a new file: the damaged one, closed by now, stays as ``<path>.damaged``, its WAL beside it.

    Raises:
        OSError: it could not be renamed.
    """
    aside = path.with_name(path.name + ".damaged")
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    # Both or neither: a WAL beside the new file, or an older one beside this, would be taken for its own.
    aside.with_name(aside.name + "-wal").unlink(missing_ok=True)
    wal = path.with_name(path.name + "-wal")
    if wal.exists():
        wal.replace(aside.with_name(aside.name + "-wal"))
    path.replace(aside)


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands there; ``None`` for none. Somebody may have deleted or replaced the one that is open."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the rows take of the file; pages that are free will be used again."""
    ((pages,),) = connection.execute("PRAGMA page_count")
    ((free,),) = connection.execute("PRAGMA freelist_count")
    ((size,),) = connection.execute("PRAGMA page_size")
    return int((pages - free) * size)
