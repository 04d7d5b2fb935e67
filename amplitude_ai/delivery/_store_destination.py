"""`LocalStoreDestination`: an Amplitude destination plugin that writes events to the local store.

A plugin like any other, so filters and enrichments act on what is stored as they act on what is sent. Texts are
stored in full: Amplitude's limit of 1,024 characters is its own.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Any

from amplitude.event import EVENT_KEY_MAPPING, BaseEvent, IngestionMetadata, Plan
from amplitude.plugin import DestinationPlugin

from .._guard import count, log_once
from .._safe import safe_properties, safe_text
from ._store import Store
from ._store_schema import NewerStoreError

STORED = 200
NOT_STORED = 500

_COLUMNS = frozenset({"event_type", "time", "insert_id", "user_id", "device_id", "event_properties"})


class LocalStoreDestination(DestinationPlugin):  # type: ignore[misc]  # amplitude-analytics has no types
    """Writes every event to one SQLite file, on the thread that tracks it, and then calls the event's callback.

    The callbacks of the client's configuration and of the event get code 200 when the event is on disk, and 500 with
    the kind of the error when it is not (counted as ``dropped_store``). An event whose ``insert_id`` is there already
    counts as stored.

    Args:
        path: the file; by default ``AMPLITUDE_AI_STORE``, else in the user's data directory.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        super().__init__()
        self.store = Store(path)
        self.configuration: Any = None

    def setup(self, client: Any) -> None:
        """Called by ``Amplitude.add``."""
        super().setup(client)
        self.configuration = client.configuration
        log_once(
            f"store:{self.store.path}", logging.INFO, "amplitude_ai: events go to the local store %s", self.store.path
        )

    def execute(self, event: BaseEvent) -> None:
        """Store one event."""
        event = self.timeline.process(event)
        if not event:
            return  # a plugin of this destination dropped it
        try:
            self.store.write(**_row(event))
        except (OSError, sqlite3.Error, NewerStoreError) as exc:
            count("dropped_store")
            log_once(
                f"store:{type(exc).__name__}",
                logging.WARNING,
                "amplitude_ai: the local store %s cannot be written (%s: %s); events are lost",
                self.store.path,
                type(exc).__name__,
                exc,
            )
            self._report(event, NOT_STORED, f"not stored: {type(exc).__name__}")
        else:
            self._report(event, STORED, "Event stored locally.")

    def _report(self, event: BaseEvent, code: int, message: str) -> None:
        event.callback(code, message)  # first: an error of the client's callback must not cost this one
        callback = getattr(self.configuration, "callback", None)
        if callable(callback):
            callback(event, code, message)

    def flush(self) -> None:
        """Nothing waits here."""

    def shutdown(self) -> None:
        """Close the file; another event opens it again."""
        super().shutdown()
        self.store.close()


def _row(event: BaseEvent) -> dict[str, Any]:
    details = {
        name: event[name] for name in EVENT_KEY_MAPPING if name not in _COLUMNS and event[name] not in (None, {})
    }
    for name, value in details.items():
        if isinstance(value, Plan):
            details[name] = value.get_plan_body()
        elif isinstance(value, IngestionMetadata):
            details[name] = value.get_body()
    return {
        "insert_id": event.insert_id or str(uuid.uuid4()),
        "event_type": safe_text(event.event_type),
        "time_ms": event.time or int(time.time() * 1000),
        "user_id": event.user_id and safe_text(event.user_id),
        "device_id": event.device_id and safe_text(event.device_id),
        "properties": _json(event.event_properties),
        "details": _json(details),
    }


def _json(properties: dict[str, Any] | None) -> str:
    return json.dumps(safe_properties(properties or {}), ensure_ascii=False, allow_nan=False)
