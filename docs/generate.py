"""Writes the tables of the pages that are made from `amplitude_ai.sessions.schema`.

``python docs/generate.py`` rewrites them; with ``--check`` it only says which are out of date, and fails.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from amplitude_ai.sessions.schema import EVERY, PROPERTIES, SCHEMA

DOCS = Path(__file__).parent
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def schema_table(event: str) -> str:
    """The properties of one event."""
    lines = ["| property | type, unit | what | absent |", "|---|---|---|---|"]
    for row in PROPERTIES:
        if row.event == event:
            kind = f"{row.type}, {row.unit}" if row.unit else row.type
            lines.append(f"| `{row.name}` | {kind} | {row.what} | {row.absent} |".replace("|  |", "| |"))
    if event == EVERY:
        lines.append("| custom properties | any | from `context(properties=...)` or `custom_properties` | not given |")
    return "\n".join(lines) + "\n"


def names_table() -> str:
    """What each property is called by others."""
    lines = ["| event | property | Agent Analytics | OpenTelemetry |", "|---|---|---|---|"]
    for row in PROPERTIES:
        if row.agent or row.otel:
            event = "all" if row.event == EVERY else f"`{row.event}`"
            lines.append(f"| {event} | `{row.name}` | {_code(row.agent)} | {_code(row.otel)} |")
    return "\n".join(lines) + "\n"


def _code(name: str) -> str:
    return f"`{name}`" if name else "—"


def with_table(page: str, title: str, table: str) -> str:
    """``page`` with the first table under ``title`` replaced."""
    start = page.index(f"\n## {title}\n")
    found = _TABLE.search(page, start)
    assert found is not None, title
    return page[: found.start()] + table + page[found.end() :]


def pages() -> dict[Path, str]:
    """Each page as it should be."""
    schema = (DOCS / "schema.md").read_text()
    schema = with_table(schema, "On all events", schema_table(EVERY))
    for event in SCHEMA:
        schema = with_table(schema, f"`{event}`", schema_table(event))
    made = {DOCS / "schema.md": schema}
    names = DOCS / "agent-analytics.md"
    if names.exists():
        made[names] = with_table(names.read_text(), "Names", names_table())
    return made


if __name__ == "__main__":
    stale = [path for path, text in pages().items() if path.read_text() != text]
    if "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(path.name for path in stale)}" if stale else 0)
    for path, text in pages().items():
        path.write_text(text)
