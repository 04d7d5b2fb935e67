"""``send``: stored events to Amplitude, each once however often it is asked.

An event keeps its ``insert_id``, which Amplitude recognises for seven days. For longer, a file beside the store
(``<store>.sent``) notes what Amplitude has acknowledged: ids, no content.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from amplitude import Amplitude
from amplitude.event import EVENT_KEY_MAPPING

from .. import _clock, _threads
from .._config import env_api_key
from .._models import Event, Scope
from ..delivery._ai_event import AIEvent, DeliveryReceipt
from ..delivery._sender import make_default_client
from ..delivery._sqlite import open_private
from ..look._calls import load
from ..look._reader import Reader, Row
from ._errors import Failure
from ._output import as_json, console, hint, write

#: Events that are on their way at the most.
_WINDOW = 2_000
_COLUMNS = "insert_id, event_type, time_ms, user_id, device_id, properties, details"
#: How long no answer may come before what is on its way is given up (for this time), in seconds.
_PATIENCE = 60.0
#: What is not copied: ids and times have their own columns, and the last two want classes of the client's.
_NOT_COPIED = frozenset(
    {"event_type", "time", "insert_id", "user_id", "device_id", "event_properties", "plan", "ingestion_metadata"}
)


def send(path: Path, since_ms: int | None, limit: int | None, dry_run: bool, again: bool, as_json_: bool) -> bool:
    """Send what has not been sent to this project; whether Amplitude took all of it.

    Raises:
        Failure: there is no key.
    """
    key = env_api_key()
    if key is None and not dry_run:
        raise Failure("AMPLITUDE_API_KEY is not set: it says which project the events go to", 2)
    client = None if key is None else make_default_client()
    project = "" if client is None else f"{key}\0{client.configuration.server_url}"
    with Reader(path) as reader, _Sent(path, project, dry_run) as sent:
        wanted = "insert_id" if client is None or dry_run else _COLUMNS
        todo = _todo(reader, since_ms, limit, sent if not again else None, wanted)
        if client is None or dry_run:
            counts = Counter({"to_send": sum(1 for _ in todo)})
        else:
            counts = _Sending(client, sent).run(todo)
    taken = counts.pop("sent", 0)
    if as_json_:
        as_json({"path": str(path), "sent": taken, "dry_run": dry_run, "not_taken": dict(counts), "known": sent.known})
    elif dry_run:
        write(f"{counts['to_send']} events would be sent, {sent.known} were sent before")
    else:
        write(f"{taken} events sent, {sent.known} had been sent before")
        for reason, number in counts.items():
            hint(f"{number} events were not taken: {reason}. Call it again to send what is left.")
    return dry_run or not counts


class _Sent:
    """What Amplitude has acknowledged, for one project."""

    def __init__(self, store: Path, project: str, read_only: bool) -> None:
        self._project = hashlib.sha256(project.encode()).hexdigest()[:16]  # a name, and no secret
        path = _sent_path(store)
        self.known = 0
        self._connection: sqlite3.Connection | None = None
        if not read_only or path.exists():
            self._connection = open_private(path, _migrate_sent)

    def has(self, insert_id: str) -> bool:
        if self._connection is None:
            return False
        found = self._connection.execute(
            "SELECT 1 FROM sent WHERE project = ? AND insert_id = ?", (self._project, insert_id)
        ).fetchone()
        self.known += found is not None
        return found is not None

    def add(self, insert_ids: list[str]) -> None:
        assert self._connection is not None
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR IGNORE INTO sent VALUES (?, ?)", [(self._project, insert_id) for insert_id in insert_ids]
        )
        self._connection.execute("COMMIT")

    def __enter__(self) -> _Sent:
        return self

    def __exit__(self, *about: object) -> None:
        if self._connection is not None:
            self._connection.close()


def forget_removed(store: Path) -> None:
    """Remove from the file beside the store the ids of events that are no longer in it, and their bytes.

    Raises:
        sqlite3.Error: one of the two is busy or damaged.
    """
    path = _sent_path(store)
    if not path.exists():
        return
    connection = open_private(path, _migrate_sent)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("ATTACH DATABASE ? AS store", (str(store),))
        connection.execute(
            "DELETE FROM sent WHERE NOT EXISTS (SELECT 1 FROM store.events WHERE events.insert_id = sent.insert_id)"
        )
        connection.execute("DETACH DATABASE store")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _sent_path(store: Path) -> Path:
    return store.with_name(store.name + ".sent")


def _migrate_sent(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS sent (project TEXT, insert_id TEXT, PRIMARY KEY (project, insert_id)) WITHOUT ROWID"
    )


def _todo(reader: Reader, since_ms: int | None, limit: int | None, sent: _Sent | None, columns: str) -> Iterator[Row]:
    left = -1 if limit is None else limit
    for row in reader.each(
        f"SELECT {columns} FROM events WHERE time_ms >= ? ORDER BY id",
        (since_ms if since_ms is not None else -(2**62),),
    ):
        if left == 0:
            return
        if sent is None or not sent.has(row["insert_id"]):
            left -= 1
            yield row


class _Sending:
    """Tracks events, no more than so many at once, and notes what became of each."""

    def __init__(self, client: Amplitude, sent: _Sent) -> None:
        self._client = client
        self._sent = sent
        self._counts: Counter[str] = Counter()
        # Answers come on the sender's thread: list.append and dict.pop are atomic.
        self._done: list[tuple[str, int | None]] = []
        self._pending: dict[str, None] = {}

    def run(self, rows: Iterator[Row]) -> Counter[str]:
        status = console(stderr=True).status("sending") if sys.stderr.isatty() else None
        if status is not None:
            status.start()
        try:
            for row in rows:
                self._wait(_WINDOW)
                self._pending[row["insert_id"]] = None
                event = _event(row, self._settle_of(row["insert_id"]))
                self._client.track(event)
                del event
                if status is not None:
                    status.update(f"sending: {self._counts['sent']:,} events")
            self._wait(1)
        finally:
            self._note()
            if status is not None:
                status.stop()
            self._client.shutdown()
        if self._pending:
            self._counts["no answer came"] += len(self._pending)
        return self._counts

    def _settle_of(self, insert_id: str) -> Callable[[int | None], None]:
        return lambda code: self._done.append((insert_id, code))

    def _wait(self, below: int) -> None:
        """Until fewer than ``below`` are on their way, or nothing has come for too long."""
        self._note()
        until = _clock.monotonic_s() + _PATIENCE
        while len(self._pending) >= below and _clock.monotonic_s() < until:
            self._client.flush()
            _threads.pause(0.02)
            if self._note():
                until = _clock.monotonic_s() + _PATIENCE
        if len(self._pending) >= below:
            raise Failure(f"no answer from Amplitude for {_PATIENCE:.0f} seconds; what it took is noted: call it again")

    def _note(self) -> bool:
        done, self._done = self._done[: (many := len(self._done))], self._done[many:]
        taken = []
        for insert_id, code in done:
            if self._pending.pop(insert_id, self) is self:
                continue
            if code is not None and 200 <= code < 300:
                taken.append(insert_id)
                self._counts["sent"] += 1
            else:
                self._counts["no answer came" if code is None else f"answer {code}"] += 1
        if taken:
            self._sent.add(taken)
        return bool(done)


def _event(row: Row, settle: Callable[[int | None], None]) -> AIEvent:
    said = Event(
        event_type=row["event_type"],
        time_ms=row["time_ms"],
        insert_id=row["insert_id"],
        properties=load(row["properties"]),
        scope=Scope(user_id=row["user_id"], device_id=row["device_id"]),
    )
    event = AIEvent(said, DeliveryReceipt(1, settle), 1)
    details: Any = json.loads(row["details"] or "{}")
    for name, value in details.items():
        if name in EVENT_KEY_MAPPING and name not in _NOT_COPIED:
            event[name] = value
    return event
