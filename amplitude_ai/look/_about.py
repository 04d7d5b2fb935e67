"""What is to be said of the store's file, without reading its events."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from ._reader import Reader, StoreMissingError, StoreUnreadableError
from ._sums import bounds
from ._when import iso


def about(path: Path) -> dict[str, Any]:
    """Path, size, mode and span of a store; ``error`` where it cannot be read."""
    facts: dict[str, Any] = {"path": str(path), "exists": path.exists()}
    if not facts["exists"]:
        return facts
    wal = path.with_name(path.name + "-wal")
    facts["bytes"] = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    facts["mode"] = f"{stat.S_IMODE(path.stat().st_mode):04o}"
    try:
        with Reader(path) as reader:
            facts["events"] = reader.one("SELECT count(*) FROM events")
            facts["oldest"], facts["newest"] = map(iso, bounds(reader))
    except (StoreMissingError, StoreUnreadableError) as exc:
        facts["error"] = str(exc)
    return facts
