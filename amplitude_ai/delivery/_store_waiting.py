"""`WaitingRows`: events that found the store locked by another process, and the thread that writes them later.

The thread that tracks waits for a moment only; behind the first that could not be written all later ones queue, in
order, bounded in number and bytes. The thread lives while something waits. Knows nothing of Amplitude.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from .. import _threads
from .._guard import fence

#: How long one attempt may wait for the lock, and how long to rest before the next, in seconds.
ATTEMPT_SECONDS, REST_SECONDS = 0.05, 0.1
#: Attempts in a row that find the store locked (two minutes) before events are given up, and (a second) at the end of
#: the process. Counted, not timed: an application may have stopped the clock.
ATTEMPTS, ATTEMPTS_AT_END = 800, 20
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
        self._rows: deque[tuple[Any, int]] = deque()
        self._busy = 0  # attempts since the last that did something
        self._bytes = 0
        self._lock = _threads.Lock()  # of the fields; held for no I/O
        self._turn = _threads.Lock()  # of who writes
        self._is_running = False

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, item: Any, size: int) -> bool:
        """Write ``item`` later; False when too many wait."""
        with self._lock:
            if len(self._rows) >= MAX_ROWS or self._bytes + size > MAX_BYTES:
                return False
            if not self._rows:
                self._busy = 0
            self._rows.append((item, size))
            self._bytes += size
            if not self._is_running:
                self._is_running = True
                try:
                    _threads.start(self._run, "amplitude-ai-store")
                except RuntimeError:  # the interpreter is ending and starts no thread: `end` writes it
                    self._is_running = False
        return True

    def end(self) -> None:
        """Write what waits now, for about a second at the most; the rest is given up."""
        self._busy = 0
        while self._rows:
            self._write_first(ATTEMPTS_AT_END)

    def after_fork(self) -> None:
        """In a forked child: what waits is the parent's."""
        self._fresh()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._rows:
                    self._is_running = False
                    return
            if not self._write_first():
                _threads.pause(REST_SECONDS)

    def _write_first(self, attempts: int = ATTEMPTS) -> bool:
        with self._turn:
            if not self._rows:
                return True
            item, size = self._rows[0]
            # Once the first is given up, those behind it do not wait anew.
            given_up = self._busy >= attempts
            if not given_up:
                if not self._attempt(item):
                    self._busy += 1
                    return False
                self._busy = 0
            with self._lock:
                self._rows.popleft()
                self._bytes -= size
        with fence("store"):  # a callback of the user's may exit: this is our thread, not theirs
            self._settle(item, given_up)
        return True


def _after_fork() -> None:
    for each in list(_every):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
