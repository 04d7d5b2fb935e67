"""``tail``: the last calls, and those that come. The store may not be there yet, and may be replaced meanwhile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.text import Text

from .. import _threads
from ..look import _calls
from ..look._filter import Filter
from ..look._line import line
from ..look._reader import Reader, Row, StoreMissingError
from ._output import as_json, console, hint, is_terminal, write

#: Between two looks at the store, in seconds.
_EVERY = 0.3
#: Calls read at a time.
_PAGE = 1000


def tail(path: Path, which: Filter, limit: int, follow: bool, as_lines_of_json: bool) -> None:
    """Print the last ``limit`` calls, and with ``follow`` all later ones until interrupted."""
    if follow and not path.exists():
        hint(f"Waiting for {path}: nothing was recorded yet. Ctrl-C ends.")
    limit_now = limit
    while True:
        try:
            with Reader(path) as reader:
                # First where it ends: what is stored from here on is told by `_follow`, once.
                last = reader.one("SELECT max(id) FROM events") or 0
                known = [row for row in _calls.newest(reader, which, limit_now) if row["row"] <= last]
                _print(list(reversed(known)), as_lines_of_json)
                if not follow:
                    return
                limit_now = _PAGE  # of a store that takes this one's place all is new
                _follow(reader, which, last, as_lines_of_json)
        except StoreMissingError:
            if not follow:
                raise
            _threads.pause(_EVERY)
        except KeyboardInterrupt:
            return


def _follow(reader: Reader, which: Filter, last: int, as_lines_of_json: bool) -> None:
    was = os.stat(reader.path).st_ino
    while True:
        _threads.pause(_EVERY)
        now = reader.one("SELECT max(id) FROM events") or 0
        while last < now:
            rows = _calls.later(reader, which, last, _PAGE)
            _print(rows, as_lines_of_json)
            last = rows[-1]["row"] if len(rows) == _PAGE else now
        try:
            if os.stat(reader.path).st_ino != was:
                return
        except FileNotFoundError:
            return


def _print(rows: list[Row], as_lines_of_json: bool) -> None:
    for row in rows:
        if as_lines_of_json:
            as_json(row, indent=None)
        elif is_terminal():
            console().print(Text(line(row), style="red" if row["success"] is False else ""), soft_wrap=True)
        else:
            write(line(row))
    sys.stdout.flush()
