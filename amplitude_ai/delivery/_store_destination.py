"""`LocalStoreDestination`: an Amplitude destination plugin that writes events to the local store.

A plugin like any other, so filters and enrichments act on what is stored as they act on what is sent. Texts are
stored in full: Amplitude's limit of 1,024 characters is its own.
"""

from __future__ import annotations

import logging
import sqlite3
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from amplitude.event import EVENT_KEY_MAPPING, BaseEvent, IngestionMetadata, Plan
from amplitude.plugin import DestinationPlugin
from amplitude.timeline import Timeline

from .. import _clock
from .._config import AIConfig, store_limits
from .._guard import count, log_once
from .._safe import safe_properties, safe_text
from ._ai_event import AIEvent
from ._location import is_chosen
from ._sqlite import is_busy
from ._store import Store
from ._store_schema import NewerStoreError, Row
from ._store_waiting import ATTEMPT_SECONDS, WaitingRows

STORED = 200
NOT_STORED = 500

_COLUMNS = frozenset({"event_type", "time", "insert_id", "user_id", "device_id", "event_properties"})
_DETAILS = tuple(name for name in EVENT_KEY_MAPPING if name not in _COLUMNS)
#: No disk, no room, no permission, no such file: what keeps one event out keeps out all.
_OF_THE_FILE = (OSError, sqlite3.OperationalError, NewerStoreError)


class OwnTimeline(Timeline):  # type: ignore[misc]
    """The plugins of one destination, of which there are seldom any: then no lock is taken to do nothing."""

    def process(self, event: BaseEvent) -> BaseEvent | None:
        """What they make of an event."""
        return super().process(event) if any(self.plugins.values()) else event


class LocalStoreDestination(DestinationPlugin):  # type: ignore[misc]  # amplitude-analytics has no types
    """Writes every event to one SQLite file, on the thread that tracks it, and then calls the event's callback.

    Events that `Delivery` tracks wait for its `commit`, and are written together. A store that another process has
    locked holds that thread up for a moment only; the event is then written later, by a thread of our own, in order.

    The callbacks of the client's configuration and of the event get code 200 when the event is on disk, and 500 with
    the kind of the error when it is not (counted as ``dropped_store``). An event whose ``insert_id`` is there already
    counts as stored.

    Args:
        path: the file; by default ``AMPLITUDE_AI_STORE``, else in the user's data directory.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        super().__init__()
        self.timeline = OwnTimeline()
        self.store = Store(path)
        self.configuration: Any = None
        self._chosen = path is not None or is_chosen()
        self._limited_by: AIConfig | None = None
        self._waiting = WaitingRows(self._write_all, self._settle)

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
        if isinstance(config, AIConfig) and config is not self._limited_by:
            self._limited_by = config
            self.store.limit(*store_limits(config))
        one = _Stored(event, _row(event))
        if not self._waiting.add(one, one.size):
            self._settle(one, True)
        elif self._waiting.is_enough or not getattr(getattr(event, "receipt", None), "can_wait", False):
            self._waiting.write()

    def commit(self) -> None:
        """Write what was tracked so far, and report it."""
        self._waiting.write()

    def _write_all(self, some: list[_Stored]) -> bool:
        """Store rows and note the error of each; False when the store is busy."""
        try:
            self.store.write_all([one.row for one in some], wait_s=ATTEMPT_SECONDS)
        except (OSError, sqlite3.Error, NewerStoreError, ValueError, OverflowError) as exc:
            if isinstance(exc, sqlite3.Error) and is_busy(exc):
                return False
            if len(some) > 1:
                return self._write_each(some)
            some[0].error = exc
            return True
        for one in some:
            one.error = None
        return True

    def _write_each(self, some: list[_Stored]) -> bool:
        """It may be one of them that cannot be stored. Where it is the file, the disk is not asked for each."""
        for index, one in enumerate(some):
            if not self._write_all([one]):
                return False
            if isinstance(one.error, _OF_THE_FILE):
                for later in some[index + 1 :]:
                    later.error = one.error
                return True
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

    def __init__(self, event: BaseEvent, row: Row) -> None:
        self.event = event
        self.row = row
        self.size = sum([len(value) for value in row if isinstance(value, str)])
        self.error: Exception | None = None


def _row(event: BaseEvent) -> Row:
    found = [*map(vars(event).get, _DETAILS)]
    details: dict[str, Any] = {}
    is_usual = type(event.library) is str and len(found) - found.count(None) - found.count({}) == 1
    if not is_usual:
        details = {
            name: value for name, value in zip(_DETAILS, found, strict=True) if value is not None and value != {}
        }
    return (
        event.insert_id or str(uuid.uuid4()),
        safe_text(event.event_type),
        event.time or _clock.wall_ms(),
        event.user_id and safe_text(event.user_id),
        event.device_id and safe_text(event.device_id),
        _encode(event.safe_properties()) if isinstance(event, AIEvent) else _json(event.event_properties),
        _usual_details(event.library) if is_usual else _details(details),
        int(_clock.wall_s()),
    )


def _details(details: dict[str, Any]) -> str:
    for name, value in details.items():
        if isinstance(value, Plan):
            details[name] = value.get_plan_body()
        elif isinstance(value, IngestionMetadata):
            details[name] = value.get_body()
    return _json(details)


@lru_cache(maxsize=16)
def _usual_details(library: str) -> str:
    """What nearly every event has, the name of the SDK that its client puts there."""
    return _json({"library": library})


def _json(properties: dict[str, Any] | None) -> str:
    return _encode(safe_properties(properties or {}))


def _encode(safe: dict[str, Any]) -> str:
    return orjson.dumps(safe).decode()
