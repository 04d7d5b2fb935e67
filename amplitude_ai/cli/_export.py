"""``export``: events as JSON lines, CSV or Parquet, row by row: a large store needs no large memory."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..look._calls import export as events_of
from ..look._filter import Filter
from ..look._reader import Reader, Row
from ..look._text import harmless
from ..sessions.schema import COMMON, LLM_MESSAGE, SCHEMA
from ._errors import Failure
from ._output import console, is_terminal

#: What a spreadsheet takes for the begin of a formula: OWASP's list, and its full-width forms.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠|%")
#: Rows of one group of a Parquet file.
_GROUP = 10_000


def export(reader: Reader, which: Filter, format: str, event_type: str | None, output: Path | None) -> int:
    """Write what ``which`` means; returns how many events.

    Raises:
        Failure: Parquet without pyarrow, or to a terminal.
    """
    kind = event_type if format == "jsonl" else event_type or LLM_MESSAGE
    if format == "parquet":
        if output is None:
            raise Failure("parquet is written to a file: add -o calls.parquet", 2)
        return _parquet(_progress(events_of(reader, which, kind), output), kind or LLM_MESSAGE, output)
    write = _jsonl if format == "jsonl" else _csv
    with _opened(output) as file:
        return write(_progress(events_of(reader, which, kind), output), kind or LLM_MESSAGE, file)


def _jsonl(events: Iterator[Row], kind: str, file: IO[str]) -> int:
    written = 0
    for event in events:
        written += 1
        said = {name: value for name, value in event.items() if name not in ("row", "time_ms")}
        said["insert_id"] = said.pop("id")
        file.write(json.dumps(said, ensure_ascii=True, allow_nan=False) + "\n")
    return written


def names_of(event_type: str) -> list[str]:
    """The columns of a table of one event type; custom properties are together in the last."""
    return ["time", "user_id", "device_id", "insert_id", *COMMON, *SCHEMA[event_type], "custom_properties"]


def flat(event: Row, names: list[str]) -> dict[str, Any]:
    """An event as a row of that table."""
    properties = event["properties"]
    row = {name: properties.get(name) for name in names}
    custom = {name: value for name, value in properties.items() if name not in names}
    row.update(time=event["time"], user_id=event["user_id"], device_id=event["device_id"], insert_id=event["id"])
    row["custom_properties"] = json.dumps(custom) if custom else None
    return row


def _csv(events: Iterator[Row], kind: str, file: IO[str]) -> int:
    names = names_of(kind)
    writer = csv.writer(file)
    writer.writerow(names)
    shown = _spelled if is_terminal() and file is sys.stdout else lambda value: value
    written = 0
    for event in events:
        written += 1
        writer.writerow([shown(neutral(value)) for value in flat(event, names).values()])
    return written


def _spelled(value: Any) -> Any:
    """A cell that a terminal shows and does not obey."""
    return harmless(value, lines=True) if isinstance(value, str) else value


def neutral(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: texts that begin like one get an apostrophe."""
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    text = text.replace("\0", "\ufffd")
    return f"'{text}" if text.lstrip(" \u00a0\ufeff\u200b").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _parquet(events: Iterator[Row], kind: str, output: Path) -> int:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ModuleNotFoundError:
        raise Failure("parquet needs pyarrow: pip install pyarrow (or export jsonl or csv)", 2) from None
    names = names_of(kind)
    schema = pyarrow.schema([(name, _arrow(pyarrow, name)) for name in names])
    written = 0
    with _replacing(output) as path, parquet.ParquetWriter(path, schema) as writer:
        group: list[dict[str, Any]] = []
        for event in events:
            written += 1
            group.append({name: _fit(name, value) for name, value in flat(event, names).items()})
            if len(group) == _GROUP:
                writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
                group.clear()
        if group or not written:
            writer.write_table(pyarrow.Table.from_pylist(group, schema=schema))
    return written


_COUNTS = (
    "total_messages",
    "total_tool_calls",
    "total_errors",
    "tool_call_count",
    "attempt",
    "http_status",
    "turn_index",
)
_WHOLE = ("_tokens", "_length", "_remaining_requests", *_COUNTS)
_NUMBER = ("_ms", "cost_usd", "temperature", "top_p")
_FLAG = ("success", "is_streaming", "stream_aborted", "content_truncated")


def _arrow(pyarrow: Any, name: str) -> Any:
    if name in _FLAG:
        return pyarrow.bool_()
    return (
        pyarrow.int64() if name.endswith(_WHOLE) else pyarrow.float64() if name.endswith(_NUMBER) else pyarrow.string()
    )


def _fit(name: str, value: Any) -> Any:
    # A value of another kind (somebody's own event of the same name) has no place in the column.
    if value is None:
        return None
    if name in _FLAG:
        return value if isinstance(value, bool) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name.endswith(_WHOLE):
        return int(value) if is_number else None
    if name.endswith(_NUMBER):
        return float(value) if is_number else None
    return value if isinstance(value, str) else json.dumps(value)


def _progress(events: Iterator[Row], output: Path | None) -> Iterator[Row]:
    """The same events; on a terminal with a line that says how many."""
    if output is None or not sys.stderr.isatty():
        yield from events
        return
    with console(stderr=True).status("exporting") as status:
        for number, event in enumerate(events, 1):
            if number % 1000 == 0:
                status.update(f"exporting: {number:,} events")
            yield event


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    with _replacing(output) as path, path.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """A file of mode 0600 beside ``output`` that takes its place when it is whole."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
