"""`Spool`: what of the file is in hand, what waits, what is done with. One per file and process.

`done` and `put_back` are called by whoever brings Amplitude's answer, finalizers too, so they take no lock; the worker
acts on them in `tidy`. When the file cannot be used, events are sent without it, and ``spool_errors`` rises.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from .. import _threads
from .._guard import log_once
from .._models import Event, Scope
from .._safe import safe_properties, safe_text
from ._spool_file import SpoolFile
from ._spool_owners import Owner, is_dead, sweep
from ._sqlite import is_damaged

_T = TypeVar("_T")
#: Rows that are read in one statement.
_READ_AT_ONCE = 200
_OF_SCOPE = ("user_id", "device_id", "amplitude_session_id", "groups", "user_properties")


class Spool:
    """Events on disk.

    Args:
        path: the file. Beside it stands the directory ``<path>.owners``.
        max_bytes: the file's size.
        max_age_s: how long an event is kept, in seconds.
        count: adds one to a counter: ``spool_errors``, ``dropped_spool_full``, ``dropped_spool_old``, ``resent``.
    """

    def __init__(self, path: Path, max_bytes: int, max_age_s: float, count: Callable[[str], None]) -> None:
        self.path = path
        self._count = count
        self._file = SpoolFile(path, max_bytes, max_age_s, self._dropped)
        self._owners = path.with_name(path.name + ".owners")
        self._fresh()

    def _fresh(self) -> None:
        self._lock = _threads.RLock()
        self._owner: Owner | None = None
        self._done: deque[int] = deque()
        self._back: deque[tuple[str, int]] = deque()
        self._ready: dict[str, deque[int]] = {}  # by destination: rows that wait to be sent
        self._expired = False

    def add(self, destination: str, events: Sequence[Event]) -> list[int | None]:
        """Write events before they are sent; their rows, or ``None`` for each when the file cannot be written.

        Args:
            destination: whom they are for; no secret.
            events: the events.
        """
        bodies = [_body(event) for event in events]
        rows = self._try(lambda: self._file.add(destination, self._me(), bodies))
        return [None] * len(bodies) if rows is None else list(rows)

    def done(self, row: int) -> None:
        """The event has arrived, or never will."""
        self._done.append(row)

    def put_back(self, destination: str, row: int) -> None:
        """The event could not be sent now: it waits for `take`."""
        self._back.append((destination, row))

    def tidy(self) -> None:
        """Do what was told since the last time."""
        with self._lock:
            rows = [self._done.popleft() for _ in range(len(self._done))]
            for _ in range(len(self._back)):
                destination, row = self._back.popleft()
                self._ready.setdefault(destination, deque()).append(row)
            if rows:
                # Where this fails they are sent again one day, and Amplitude knows them by their insert_id.
                self._try(lambda: self._file.remove(rows))
            if self._owner is not None:
                self._owner.sign()

    def take(self, destination: str, limit: int) -> list[tuple[int, Event]]:
        """Events that wait for ``destination``: of this process, and of processes that are gone.

        Args:
            destination: as it was told to `add`.
            limit: the most events to take.
        """
        return self._try(lambda: self._take(destination, limit)) or []

    def _take(self, destination: str, limit: int) -> list[tuple[int, Event]]:
        me = self._me()
        if not self._expired:
            self._file.expire()
            sweep(self._owners)
            self._expired = True
        ready = self._ready.setdefault(destination, deque())
        for owner in self._file.owners(destination):
            if owner != me and is_dead(self._owners, owner):
                ready.extend(self._file.adopt(destination, me, owner))
        taken: list[tuple[int, Event]] = []
        while ready and len(taken) < limit:
            rows = [ready.popleft() for _ in range(min(_READ_AT_ONCE, limit - len(taken), len(ready)))]
            bodies = self._file.read(rows)
            for row in rows:
                body = bodies.get(row)  # none: it made room for others
                event = None if body is None else _event(body)
                if event is not None:
                    self._count("resent")
                    taken.append((row, event))
                elif body is not None:
                    self._count("spool_errors")
                    self.done(row)
        return taken

    def close(self) -> None:
        """The process ends: what is left is for the next."""
        with self._lock:
            self.tidy()
            owner, self._owner = self._owner, None
            if owner is not None:
                owner.release()
            self._try(self._file.close)
            self._ready.clear()

    def after_fork(self) -> None:
        """In a forked child: file, claim and rows in hand are the parent's."""
        if self._owner is not None:
            self._owner.forget()
        self._file.forget()
        self._fresh()

    def _me(self) -> str:
        if self._owner is not None and not self._owner.stands():
            self._owner.release()
            self._owner = None
        if self._owner is None:
            self._owner = Owner(self._owners)
        return self._owner.name

    def _try(self, action: Callable[[], _T]) -> _T | None:
        with self._lock:
            try:
                return action()
            except sqlite3.DatabaseError as exc:
                self._failed(exc)
                if is_damaged(exc):
                    try:
                        self._file.set_aside()
                    except OSError as own:
                        self._failed(own)
            except OSError as exc:
                self._failed(exc)
            return None

    def _failed(self, exc: Exception) -> None:
        self._count("spool_errors")
        log_once(
            f"spool:{type(exc).__name__}",
            logging.WARNING,
            "amplitude_ai: the spool %s cannot be used (%s: %s); events are sent without it",
            self.path,
            type(exc).__name__,
            exc,
        )

    def _dropped(self, why: str, number: int) -> None:
        for _ in range(number):
            self._count(f"dropped_spool_{why}")
        log_once(f"spool_{why}", logging.WARNING, "amplitude_ai: events in the spool were dropped, it is too %s", why)


def _body(event: Event) -> bytes:
    return orjson.dumps(
        {
            "event_type": safe_text(event.event_type),
            "time_ms": event.time_ms,
            "insert_id": event.insert_id,
            "user_id": None if event.user_id is None else safe_text(event.user_id),
            "device_id": None if event.device_id is None else safe_text(event.device_id),
            "amplitude_session_id": event.scope.amplitude_session_id,
            "groups": event.scope.groups and safe_properties(event.scope.groups),
            "user_properties": event.scope.user_properties and safe_properties(event.scope.user_properties),
            "properties": safe_properties(event.properties),
        }
    )


def _event(body: bytes) -> Event | None:
    try:
        told = orjson.loads(body)
        scope = Scope(**{name: told.pop(name, None) for name in _OF_SCOPE})
        return Event(scope=scope, **told)
    except (ValueError, TypeError, AttributeError):
        return None
