"""The thread boundary: one bounded queue in, one daemon thread per process out.

`submit` runs on the caller's thread and inside finalizers, so it takes no blocking lock and, as a rule, wakes nobody:
the queue is a deque, whose ends are atomic, the worker looks by itself several times a second, and the byte count is
kept by whoever holds a lock that nobody waits for. What does not fit is counted by reason. The worker starts with the
first item and dies with the process, of nothing else; a forked child starts with an empty queue.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from . import _clock
from ._guard import count, fence, log_once, shield
from ._threads import Event, Lock, RLock, Started, get_ident, start, take

#: How many finished exchanges may wait, and how many bytes they may hold together. A small one takes 3 KB itself; a
#: burst of so many is lost on no machine, however little of it the worker gets meanwhile.
MAX_ITEMS = 20_000
MAX_BYTES = 128 * 1024 * 1024
#: How often the worker looks for items, in seconds. To be woken costs the caller 20 µs and a hand-over of the GIL.
LOOK_SECONDS = 0.2
#: Part of the queue (1,000 items, 6 MB) that makes the caller wake it after all.
WAKE_PART = 20
#: How often the worker looks for sessions and tool calls whose time is up, in seconds.
TICK_SECONDS = 0.5
#: After so many seconds without an item the worker rests: the next item wakes it, or what is due then, and it looks no
#: more often than the latter says. (To look costs 0.17 ms, most of it to come back to; all the time, 0.12 % of a core.)
REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 5.0
#: Who wakes or starts it goes on with the answer just then, and would be kept waiting by up to 5 ms (12 in a process's
#: first call): it begins so many seconds later, as it does on average with items that it looks for.
PATIENCE_SECONDS = 0.1
#: The worker lets go of the interpreter between two items: a thread of the application that comes back from a wait
#: would get it 5 ms later. But one that computes keeps it for 5 ms, so where more than so many wait the worker goes on
#: for a part of the time that it was kept waiting, at the most so many seconds: a fifth of the interpreter is the most
#: it takes from those who want it too, and what that is not enough for is dropped, and counted.
PAUSING_ITEMS = 256
PART, LONGEST_SECONDS = 0.25, 0.00125
_pause = _clock.sleep
#: How long a fork waits for the item in hand, at most, in seconds: it may hold locks of SQLite's and of the user's.
FORK_SECONDS = 0.25
#: Who forks while a second thread is there is warned from Python 3.12 on, and has no other thread but for us: the
#: worker ends before a fork. For what waits it takes so many seconds more, at most.
LEAVES_FOR_FORK, LEAVE_SECONDS = sys.version_info >= (3, 12), 0.05
#: Python 3.13 counts when the hooks for the parent have run: there the next item starts the worker again.
STARTS_AFTER_FORK = sys.version_info < (3, 13)
#: A thread that has not begun after so many seconds was killed at its birth: CPython gives it what somebody throws just
#: then into the thread that starts it (``PyThreadState_SetAsyncExc``).
BIRTH_SECONDS = 1.0
_NEVER = float("inf")


class Handler(Protocol):
    """What the worker does with what it takes."""

    def process(self, item: Any) -> None:
        """Handle one item."""

    def commit(self) -> None:
        """Write what was gathered of the items since the last time: nothing more comes just now."""

    def tick(self) -> None:
        """Handle the passing of time."""

    def due_s(self) -> float:
        """In how many seconds a tick will have something to do; infinite where it is not known to have anything."""


class _Barrier:
    """A marker in the queue: everything before it has been handled when it is reached."""

    __slots__ = ("action", "reached")

    def __init__(self, action: Callable[[], None] | None) -> None:
        self.action = action
        self.reached = Event()


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
        #: Smaller items are not accounted for: all that fit into the queue are a quarter of the bytes.
        self._small = max_bytes // (4 * max_items)
        self._reset()

    def _reset(self) -> None:
        self._forking: dict[int, tuple[bool, bool]] = {}  # by thread: whether it has `_running`, and `_may_start`
        self._running = RLock()  # held while the handler runs
        self._queue: deque[tuple[Any, int]] = deque()
        self._deltas: deque[int] = deque()
        self._bytes = 0
        self._bytes_lock = Lock()
        self._may_start = True  # not there while somebody starts the thread, or keeps it from starting
        self._wake = Event()
        self._rests = False  # nobody looks: who has something must wake the worker
        self._hurries = False  # somebody waits for what is in the queue, or it is much
        self._thread: int | None = None  # its ident; 0 while it starts
        self._late_s = _NEVER  # when a thread that has not begun by then never will
        self._started: Started | None = None
        self._leave_s = _NEVER  # when the worker goes, whatever waits
        self._handled = 0
        self._stuck_at = -1

    def submit(self, item: Any, size: int = 0, urgent: bool = False) -> bool:
        """Hand over an item of ``size`` bytes; ``False`` when it was dropped (and counted).

        Args:
            item: what the handler takes.
            size: how many bytes it holds.
            urgent: whether the worker is to be woken for it.
        """
        queue = self._queue
        waiting = len(queue)
        if waiting >= self._max_items:
            self._dropped("dropped_queue_full")
            return False
        if size <= self._small:
            size = 0
        else:
            if self._bytes + size > self._max_bytes:
                self._dropped("dropped_queue_bytes")
                return False
            self._add_bytes(size)
        queue.append((item, size))
        if urgent or waiting * WAKE_PART >= self._max_items or self._bytes * WAKE_PART >= self._max_bytes:
            self._hurry()
        elif self._rests:
            self._wake.set()
        if not self._thread:
            self._start()
        return True

    def _hurry(self) -> None:
        self._hurries = True
        self._wake.set()

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
        if not self._claim_start():
            return  # somebody is at it
        try:
            if self._thread is None or (self._thread == 0 and _clock.monotonic_s() >= self._late_s):
                self._thread, self._late_s = 0, _clock.monotonic_s() + BIRTH_SECONDS
                mine = self._queue
                self._started = start(lambda: self._run(mine), "amplitude-ai")
        except RuntimeError:
            # An interpreter that is shutting down starts no thread; the exit hook drains the queue itself.
            self._thread = None
        except BaseException:
            self._thread = None  # thrown into us: there is a thread, or none
            raise
        finally:
            self._may_start = True

    def _claim_start(self) -> bool:
        try:
            del self._may_start  # at once, and nothing is thrown after it: what was would leave a lock locked
        except AttributeError:
            return False
        return True

    def _run(self, mine: deque[tuple[Any, int]]) -> None:
        if self._thread:
            return  # who started this one did not come to know of it, and started another
        self._thread = get_ident()
        was_sent_away = False
        try:
            began = _clock.monotonic_s()
            next_tick, rests_at = began + TICK_SECONDS, began + REST_SECONDS
            self._be_patient(mine)
            while self._queue is mine:
                if not mine and self._leave_s == _NEVER:
                    self._await_item(mine, next_tick, rests_at)
                self._hurries = False
                self._wake.clear()
                if mine:
                    rests_at = _clock.monotonic_s() + REST_SECONDS
                self._handle_all(mine, next_tick)
                with self._running, fence("commit"):
                    self._handler.commit()
                was_sent_away = self._leave_s != _NEVER
                if was_sent_away:
                    return
                if _clock.monotonic_s() >= next_tick:
                    next_tick = _clock.monotonic_s() + TICK_SECONDS
                    with self._running, fence("tick"):
                        self._handler.tick()
                        self._handler.commit()
        finally:
            if self._queue is mine:
                self._thread = None  # whatever ended it, the next item starts another
                if was_sent_away and mine and self._leave_s == _NEVER:
                    self._start()  # the fork did not wait so long, and found nobody missing

    def _await_item(self, mine: deque[tuple[Any, int]], next_tick_s: float, rests_at_s: float) -> None:
        now = _clock.monotonic_s()
        if now < rests_at_s:
            self._wake.wait(min(LOOK_SECONDS, next_tick_s - now))
            return
        due = 0.0
        with fence("due"):
            due = self._handler.due_s()
        self._rests = True
        try:
            if not mine:  # what came before that could be seen wakes nobody
                self._wake.wait(min(max(due, next_tick_s - now), LONGEST_REST_SECONDS))
        finally:
            self._rests = False
        self._be_patient(mine)

    def _be_patient(self, mine: deque[tuple[Any, int]]) -> None:
        self._wake.clear()  # before the look: who hurries, or forks, says so and then wakes
        if mine and not self._hurries and self._leave_s == _NEVER:
            self._wake.wait(PATIENCE_SECONDS)

    def _handle_all(self, mine: deque[tuple[Any, int]], until_s: float) -> None:
        """Handle what waits, and what comes meanwhile, but leave the interpreter to who wants it."""
        left = 0.0
        now = _clock.monotonic_s()
        while mine and now < (until_s if self._leave_s == _NEVER else self._leave_s):  # no tick comes before a fork
            began = now
            self._handle_next(mine)
            now = _clock.monotonic_s()
            left -= now - began
            if left <= 0 or len(mine) < PAUSING_ITEMS:
                began = now
                _pause(0)
                now = _clock.monotonic_s()
                left = min(PART * (now - began), LONGEST_SECONDS)

    def _handle_next(self, queue: deque[tuple[Any, int]]) -> bool:
        """Handle the first item; False when there is none."""
        take(self._running)
        try:
            try:
                item, size = queue.popleft()
            except IndexError:
                return False
            self._handled += 1
            if isinstance(item, _Barrier):
                if item.action is not None:
                    with fence("barrier"):
                        item.action()
                with fence("commit"):
                    self._handler.commit()
                item.reached.set()
            else:
                with fence("process"):
                    self._handler.process(item)
        finally:
            self._running.release()
        if size:
            self._add_bytes(-size)
        return True

    def run_inline(self, item: Any) -> None:
        """Handle an item now, on this thread (``async_event_emission=False``)."""
        take(self._running)
        try:
            with shield("process"):
                self._handler.process(item)
            with shield("commit"):
                self._handler.commit()
        finally:
            self._running.release()
        if self._rests:
            self._wake.set()  # it may be due sooner now than the worker knows

    def is_current(self) -> bool:
        """Whether this is the worker's thread."""
        return self._thread == get_ident()

    def drain(self, timeout: float, action: Callable[[], None] | None = None) -> bool:
        """Wait until everything submitted before has been handled, then run ``action`` on the worker.

        Args:
            timeout: seconds to wait.
            action: run once all is handled, where it needs no lock.

        Returns:
            False when the time was not enough, or when called on the worker itself (which cannot wait for itself).
        """
        if self.is_current():
            if action is not None:
                action()
            return False
        barrier = _Barrier(action)
        self._queue.append((barrier, 0))
        self._hurry()
        deadline = _clock.monotonic_s() + timeout
        while True:
            if not self._thread:
                self._start()
            if self._thread is None:
                self._drain_here(deadline)
            left = deadline - _clock.monotonic_s()
            if barrier.reached.wait(min(left, BIRTH_SECONDS)):  # by then it is known whether a thread was born
                return True
            if left <= BIRTH_SECONDS:
                return False

    def _drain_here(self, deadline: float) -> None:
        while _clock.monotonic_s() < deadline and self._handle_next(self._queue):
            pass

    def before_fork(self) -> None:
        """Have the worker end or, where it hangs in the item in hand, wait a moment for it.

        Locks that the item holds would be held in the child for ever. Not again for an item that has been waited for,
        which hangs in the user's ``track()``. Several threads may fork at a time.
        """
        if self._stuck_at == self._handled:
            return
        deadline = _clock.monotonic_s() + FORK_SECONDS
        may_not_start = LEAVES_FOR_FORK and self._send_away(deadline)
        held = self._running.acquire(timeout=max(deadline - _clock.monotonic_s(), 0))
        if not held:
            self._stuck_at = self._handled
        self._forking[get_ident()] = (held, may_not_start)

    def end(self) -> None:
        """Have the worker end, and none start any more: what still comes is not handled."""
        self._send_away(_clock.monotonic_s() + FORK_SECONDS)

    def _send_away(self, deadline: float) -> bool:
        """Have the worker end; whether `_may_start` is ours now, so that nobody starts another."""
        if self._started is None or self.is_current() or self._running._is_owned():
            return False
        if not self._claim_start():
            return False  # another thread starts it, or forks too
        self._leave_s = _clock.monotonic_s() + LEAVE_SECONDS
        self._wake.set()
        if self._started.ends(deadline - _clock.monotonic_s()):
            self._started = None
        return True

    def after_fork_in_parent(self) -> None:
        """Go on."""
        held, may_not_start = self._forking.pop(get_ident(), (False, False))
        if held:
            self._running.release()
        if may_not_start:
            self._leave_s = _NEVER
            self._may_start = True
            if self._thread is None and (self._queue or STARTS_AFTER_FORK):
                self._start()

    def after_fork(self) -> None:
        """In a forked child: the parent handles what the parent queued."""
        self._reset()

    @property
    def waiting(self) -> tuple[int, int]:
        """(items, bytes) in the queue."""
        return len(self._queue), max(self._bytes, 0)

    @property
    def is_in_use(self) -> bool:
        """Whether anything was handed over in this process, which may be the child of one where much was."""
        return self._thread is not None or bool(self._queue)
