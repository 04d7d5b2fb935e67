"""The ends of a process, and the moment of a fork: what is in hand is told, and nobody waits long for it.

A process ends in several ways, and most of them by several of these, one after the other: Python's exit hooks, a signal
that it raises against itself, ``os._exit``, the end of one interpreter of several. All together have `EXIT_SECONDS`.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from typing import TYPE_CHECKING, Protocol

from . import _clock, _guard, _threads
from ._guard import guard
from ._models import Outcome
from ._process_hooks import before_own_death, before_own_exit
from ._worker import LEAVES_FOR_FORK, Worker
from .transports._capture import Capture

if TYPE_CHECKING:
    from .delivery._delivery import Delivery

#: How long the end of the process may take, in seconds, when Amplitude is slow to answer.
EXIT_SECONDS = 5.0
#: What is left for what came after most of it was spent.
LAST_SECONDS = 0.2
#: How long ``os._exit`` and ``os.exec…`` may take: whoever calls it wants to be gone.
OWN_EXIT_SECONDS = 1.0


class Ended(Protocol):
    """What ends."""

    worker: Worker

    @property
    def made_delivery(self) -> Delivery | None:
        """The way out, where anything has gone it."""

    @property
    def is_in_use(self) -> bool:
        """Whether anything was recorded in this process, or is to be."""

    def end_by(self, deadline: float) -> bool:
        """End the runs and deliver what there is; whether the time was enough."""

    def forget(self) -> None:
        """What is in progress is another process's."""


class Ends:
    """How one process ends, and how it forks.

    Args:
        process: what there is to end.
    """

    def __init__(self, process: Ended) -> None:
        self._process = process
        self.is_expected = False
        self._spent = 0.0
        self._born_ns = 0  # when this process was forked: what was open then is the parent's
        self._inherited = 0  # how many were

    def expect(self) -> None:
        """Have the end wait for us: our hook must be registered after amplitude's, which runs later."""
        if self.is_expected:
            return
        self.is_expected = True
        self.expect_own()
        # Runs before non-daemon threads are joined, last registered first (CPython's own hook for executors).
        register = getattr(threading, "_register_atexit", None)
        if register is not None:
            with contextlib.suppress(RuntimeError):  # the threads have been joined: the last hook is left
                register(self.at_exit)

    def expect_own(self) -> None:
        """Hear of the ends that no exit hook sees. Before the first call: it may be under way then."""
        before_own_death(self.at_last)  # with all its threads, which read what they read no further
        before_own_exit(self.at_own_exit)

    def at_exit(self) -> None:
        """End the runs, deliver, and wake what would keep the process waiting.

        Runs at several of a process's ends, the last after threads that live longer.
        """
        self._leave(EXIT_SECONDS)

    def at_own_exit(self) -> None:
        """The same for ``os._exit`` and ``os.exec…``. A child that has made no call just goes."""
        self._abandon_open()
        if self._process.is_in_use:
            self._leave(OWN_EXIT_SECONDS)

    def at_last(self) -> None:
        """The application's threads have ended: what it still reads it has left. Then as `at_exit`."""
        self._abandon_open()
        self.at_exit()
        if not _threads.is_main_interpreter():
            self._end_threads()

    def _leave(self, seconds: float) -> None:
        began = _clock.monotonic_s()
        deadline = began + max(seconds - self._spent, LAST_SECONDS)
        with guard("exit"):
            self._process.end_by(deadline)
            delivery = self._process.made_delivery
            if delivery is not None:
                delivery.prepare_exit(max(deadline, _clock.monotonic_s() + LAST_SECONDS))
        self._spent += _clock.monotonic_s() - began

    def _end_threads(self) -> None:
        """Have our threads end, for good: CPython stops the process where an interpreter ends that has others."""
        with guard("exit"):
            self._process.worker.end()
            delivery = self._process.made_delivery
            if delivery is not None:
                delivery.before_fork()

    def _abandon_open(self) -> None:
        with guard("exit"):
            if _open_calls() > self._inherited:
                for capture in [found for found in gc.get_objects() if type(found) is Capture]:
                    if getattr(capture, "started_ns", -1) >= self._born_ns:  # another thread may be making it
                        capture.finish(Outcome.ABANDONED)

    def before_fork(self) -> None:
        """Leave a process that has no thread but for ours with one: others are in danger at a fork, and warned of."""
        with guard("before_fork"):
            self._process.worker.before_fork()
            delivery = self._process.made_delivery
            if LEAVES_FOR_FORK and delivery is not None:
                delivery.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        with guard("after_fork"):
            self._process.worker.after_fork_in_parent()
            delivery = self._process.made_delivery
            if LEAVES_FOR_FORK and delivery is not None:
                delivery.after_fork_in_parent()

    def after_fork(self) -> None:
        """In a forked child: keep the wiring, forget what the parent has in hand."""
        _threads.after_fork()
        self._process.worker.after_fork()
        self._process.forget()
        self._spent = 0.0
        self._born_ns = _clock.perf_ns()
        self._inherited = _open_calls()
        delivery = self._process.made_delivery
        if delivery is not None:
            delivery.after_fork()


def _open_calls() -> int:
    told = _guard.counters()
    return told.get("started", 0) - told.get("captured", 0)
