"""`WaitingRows`: events on their way to a store, and the thread that goes on where another process has it locked.

Rows are written by whoever calls `write`, as many at once as there are, in order. That waits for a lock for a moment
only; where it is not enough, all later rows queue behind those that could not be written, bounded in number and bytes,
and a thread that lives while something waits tries again. Knows nothing of Amplitude.
"""

from __future__ import annotations

import os
import weakref
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from .. import _threads
from .._guard import fence

#: How long one attempt may wait for the lock, and how long to rest before the next, in seconds.
ATTEMPT_SECONDS, REST_SECONDS = 0.05, 0.1
#: Attempts in a row that find the store locked (two minutes) before events are given up, and (a second) at the end of
#: the process. Counted, not timed: an application may have stopped the clock.
ATTEMPTS, ATTEMPTS_AT_END = 800, 20
MAX_ROWS, MAX_BYTES = 10_000, 32 << 20
#: Rows of one transaction, and bytes after which no more are gathered for it.
TOGETHER, TOGETHER_BYTES = 200, 1 << 20

_every: weakref.WeakSet[WaitingRows] = weakref.WeakSet()


class WaitingRows:
    """A queue in front of a store.

    Args:
        attempt: writes rows; False when the store is busy, else what became of each has been noted. Does not raise.
        settle: called after that for each with what `add` was given, and True when the row was given up. May raise.
    """

    def __init__(self, attempt: Callable[[list[Any]], bool], settle: Callable[[Any, bool], None]) -> None:
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

    @property
    def is_enough(self) -> bool:
        """Whether so many wait that they should be written now."""
        return len(self._rows) >= TOGETHER or self._bytes >= TOGETHER_BYTES

    def add(self, item: Any, size: int) -> bool:
        """Have ``item`` written by the next `write`; False when too many wait."""
        with self._lock:
            if len(self._rows) >= MAX_ROWS or self._bytes + size > MAX_BYTES:
                return False
            if not self._rows:
                self._busy = 0
            self._rows.append((item, size))
            self._bytes += size
        return True

    def write(self) -> None:
        """Write what waits, unless the thread is at it; where the store is busy have the thread go on."""
        while self._rows and not self._is_running:
            if not self._write_some(is_told=True):
                self._go_on()
                return

    def end(self) -> None:
        """Write what waits now, for about a second at the most; the rest is given up."""
        self._busy = 0
        while self._rows:
            self._write_some(ATTEMPTS_AT_END)

    def after_fork(self) -> None:
        """In a forked child: what waits is the parent's."""
        self._fresh()

    def _go_on(self) -> None:
        with self._lock:
            if not self._is_running:
                self._is_running = True
                try:
                    _threads.start(self._run, "amplitude-ai-store")
                except RuntimeError:  # the interpreter is ending and starts no thread: `end` writes it
                    self._is_running = False

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._rows:
                    self._is_running = False
                    return
            if not self._write_some():
                _threads.pause(REST_SECONDS)

    def _write_some(self, attempts: int = ATTEMPTS, is_told: bool = False) -> bool:
        """Write the first rows; False when the store is busy. ``is_told``: the callback of one may raise."""
        with self._turn:
            some = list(islice(self._rows, TOGETHER))
            if not some:
                return True
            # Once the first are given up, those behind them do not wait anew.
            given_up = self._busy >= attempts
            if not given_up:
                if not self._attempt([item for item, _ in some]):
                    self._busy += 1
                    return False
                self._busy = 0
            with self._lock:
                for _, size in some:
                    self._rows.popleft()
                    self._bytes -= size
        if is_told and len(some) == 1:
            self._settle(some[0][0], given_up)
            return True
        for item, _ in some:
            with fence("store"):  # a callback of the user's may exit: this is our thread, or there are other events
                self._settle(item, given_up)
        return True


def _after_fork() -> None:
    for each in list(_every):
        each.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
