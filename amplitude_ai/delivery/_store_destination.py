"""`LocalStoreDestination`: an Amplitude destination plugin that writes events to the local store.

A plugin like any other, so filters and enrichments act on what is stored as they act on what is sent. Texts are
stored in full: Amplitude's limit of 1,024 characters is its own.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import uuid
from pathlib import Path
from typing import Any

from amplitude.event import EVENT_KEY_MAPPING, BaseEvent, IngestionMetadata, Plan
from amplitude.plugin import DestinationPlugin

from .. import _clock
from .._config import AIConfig, store_limits
from .._guard import count, log_once
from .._safe import safe_properties, safe_text
from ._location import is_chosen
from ._sqlite import is_busy
from ._store import Store
from ._store_schema import NewerStoreError
from ._store_waiting import ATTEMPT_SECONDS, WaitingRows

STORED = 200
NOT_STORED = 500

_COLUMNS = frozenset({"event_type", "time", "insert_id", "user_id", "device_id", "event_properties"})


class LocalStoreDestination(DestinationPlugin):  # type: ignore[misc]  # amplitude-analytics has no types
    """Writes every event to one SQLite file, on the thread that tracks it, and then calls the event's callback.

    A store that another process has locked holds that thread up for a moment only; the event is then written later, by
    a thread of our own, in order.

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
        self._chosen = path is not None or is_chosen()
        self._waiting = WaitingRows(lambda each: self._write(each, ATTEMPT_SECONDS), self._settle)

    def setup(self, client: Any) -> None:
        """Called by ``Amplitude.add``."""
        super().setup(client)
        self.configuration = client.configuration
        # Prompts on a disk are something to know of, where nobody asked for it.
        log_once(
            f"store:{self.store.path}",
            logging.INFO if self._chosen else logging.WARNING,
            "amplitude_ai: events, prompts and answers included, go to the local store %s "
            "(AMPLITUDE_API_KEY sends them to Amplitude, AMPLITUDE_AI_STORE names another file)",
            self.store.path,
        )

    def execute(self, event: BaseEvent) -> None:
        """Store one event."""
        event = self.timeline.process(event)
        if not event:
            return  # a plugin of this destination dropped it
        # `AIEvent` has the call's config; another event of the user's own has none.
        config = getattr(event, "config", None)
        if isinstance(config, AIConfig):
            self.store.limit(*store_limits(config))
        one = _Stored(event, _row(event))
        if not self._waiting and self._write(one, ATTEMPT_SECONDS):
            self._settle(one, False)
        elif not self._waiting.add(one, one.size):
            self._settle(one, True)

    def _write(self, one: _Stored, wait_s: float) -> bool:
        """Store a row and note the code; False when the store is busy."""
        try:
            self.store.write(**one.row, wait_s=wait_s)
        except (OSError, sqlite3.Error, NewerStoreError) as exc:
            one.error = exc
            return not (isinstance(exc, sqlite3.Error) and is_busy(exc))
        one.error = None
        return True

    def _settle(self, one: _Stored, given_up: bool) -> None:
        if one.error is None and not given_up:
            self._report(one.event, STORED, "Event stored locally.")
            return
        kind = "busy" if one.error is None else type(one.error).__name__
        count("dropped_store")
        log_once(
            f"store:{kind}",
            logging.WARNING,
            "amplitude_ai: the local store %s cannot be written (%s: %s); events are lost",
            self.store.path,
            kind,
            one.error or "too many wait",
        )
        self._report(one.event, NOT_STORED, f"not stored: {kind}")

    def _report(self, event: BaseEvent, code: int, message: str) -> None:
        event.callback(code, message)  # first: an error of the client's callback must not cost this one
        callback = getattr(self.configuration, "callback", None)
        if callable(callback):
            callback(event, code, message)

    def flush(self) -> None:
        """Nothing to do: what waits for a locked file is tried again and again."""

    def shutdown(self) -> None:
        """Close the file; another event opens it again."""
        super().shutdown()
        self._waiting.end()
        self.store.close()


class _Stored:
    """An event on its way to the file."""

    __slots__ = ("error", "event", "row", "size")

    def __init__(self, event: BaseEvent, row: dict[str, Any]) -> None:
        self.event = event
        self.row = row
        self.size = sum(len(value) for value in row.values() if isinstance(value, str))
        self.error: Exception | None = None


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
        "time_ms": event.time or _clock.wall_ms(),
        "user_id": event.user_id and safe_text(event.user_id),
        "device_id": event.device_id and safe_text(event.device_id),
        "properties": _json(event.event_properties),
        "details": _json(details),
    }


def _json(properties: dict[str, Any] | None) -> str:
    return json.dumps(safe_properties(properties or {}), ensure_ascii=False, allow_nan=False)
