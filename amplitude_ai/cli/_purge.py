"""``purge``: the only command that removes anything: events, their sums, and what `send` noted of them."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import typer

from .. import _clock
from ..delivery import _store_schema
from ..delivery._sqlite import open_private
from ..look._reader import Reader
from ..look._when import span_s
from ._errors import Failure
from ._output import as_json, hint, write
from ._send import forget_removed

#: Rows of one statement: others write meanwhile.
_ROWS = 500


def purge(path: Path, older_than: str, yes: bool, dry_run: bool, json: bool) -> None:
    """Remove events that happened more than ``older_than`` ago.

    Raises:
        Failure: it was not confirmed.
    """
    try:
        before_ms = _clock.wall_ms() - span_s(older_than) * 1000
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint="--older-than") from None
    with Reader(path) as reader:
        found = int(reader.one("SELECT count(*) FROM events WHERE time_ms < ?", (before_ms,)))
    if found and not dry_run:
        _confirm(found, older_than, path, yes)
        found = _remove(path, before_ms)
    if not dry_run:
        _forget_sent(path)
    if json:
        as_json({"path": str(path), "older_than": older_than, "events": found, "removed": not dry_run})
    else:
        write(f"{found} events {'would be ' if dry_run else ''}removed")
        if not found:
            hint(f"Nothing in {path} is older than {older_than}.")


def _confirm(found: int, older_than: str, path: Path, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(f"{found} events would be removed from {path}; say --yes where nobody can be asked", 2)
    typer.confirm(f"Remove {found} events older than {older_than} from {path}?", abort=True, err=True)


def _forget_sent(path: Path) -> None:
    try:
        forget_removed(path)
    except sqlite3.Error as exc:
        raise Failure(f"the events are removed, their ids are still in {path}.sent: {exc}; try again") from exc


def _remove(path: Path, before_ms: int) -> int:
    connection = open_private(path, _store_schema.migrate)
    removed = 0
    try:
        connection.execute("PRAGMA secure_delete = ON")
        while True:
            rows = connection.execute(
                "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE time_ms < ? LIMIT ?)", (before_ms, _ROWS)
            ).rowcount
            removed += rows
            if rows < _ROWS:
                break
        # What was removed is still in the write-ahead log, until that is begun anew.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as exc:
        raise Failure(f"{removed} events were removed, then the store was busy: {exc}; try again") from exc
    finally:
        connection.close()
    return removed
