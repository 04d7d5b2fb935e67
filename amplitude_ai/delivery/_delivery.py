"""The way out: events to clients, and the truth about what became of them.

In: `Event` values, from the worker (or, one at a time, from a caller that emits inline). Out: ``client.track()`` with
an `AIEvent`. What was tracked is *pending* until its destination reports: Amplitude has acknowledged it, the local
store has it on disk, or it is lost, and counted. With ``AIConfig(spool=...)`` events are on disk before they are
tracked, and what is pending when the process ends is not lost (`delivery._spooling`).

Imports amplitude on first use, never at import.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .. import _clock, _threads
from .._guard import guard, log_once, logger
from .._models import Event
from ._agent_analytics import AgentAnalytics
from ._spooling import SpoolEntry, Spooling

if TYPE_CHECKING:
    from ._client import ClientAdapter

#: Most events that may wait for an answer; a client keeps them all in memory, without a bound of its own.
MAX_PENDING = 10_000
#: Most clients remembered; one that is forgotten still sends, but nothing hurries it.
MAX_CLIENTS = 256
#: Events that go to a spool together.
_TOGETHER = 100
_POLL_SECONDS = 0.005


class Delivery:
    """Delivers events. One per process.

    Args:
        count: adds one to a counter by name: ``emitted`` (handed to a client), ``delivered``, ``dropped_by_client`` (a
            plugin's filter, or a client that was shut down), ``dropped_pending_full``, ``dropped_track`` (it raised),
            ``dropped_answer_<code>`` and ``dropped_unanswered`` (given up by the client), ``unacknowledged_at_exit``;
            with a spool ``kept_in_spool`` (given up by the client, to be tried again) and ``left_in_spool`` (at the
            end of the process) take the place of the last three.
    """

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._default: Any = None
        self._adapters: dict[int, ClientAdapter] = {}
        self.spooling = Spooling(count, self._adapter)
        self._agent_analytics = AgentAnalytics()
        self._forget_events()

    def _forget_events(self) -> None:
        # Tickets are settled by other threads and by finalizers, so all of this works without a lock: adding to and
        # removing from a dict, and assigning a bool, are atomic.
        self._numbers = itertools.count()
        self._pending: dict[int, SpoolEntry | None] = {}
        self._lost = False
        self._waiting: deque[tuple[Event, Any, SpoolEntry | None]] = deque()
        self._uncommitted: dict[int, ClientAdapter] = {}
        self._gathered: list[tuple[Event, Any]] = []
        self._delivering = False

    # Worker's thread ------------------------------------------------------------------------------------------

    def gather(self, events: list[tuple[Event, Any]]) -> None:
        """`deliver` each of several (event, client); with `commit` at the latest, so that files are written seldom."""
        events = self._agent_analytics.said(events)
        if self._gathered or self.spooling.is_wanted(events):
            self._gathered += events
            if len(self._gathered) >= _TOGETHER:
                self._deliver_gathered()
            return
        for event, client in events:
            self.deliver(event, client)

    def commit(self) -> None:
        """Have written what was gathered to be written together. What was gathered is to be followed by it."""
        self._deliver_gathered()
        self._commit_stores()
        self.spooling.look_anew()

    def _deliver_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            for (event, client), entry in zip(gathered, self.spooling.write(gathered), strict=True):
                self.deliver(event, client, entry)

    def _commit_stores(self) -> None:
        while self._uncommitted:
            with contextlib.suppress(KeyError):  # a caller who flushes was quicker
                self._uncommitted.popitem()[1].commit()

    def tick(self) -> None:
        """Send what waits in spools, where it is time. On the worker, now and then."""
        for event, client, entry in self.spooling.due(MAX_PENDING - len(self._pending)):
            self.deliver(event, client, entry)

    def due_s(self) -> float:
        """In how many seconds `tick` may have something to do: at once where there are spools, else never."""
        return 0.0 if self.spooling.is_used else math.inf

    def deliver(self, event: Event, client: Any = None, entry: SpoolEntry | None = None) -> None:
        """Hand ``event`` to ``client`` (``None``: the process's default). Errors are counted, never raised.

        Never called from two threads at once.

        Args:
            event: the event.
            client: anything with ``track()``.
            entry: where it is on disk.
        """
        self._waiting.append((event, client, entry))
        if self._delivering:
            return  # a plugin or a client that emits events itself: its client holds a lock until it is done
        self._delivering = True
        try:
            while self._waiting:
                number = next(self._numbers)
                went_well = False
                try:
                    with guard("deliver"):
                        self._track(number, *self._waiting.popleft())
                        went_well = True
                finally:
                    if not went_well:
                        self._lost = True
                        self._pending.pop(number, None)  # nobody answers for it any more
        finally:
            self._delivering = False

    def _track(self, number: int, event: Event, client: Any, entry: SpoolEntry | None) -> None:
        if len(self._pending) >= MAX_PENDING:
            if entry is not None:
                entry.put_back()
                self.spooling.look_soon()
                self._count("waiting_in_spool")
                return
            self._drop("dropped_pending_full", "too many events wait for an answer from Amplitude")
            return
        adapter = self._adapter(client)
        pending = self._pending
        self._uncommitted[id(adapter)] = adapter
        answers, sends = adapter.look()
        made, receipt = adapter.made(event, answers, lambda code: self._settled(pending, number, code, entry))
        if sends and adapter.refuses(made):
            self._count("ids_replaced")
            log_once(
                "ids_replaced",
                logging.WARNING,
                "amplitude_ai: some user ids are too short or reserved words (such as 'unknown') for Amplitude; their "
                "events carry a device id instead, and the id as event property user_id",
            )
        pending[number] = entry
        try:
            adapter.client.track(made)
        except Exception as exc:  # the user's own client, or one without threads left
            pending.pop(number, None)
            receipt.withdraw()
            if entry is not None:
                entry.done()
            self._drop("dropped_track", f"track() of {type(adapter.client).__name__} raised {type(exc).__name__}")
            return
        self._count("emitted")
        logger.debug("amplitude_ai: emitted %s %s", event.event_type, event.insert_id)
        if not adapter.is_amplitude or (receipt.handed and answers == 0):
            receipt.close(200)
        elif not receipt.handed:
            pending.pop(number, None)
            receipt.withdraw()
            if entry is not None:
                entry.done()
            self._count("dropped_by_client")

    def _adapter(self, client: Any) -> ClientAdapter:
        if client is None:
            if self._default is None:
                with _exit_hooks_allowed():
                    from ._sender import make_default_client
                self._default = make_default_client()
            client = self._default
        adapter = self._adapters.get(id(client))
        if adapter is None:
            with _exit_hooks_allowed():
                from ._client import ClientAdapter
            if len(self._adapters) >= MAX_CLIENTS:
                del self._adapters[next(iter(self._adapters))]
            adapter = self._adapters[id(client)] = ClientAdapter(client)
        return adapter

    # Any thread, and finalizers -------------------------------------------------------------------------------

    def _settled(
        self, pending: dict[int, SpoolEntry | None], number: int, code: int | None, entry: SpoolEntry | None
    ) -> None:
        """An answer came for an event that was put into ``pending``, which a fork or the exit may have replaced."""
        if pending is not self._pending or number not in pending:
            return
        if code is not None and 200 <= code < 300:
            self._count("delivered")
            if entry is not None:
                entry.done()
        elif entry is not None and _may_pass(code):
            self._lost = True  # flush tells that it did not arrive; it will
            self._count("kept_in_spool")
            entry.put_back()
        else:
            if entry is not None:
                entry.done()
            reason = "dropped_unanswered" if code is None else f"dropped_answer_{code}"
            self._drop(reason, "Amplitude did not take events, or the client gave them up")
        pending.pop(number, None)

    def _drop(self, reason: str, why: str) -> None:
        self._lost = True
        self._count(reason)
        log_once(reason, logging.WARNING, "amplitude_ai: %s; they are lost (%s)", why, reason)

    # Caller's thread ------------------------------------------------------------------------------------------

    def flush(self, deadline: float) -> bool:
        """Wait until every event delivered before this call was acknowledged.

        Args:
            deadline: of ``_clock.monotonic_s()``, in seconds.

        Returns:
            True when they all were, and none was lost since the last call.
        """
        self._commit_stores()
        latest = next(self._numbers)
        outlets = list(self._adapters.values())
        self._wake(outlets)
        flushed = [adapter.flush(deadline) for adapter in outlets]
        while self._oldest() < latest:
            if _clock.monotonic_s() >= deadline:
                return False
            self._wake(outlets)
            _threads.pause(_POLL_SECONDS)
        self.spooling.tidy()
        lost, self._lost = self._lost, False
        return all(flushed) and not lost

    def _oldest(self) -> float:
        return next(iter(list(self._pending)), float("inf"))

    def _wake(self, outlets: list[ClientAdapter]) -> None:
        for adapter in outlets:
            adapter.wake()

    def prepare_exit(self, deadline: float) -> None:
        """The process ends: wake or abandon whatever would keep it waiting. What still comes is still delivered."""
        abandoned, self._pending = self._pending, {}
        entries = list(abandoned.values())
        for entry in entries:
            self._count("unacknowledged_at_exit" if entry is None else "left_in_spool")
        if None in entries:
            log_once(
                "unacknowledged_at_exit",
                logging.WARNING,
                "amplitude_ai: %d events were not acknowledged before the process ended",
                entries.count(None),
            )
        self.spooling.close()
        for adapter in list(self._adapters.values()):
            adapter.end(deadline)

    def before_fork(self) -> None:
        """Have threads of ours end that only wait."""
        for adapter in list(self._adapters.values()):
            adapter.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for adapter in list(self._adapters.values()):
            adapter.after_fork_in_parent()

    def after_fork(self) -> None:
        """In a forked child: clients get new locks and threads; what the parent has in hand stays with the parent."""
        self._forget_events()
        self.spooling.after_fork()
        for adapter in self._adapters.values():
            adapter.repair()


def _may_pass(code: int | None) -> bool:
    """Whether an event that was given up may be taken later: it was not the event that was refused."""
    return code is None or code < 400 or code in (408, 429) or code >= 500


@contextlib.contextmanager
def _exit_hooks_allowed() -> Iterator[None]:
    """Let amplitude be imported while the interpreter ends, which is when a script of one call delivers.

    It imports ``concurrent.futures.thread``, which registers an exit hook, and CPython refuses new ones once the main
    thread has ended. The hook would wait for thread pools; nothing of ours uses one.
    """
    register = getattr(threading, "_register_atexit", None)
    if register is None or "concurrent.futures.thread" in sys.modules:
        yield
        return

    def register_if_possible(*args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(RuntimeError):
            register(*args, **kwargs)

    threading._register_atexit = register_if_possible  # type: ignore[attr-defined]
    try:
        yield
    finally:
        threading._register_atexit = register  # type: ignore[attr-defined]
