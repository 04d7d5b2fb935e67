"""What goes to stdout: a table for a person, tab-separated lines for a pipe, JSON for a program.

Everything a stranger wrote passes `one_line` or `harmless`, and is never read as markup. Hints and progress go to
stderr, so that a pipe holds rows only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..look._text import harmless, one_line

Row = Mapping[str, Any]


class ReaderGoneError(Exception):
    """Whoever read stdout (``head``, say) has seen enough. Not a `BrokenPipeError`, which typer makes a failure."""


#: Letters of a text that are shown at the least.
_TEXT = 14
#: Letters of a text that are shown at the most.
_CELL = 200


class Column(Struct, frozen=True):
    """One column: its head, how its cell is made of a row, and how it is shown on a terminal.

    Attributes:
        number: stands on the right, and is never cut: half of a number is another one.
        wide: takes the room that is left.
        spare: left out where the terminal is too narrow, the last one first.
        is_red: whether a row's cell tells of a failure.
    """

    head: str
    cell: Callable[[Row], Any]
    number: bool = False
    wide: bool = False
    spare: bool = False
    is_red: Callable[[Row], bool] = lambda row: False


def console(stderr: bool = False) -> Console:
    """Where a person reads. ``NO_COLOR`` and pipes are without colours; nothing is guessed from what is printed."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)


def is_terminal() -> bool:
    """Whether a person reads stdout (``FORCE_COLOR`` says so of a pipe)."""
    return sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))


def write(line: str) -> None:
    """One line to stdout."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    except BrokenPipeError:
        raise ReaderGoneError from None


def hint(text: str) -> None:
    """What to do next, on stderr."""
    sys.stderr.write(harmless(text, 2000, lines=True) + "\n")


def as_json(value: Any, indent: int | None = 2) -> None:
    """JSON; what has no UTF-8 form, and what a terminal would obey, is escaped."""
    write(json.dumps(value, ensure_ascii=True, indent=indent, default=str, allow_nan=False))


def table(rows: Iterable[Row], columns: Sequence[Column]) -> None:
    """Rows, as a table or as tab-separated lines under a line of heads."""
    if not is_terminal():
        write("\t".join(column.head for column in columns))
        for row in rows:
            write("\t".join(one_line(column.cell(row), 1000) for column in columns))
        return
    terminal = console()
    rows = list(rows)
    columns, widths = _fitting(rows, columns, terminal.width)
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column, width in zip(columns, widths, strict=True):
        made.add_column(
            column.head,
            justify="right" if column.number else "left",
            overflow="ellipsis",
            no_wrap=True,
            width=width,
        )
    for row in rows:
        cells = []
        for column in columns:
            value = column.cell(row)
            empty = value is None or value == ""
            style = "dim" if empty else "red" if column.is_red(row) else ""
            cells.append(Text("–" if empty else one_line(value, _CELL), style=style))
        made.add_row(*cells)
    terminal.print(made)


def _fitting(rows: Sequence[Row], columns: Sequence[Column], width: int) -> tuple[list[Column], list[int]]:
    """The columns that there is room for, and how wide each is."""

    def widest(column: Column) -> int:
        return max([cell_len(column.head), *(cell_len(one_line(column.cell(row), _CELL)) for row in rows)])

    wanted = {column: widest(column) for column in columns}
    kept = {
        column: wanted[column] if column.number else min(wanted[column], max(len(column.head), _TEXT))
        for column in columns
    }
    while (left := width - sum(kept.values()) - 2 * (len(kept) - 1)) < 0:
        spare = [column for column in kept if column.spare]
        if not spare:
            break
        del kept[spare[-1]]
    for column in sorted(kept, key=lambda column: column.wide):
        more = max(0, min(left, wanted[column] - kept[column]))
        kept[column] += more
        left -= more
    return list(kept), list(kept.values())


def usd(value: Any) -> str | None:
    """An amount as its digits need: cents for dollars, six places for less than a cent."""
    if not isinstance(value, int | float):
        return None
    return f"${value:,.2f}" if abs(value) >= 100 or value == 0 else f"${value:.6f}"


def ms(value: Any) -> str | None:
    """Milliseconds."""
    return f"{value:,.0f}" if isinstance(value, int | float) else None


def whole(value: Any) -> str | None:
    """A count, with its thousands apart on a terminal only."""
    if not isinstance(value, int | float):
        return None
    return f"{value:,}" if is_terminal() else str(value)
