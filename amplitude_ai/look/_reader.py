"""`Reader`: a read-only connection to a store, that cannot write whatever it is asked.

In: a path. Out: rows as dicts. Three locks, each of which would do: the file is opened ``mode=ro``, the connection is
``query_only``, and an authorizer lets nothing through but reading (no ATTACH, no PRAGMA, no extension).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

Row = dict[str, Any]

_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
#: Functions of SQLite that reach out of the database: to a library, a file, a tokenizer's pointer.
_FUNCTIONS = frozenset({"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"})
#: How long a reader waits for the moment a writer needs to recover or to checkpoint, in seconds.
_WAIT_SECONDS = 5.0
#: Pages of the file that a connection keeps, in KB.
_CACHE_KB = 16_384


class StoreMissingError(Exception):
    """There is no store at this path yet."""


class StoreUnreadableError(Exception):
    """There is something, and it is no store that can be read; the message says why."""


class Reader:
    """The store at ``path``, for one thread at a time. A context manager.

    Args:
        path: the store's file.
        any_thread: whether threads may take turns with it.

    Raises:
        StoreMissingError: no such file.
        StoreUnreadableError: no database, another one's, or no permission.
    """

    def __init__(self, path: Path, any_thread: bool = False) -> None:
        self.path = path
        if not path.exists():
            raise StoreMissingError(str(path))
        if path.is_dir():
            raise StoreUnreadableError(f"{path} is a directory, and no store")
        try:
            self._connection = _connect(path, any_thread)
        except sqlite3.Error as exc:
            raise StoreUnreadableError(f"{path} cannot be read: {exc}") from exc
        try:
            self._connection.execute("BEGIN")  # both of one moment: it may just be being made
            self._columns = {name for (_, name, *_) in self._connection.execute("PRAGMA table_xinfo('events')")}
            has_tables = self.one("SELECT count(*) FROM sqlite_master")
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            self.close()
            raise StoreUnreadableError(f"{path} cannot be read: {exc}") from exc
        if not self._columns and not has_tables:
            self.close()
            raise StoreMissingError(str(path))
        if not {"insert_id", "event_type", "time_ms", "properties"} <= self._columns:
            self.close()
            raise StoreUnreadableError(f"{path} is no store of amplitude-ai-wire: it has no table of events")
        self._connection.set_authorizer(_allow)

    def column(self, name: str) -> str:
        """The SQL of one property: a column of the table, where this store has it, else out of the JSON."""
        if name in self._columns:
            return name
        return f"""json_extract(properties, '$."{name}"')"""

    def has_table(self, name: str) -> bool:
        """Whether the store has a table: older versions' have fewer."""
        return bool(self.one("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def hold(self) -> None:
        """From the next statement on, see the store as it is then; until closed."""
        self._connection.set_authorizer(None)
        self._connection.execute("BEGIN")
        self._connection.set_authorizer(_allow)

    def rows(self, statement: str, parameters: Sequence[Any] | Row = ()) -> list[Row]:
        """All rows of a statement.

        Raises:
            sqlite3.Error: it is wrong, or wants to do more than read.
        """
        return list(self.each(statement, parameters))

    def each(self, statement: str, parameters: Sequence[Any] | Row = ()) -> Iterator[Row]:
        """The rows of a statement, one at a time: memory holds one. Names that occur twice get a number."""
        cursor = self._connection.execute(statement, parameters)
        names = _distinct([column[0] for column in cursor.description or ()])
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def one(self, statement: str, parameters: Sequence[Any] | Row = ()) -> Any:
        """The first column of the first row, ``None`` where there is no row."""
        row = self._connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def tuples(self, statement: str, parameters: Sequence[Any] | Row = ()) -> sqlite3.Cursor:
        """The rows as tuples: what is quickest, for sums over many."""
        return self._connection.execute(statement, parameters)

    def stop_after(self, seconds: float, clock: Any) -> None:
        """Interrupt a statement that is still at work so many seconds from now: an ``OperationalError``."""
        until = clock() + seconds
        self._connection.set_progress_handler(lambda: clock() > until, 10_000)

    def interrupt(self) -> None:
        """Stop the statement that another thread has at work."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _connect(path: Path, any_thread: bool) -> sqlite3.Connection:
    try:
        return _open(path, "mode=ro", any_thread)
    except sqlite3.OperationalError as exc:
        # A store in a directory that we may not write to, and that nobody has open: there is no WAL to read with it.
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or path.with_name(path.name + "-wal").exists():
            raise
        return _open(path, "mode=ro&immutable=1", any_thread)


def _open(path: Path, how: str, any_thread: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_WAIT_SECONDS, check_same_thread=not any_thread
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        # Read, not mapped: a mapped file that a writer truncates ends the process that reads it.
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens it, in fact
        # What is stored as bytes or as broken text is shown, not an error.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    except BaseException:
        connection.close()
        raise
    return connection


def _allow(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    if action not in _READS or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result
