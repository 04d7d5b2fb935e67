"""Which events go by a spool, and when what waits there is sent: between `Delivery` and the files.

A spool serves clients whose destinations acknowledge events (Amplitude's). The local store is a disk itself, and a
stand-in with ``track()`` has an event as soon as it was called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _clock
from .._config import AIConfig, env_spool
from .._guard import guard
from .._models import Event

if TYPE_CHECKING:
    from ._client import ClientAdapter
    from ._spool import Spool

#: How often spools are searched for what waits, and for what others have left, in seconds.
SEARCH_SECONDS = 30.0


class SpoolEntry:
    """Where one event is on disk. Its methods take no lock: finalizers may call them."""

    __slots__ = ("_destination", "_row", "_spool")

    def __init__(self, spool: Spool, destination: str, row: int) -> None:
        self._spool = spool
        self._destination = destination
        self._row = row

    def done(self) -> None:
        """It need not be kept."""
        self._spool.done(self._row)

    def put_back(self) -> None:
        """It was not sent, and waits."""
        self._spool.put_back(self._destination, self._row)


class Spooling:
    """All spools of the process.

    Args:
        count: adds one to a counter by name.
        adapter: what `Delivery` knows about a client.
    """

    def __init__(self, count: Callable[[str], None], adapter: Callable[[Any], ClientAdapter]) -> None:
        self._count = count
        self._adapter = adapter
        self._spools: dict[Path, Spool] = {}
        self._by_environment: bool | None = None
        #: (file, destination) -> the client that sends there, and when to look next.
        self._watched: dict[tuple[Path, str], tuple[Any, float]] = {}

    @property
    def is_used(self) -> bool:
        """Whether there is any."""
        return bool(self._spools)

    def is_wanted(self, events: list[tuple[Event, Any]]) -> bool:
        """Whether any of these may have to go by a spool."""
        if self._by_environment is None:
            self._by_environment = bool(env_spool())
        return self._by_environment or any(event.config is not None and event.config.spool for event, _ in events)

    def look_anew(self) -> None:
        """What stands in the environment may have changed."""
        self._by_environment = None

    def write(self, events: list[tuple[Event, Any]]) -> list[SpoolEntry | None]:
        """Put events on disk that want it; where each is. Errors are counted, never raised."""
        entries: list[SpoolEntry | None] = [None] * len(events)
        groups: dict[tuple[Path, str], list[int]] = {}
        with guard("spool"):
            for index, (event, client) in enumerate(events):
                if event.config is not None and (key := self.watch(client, event.config)) is not None:
                    groups.setdefault(key, []).append(index)
            for (path, destination), indices in groups.items():
                spool = self._spools[path]
                rows = spool.add(destination, [events[index][0] for index in indices])
                for index, row in zip(indices, rows, strict=True):
                    entries[index] = None if row is None else SpoolEntry(spool, destination, row)
        return entries

    def watch(self, client: Any, config: AIConfig) -> tuple[Path, str] | None:
        """Use the spool of ``config`` for ``client``; ``None`` where there is none, or it is of no use."""
        where = config.spool or env_spool()
        if not where:
            return None
        adapter = self._adapter(client)
        destination = adapter.destination
        if destination is None:
            return None
        path = spool_path(where)
        key = (path, destination)
        if path not in self._spools:
            from ._spool import Spool

            self._spools[path] = Spool(path, config.spool_max_bytes, config.spool_max_age_s, self._count)
        if key not in self._watched:
            self._watched[key] = (adapter.client, 0.0)
        return key

    def look_soon(self) -> None:
        """There was more than may be under way: what waits is sent as soon as there is room for it."""
        self._watched = {key: (client, 0.0) for key, (client, _) in self._watched.items()}

    def due(self, limit: int) -> Iterator[tuple[Event, Any, SpoolEntry]]:
        """Events that wait on disk, where it is time to look for them; no more than ``limit``."""
        self.tidy()
        now = _clock.monotonic_s()
        for (path, destination), (client, at) in list(self._watched.items()):
            if now < at or limit <= 0:
                continue
            self._watched[path, destination] = (client, now + SEARCH_SECONDS)
            spool = self._spools[path]
            for row, event in spool.take(destination, limit):
                limit -= 1
                yield event, client, SpoolEntry(spool, destination, row)
            if limit <= 0:
                self._watched[path, destination] = (client, 0.0)  # there may be more

    def tidy(self) -> None:
        """Remove from disk what has arrived."""
        for spool in list(self._spools.values()):
            with guard("spool"):
                spool.tidy()

    def close(self) -> None:
        """The process ends."""
        for spool in list(self._spools.values()):
            with guard("spool"):
                spool.close()

    def after_fork(self) -> None:
        """In a forked child: what is on disk is the parent's to send."""
        for spool in self._spools.values():
            spool.after_fork()
        self.look_soon()


def spool_path(where: bool | str | os.PathLike[str]) -> Path:
    """The file that a setting means."""
    if isinstance(where, bool):
        from ._location import default_path

        return default_path().with_name("spool.db")
    return Path(where).expanduser()
