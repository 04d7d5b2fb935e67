"""The thread boundary: one bounded queue in, one daemon thread per process out.

`submit` runs on the caller's thread and inside finalizers, so it takes no blocking lock: `queue.SimpleQueue.put` is
reentrant, and the byte count is kept by whoever holds a lock that nobody waits for. What does not fit is counted by
reason. The worker starts with the first item and dies with the process; a forked child starts with an empty queue.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from _queue import SimpleQueue
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from . import _clock, _native
from ._guard import count, fence, guard, log_once

#: How many finished exchanges may wait, and how many bytes they may hold together.
MAX_ITEMS = 10_000
MAX_BYTES = 128 * 1024 * 1024
#: How often the worker looks for sessions and tool calls whose time is up, in seconds.
TICK_SECONDS = 0.5
#: How long the worker lets items gather when the first one wakes it, in seconds. Without it the two threads would hand
#: the GIL to and fro for every call, at the expense of the caller's. Whoever waits (`drain`) cuts it short.
GATHER_SECONDS = 0.02
#: Up to how many items waiting the worker pauses between two. A busy application takes 5 ms of each pause, so that with
#: more of them the queue would fill.
PAUSING_ITEMS = 256
#: Bound now: an application's tests that replace ``time.sleep`` by something that raises must not end the worker.
_pause = _native.sleep
#: How long a fork waits for the item in hand, at most, in seconds.
FORK_SECONDS = 2.0


class Handler(Protocol):
    """What the worker does with what it takes."""

    def process(self, item: Any) -> None:
        """Handle one item."""

    def tick(self) -> None:
        """Handle the passing of time."""


class _Barrier:
    """A marker in the queue: everything before it has been handled when it is reached."""

    def __init__(self, action: Callable[[], None] | None) -> None:
        self.action = action
        self.reached = _native.Event()


class Worker:
    """One bounded queue and its one thread.

    Args:
        handler: does the work, on the worker's thread or (`run_inline`) on the caller's, never on two at once.
        max_items: most items waiting.
        max_bytes: most bytes waiting, as told by `submit`.
    """

    def __init__(self, handler: Handler, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES) -> None:
        self._handler = handler
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._running = _native.RLock()  # held while the handler runs
        self._held_for_fork = False
        self._reset()

    def _reset(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Any, int]] = SimpleQueue()
        self._deltas: deque[int] = deque()
        self._bytes = 0
        self._bytes_lock = _native.allocate_lock()
        self._start_lock = _native.allocate_lock()
        self._wake = _native.Event()
        self._thread: threading.Thread | _native.Thread | None = None
        self._ident: int | None = None
        self._pid = os.getpid()

    def submit(self, item: Any, size: int = 0) -> bool:
        """Hand over an item of ``size`` bytes; ``False`` when it was dropped (and counted)."""
        if self._queue.qsize() >= self._max_items:
            self._dropped("dropped_queue_full")
            return False
        if size and self._bytes + size > self._max_bytes:
            self._dropped("dropped_queue_bytes")
            return False
        self._add_bytes(size)
        self._queue.put((item, size))
        if self._thread is None:
            self._start()
        return True

    def _dropped(self, reason: str) -> None:
        count(reason)
        log_once(reason, logging.WARNING, "amplitude_ai: the queue is full, calls are not recorded (%s)", reason)

    def _add_bytes(self, size: int) -> None:
        # Whoever gets the lock adds up everybody's; who does not get it (another thread, or a finalizer that
        # interrupted this very function) leaves the figure behind. Nobody ever waits.
        self._deltas.append(size)
        if self._bytes_lock.acquire(blocking=False):
            try:
                while self._deltas:
                    self._bytes += self._deltas.popleft()
            finally:
                self._bytes_lock.release()

    def _start(self) -> None:
        if not self._start_lock.acquire(blocking=False):
            return  # somebody is at it
        try:
            if self._thread is None:
                # Set before it starts: the first item may itself ask whether it is on the worker.
                if _native.greenlets_about():
                    self._thread = _native.Thread(self._run)
                else:
                    self._thread = threading.Thread(target=self._run, name="amplitude-ai", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:
                    # An interpreter that is shutting down starts no thread; the exit hook drains the queue itself.
                    self._thread = None
        finally:
            self._start_lock.release()

    def _run(self) -> None:
        self._ident = _native.get_ident()
        next_tick = _clock.monotonic_s() + TICK_SECONDS
        mine = self._queue
        while self._queue is mine:
            try:
                item, size = mine.get(timeout=max(next_tick - _clock.monotonic_s(), 0.0))
            except queue.Empty:
                pass
            else:
                if not isinstance(item, _Barrier):
                    self._wake.wait(GATHER_SECONDS)
                self._handle(item, size)
                self._handle_waiting(mine, next_tick)
            if _clock.monotonic_s() >= next_tick:
                next_tick = _clock.monotonic_s() + TICK_SECONDS
                with self._running, fence("tick"):
                    self._handler.tick()

    def _handle_waiting(self, mine: queue.SimpleQueue[tuple[Any, int]], until: float) -> None:
        """All that gathered, so far as the time allows."""
        while _clock.monotonic_s() < until:
            try:
                item, size = mine.get_nowait()
            except queue.Empty:
                return
            self._handle(item, size)
            if mine.qsize() < PAUSING_ITEMS:
                _pause(0)  # let the application's threads have the interpreter: they wait up to 5 ms for it otherwise

    def _handle(self, item: Any, size: int) -> None:
        with self._running:
            if isinstance(item, _Barrier):
                if item.action is not None:
                    with fence("barrier"):
                        item.action()
                self._wake.clear()
                item.reached.set()
            else:
                with fence("process"):
                    self._handler.process(item)
        if size:
            self._add_bytes(-size)

    def run_inline(self, item: Any) -> None:
        """Handle an item now, on this thread (``async_event_emission=False``)."""
        with self._running, guard("process"):
            self._handler.process(item)

    def drain(self, timeout: float, action: Callable[[], None] | None = None) -> bool:
        """Wait until everything submitted before has been handled, then run ``action`` on the worker.

        Args:
            timeout: seconds to wait.
            action: run once all is handled, where it needs no lock.

        Returns:
            False when the time was not enough, or when called on the worker itself (which cannot wait for itself).
        """
        if _native.get_ident() == self._ident:
            if action is not None:
                action()
            return False
        barrier = _Barrier(action)
        self._queue.put((barrier, 0))
        self._wake.set()
        if self._thread is None:
            self._start()
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._drain_here(_clock.monotonic_s() + timeout)
        return barrier.reached.wait(max(timeout, 0.0))

    def _drain_here(self, deadline: float) -> None:
        while _clock.monotonic_s() < deadline:
            try:
                item, size = self._queue.get_nowait()
            except queue.Empty:
                return
            self._handle(item, size)

    def before_fork(self) -> None:
        """Wait for the item in hand: a fork in the middle of an import leaves the child half a module for ever."""
        self._held_for_fork = self._running.acquire(timeout=FORK_SECONDS)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._held_for_fork:
            self._held_for_fork = False
            self._running.release()

    def after_fork(self) -> None:
        """In a forked child: the parent handles what the parent queued."""
        self._running = _native.RLock()
        self._reset()

    @property
    def waiting(self) -> tuple[int, int]:
        """(items, bytes) in the queue."""
        return self._queue.qsize(), max(self._bytes, 0)
