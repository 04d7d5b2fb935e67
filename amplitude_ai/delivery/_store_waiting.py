"""`WaitingRows`: events that found the store locked by another process, and the thread that writes them later.

The thread that tracks waits for a moment only; behind the first that could not be written all later ones queue, in
order, bounded in number and bytes. The thread lives while something waits. Knows nothing of Amplitude.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from .._guard import guard, report

#: How long one attempt may wait for the lock, and how long to rest before the next, in seconds.
ATTEMPT_SECONDS, REST_SECONDS = 0.05, 0.1
#: How long an event waits in all before it is given up, in seconds.
PATIENCE_SECONDS = 120.0
#: How long the end of the process is held up for what still waits, in seconds.
END_SECONDS = 1.0
MAX_ROWS, MAX_BYTES = 10_000, 32 << 20

_every: weakref.WeakSet[WaitingRows] = weakref.WeakSet()


class WaitingRows:
    """A queue in front of a store.

    Args:
        attempt: writes one row; False when the store is busy, else what became of it has been noted. Does not raise.
        settle: called after that, or with True when the row was given up, with what `add` was given. May raise.
    """

    def __init__(self, attempt: Callable[[Any], bool], settle: Callable[[Any, bool], None]) -> None:
        self._attempt = attempt
        self._settle = settle
        self._fresh()
        _every.add(self)

    def _fresh(self) -> None:
        self._rows: deque[tuple[Any, int, float]] = deque()
        self._bytes = 0
        self._lock = threading.Lock()  # of the fields; held for no I/O
        self._turn = threading.Lock()  # of who writes
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, item: Any, size: int) -> bool:
        """Write ``item`` later; False when too many wait."""
        with self._lock:
            if len(self._rows) >= MAX_ROWS or self._bytes + size > MAX_BYTES:
                return False
            self._rows.append((item, size, time.monotonic() + PATIENCE_SECONDS))
            self._bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="amplitude-ai-store", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # the interpreter is ending and starts no thread: `end` writes it
                    self._thread = None
        return True

    def end(self) -> None:
        """Write what waits now, for a second at the most; the rest is given up."""
        deadline = time.monotonic() + END_SECONDS
        while self._rows and time.monotonic() < deadline:
            self._write_first()
        while self._rows:
            self._write_first(give_up=True)

    def after_fork(self) -> None:
        """In a forked child: what waits is the parent's."""
        self._fresh()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._rows:
                    self._thread = None
                    return
            if not self._write_first():
                time.sleep(REST_SECONDS)

    def _write_first(self, give_up: bool = False) -> bool:
        with self._turn:
            if not self._rows:
                return True
            item, size, until = self._rows[0]
            given_up = give_up or time.monotonic() >= until
            if not given_up and not self._attempt(item):
                return False
            with self._lock:
                self._rows.popleft()
                self._bytes -= size
        try:
            with guard("store"):
                self._settle(item, given_up)
        except BaseException as exc:  # a callback of the user's that exits: this is our thread, not theirs
            report("store", exc)
        return True


def _after_fork() -> None:
    for each in list(_every):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
