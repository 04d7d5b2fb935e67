"""`ClientAdapter`: what `Delivery` knows about one client, and all it knows about the insides of amplitude-analytics.

A client is anything with ``track()``. Of an ``amplitude.Amplitude`` we use what its own destination uses: the storage
(a buffer with a condition), and the workers (a thread that waits on it for up to ten seconds, and a pool that
sends). Read against amplitude-analytics 1.1.5 to 1.3.0; whatever is missing in another version is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from amplitude import Amplitude
from amplitude.plugin import AmplitudeDestinationPlugin

from .. import _clock, _threads
from .._guard import fence, guard
from .._models import Event
from ._ai_event import AIEvent, DeliveryReceipt, is_refused
from ._sender import Sender, destinations_of
from ._store_destination import LocalStoreDestination

#: Between two looks at something we wait for, in seconds.
POLL_SECONDS = 0.005
#: How often what was held back is tried again at the end, and how long each may take, in seconds.
LAST_TRIES, LAST_TRY_SECONDS = 2, 1.0
#: The destinations that call an event's callback, sooner or later.
_REPORTING = (AmplitudeDestinationPlugin, LocalStoreDestination)


class ClientAdapter:
    """One client.

    Args:
        client: anything with ``track()``.

    Attributes:
        answers: how many of its destinations report what became of an event.
        min_id_length: the shortest id it lets through; ``None`` for Amplitude's default.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.min_id_length: int | None = None
        self._counted: tuple[list[Any], tuple[int, bool]] = ([], (0, False))
        self.is_amplitude = isinstance(client, Amplitude)
        if self.is_amplitude:
            self.min_id_length = client.configuration.min_id_length
            if any(_is_orphaned(destination.workers) for destination in self._amplitudes()):
                self.repair()

    @property
    def answers(self) -> int:
        """How many destinations will report."""
        return self.look()[0]

    @property
    def sends(self) -> bool:
        """Whether events go to Amplitude, with its rules for ids."""
        return self.look()[1]

    def look(self) -> tuple[int, bool]:
        """`answers` and `sends`. Plugins come and go, so they are counted anew where they are not the same."""
        destinations = self._destinations()
        if destinations != self._counted[0]:
            answers = sum(isinstance(destination, _REPORTING) for destination in destinations)
            self._counted = (destinations, (answers, bool(self._amplitudes())))
        return self._counted[1]

    @property
    def destination(self) -> str | None:
        """A name, and no secret, of the project its events go to; ``None`` where nobody acknowledges them."""
        if not self.sends or self.answers == 0:
            return None
        configuration = self.client.configuration
        where = f"{configuration.api_key}\0{configuration.server_url}"
        return hashlib.sha256(where.encode()).hexdigest()[:16]

    def made(self, event: Event, answers: int, settle: Callable[[int | None], None]) -> tuple[AIEvent, DeliveryReceipt]:
        """An event as this client takes it, and the knowledge of what becomes of it; see `DeliveryReceipt`."""
        receipt = DeliveryReceipt(answers, settle, True)
        return AIEvent(event, receipt, self.min_id_length), receipt

    @staticmethod
    def refuses(made: AIEvent) -> bool:
        """Whether Amplitude takes nobody by the id that an event has."""
        return is_refused(made.user_id or made.device_id or "", made.min_id_length)

    def _destinations(self) -> list[Any]:
        return destinations_of(self.client) if self.is_amplitude else []

    def _amplitudes(self) -> list[AmplitudeDestinationPlugin]:
        return [each for each in self._destinations() if isinstance(each, AmplitudeDestinationPlugin)]

    def wake(self) -> None:
        """Wake what waits for more events. Unlike the client's own ``flush`` it sends nothing before its time: what
        Amplitude has asked to hold back stays held back. To be repeated: a thread may be just about to wait."""
        for destination in self._amplitudes():
            with guard("wake"):
                if isinstance(destination.workers, Sender):
                    destination.workers.flush()
                elif not _threads.can_start():
                    _send_here(destination)
                else:
                    # An event that came just as the thread was ending has been left without one.
                    if destination.storage.total_events:
                        destination.workers.start()
                    _wake(destination)

    def flush(self, deadline: float) -> bool:
        """Flush the client, or those destinations of it that report nothing, and wait for that.

        Returns:
            False when ``deadline`` (of ``_clock.monotonic_s()``) came first, or when it failed.
        """
        others = [self.client]
        if self.is_amplitude:
            others = [each for each in self._destinations() if not isinstance(each, _REPORTING)]
        flushes = [each.flush for each in others if callable(getattr(each, "flush", None))]
        results = [_within(flush, deadline) for flush in flushes]  # each of them, whatever the others did
        return all(results)

    def commit(self) -> None:
        """Have its local stores write what they hold. Errors are counted, never raised."""
        for destination in self._destinations():
            if isinstance(destination, LocalStoreDestination):
                with fence("store"):
                    destination.commit()

    def end(self, deadline: float) -> None:
        """The process ends: let nothing of this client keep it longer than what is being sent right now."""
        for destination in self._destinations():
            with guard("exit"):
                if isinstance(destination, LocalStoreDestination):
                    destination.shutdown()
                elif isinstance(destination, AmplitudeDestinationPlugin) and destination.workers.is_active:
                    _end(destination, deadline)

    def before_fork(self) -> None:
        """Have threads of ours end that only wait."""
        for sender in self._senders():
            with guard("before_fork"):
                sender.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for sender in self._senders():
            with guard("after_fork"):
                sender.after_fork_in_parent()

    def _senders(self) -> list[Sender]:
        return [each.workers for each in self._amplitudes() if isinstance(each.workers, Sender)]

    def repair(self) -> None:
        """In a forked child: new locks, and new threads for those that stayed in the parent, on the next event.

        What the parent had buffered is the parent's to send.
        """
        if not self.is_amplitude:
            return
        with guard("after_fork"):
            owners = [getattr(each, "timeline", None) for each in self._destinations()]
            for timeline in [getattr(self.client, "_Amplitude__timeline", None), *owners]:
                if timeline is not None:
                    timeline.locks = {kind: threading.Lock() for kind in timeline.locks}
            for destination in self._amplitudes():
                _renew(destination)


def _wake(destination: AmplitudeDestinationPlugin) -> None:
    with destination.storage.lock:
        destination.storage.lock.notify_all()


def _send_here(destination: AmplitudeDestinationPlugin) -> None:
    """Send what is due on this thread: the client's own starts another for it, which an ending interpreter refuses."""
    while batch := destination.storage.pull(destination.workers.configuration.flush_queue_size):
        destination.workers.send(batch)


def _renew(destination: AmplitudeDestinationPlugin) -> None:
    workers, storage = destination.workers, destination.storage
    workers.consumer_lock = threading.RLock()
    workers.is_started = False
    if isinstance(workers, Sender):
        workers.after_fork()
    else:
        workers.threads_pool = ThreadPoolExecutor(max_workers=workers.threads_pool._max_workers)
    if hasattr(storage, "buffer_lock_cv"):
        storage.buffer_lock_cv = threading.Condition()
    storage.pull_all()


def _end(destination: AmplitudeDestinationPlugin, deadline: float) -> None:
    """What the client's own exit hook does in a moment, but before its waiting thread is waited for.

    What was held back is tried again, here: from Python 3.12 on an interpreter that is ending starts no thread. What
    is still held back then is given up, or the thread would wait for its time.
    """
    workers, storage = destination.workers, destination.storage
    if isinstance(workers, Sender):
        return  # its thread is a daemon
    workers.is_active = False
    for _ in range(LAST_TRIES):
        if events := storage.pull_all():
            _try_again(workers, events)
    while workers.is_started:
        _give_up(destination)
        if _clock.monotonic_s() >= deadline:
            # The interpreter waits for the thread, however late it looks.
            with contextlib.suppress(RuntimeError):
                _threads.start(lambda: _give_up_until_ended(destination), "amplitude-ai-exit")
            return
        _threads.pause(POLL_SECONDS)


def _try_again(workers: Any, events: list[Any]) -> None:
    is_waiting = workers.is_started
    workers.is_started = True  # what is put back must not start a thread
    try:
        _within(lambda: workers.send(events), _clock.monotonic_s() + LAST_TRY_SECONDS)
    finally:
        if not is_waiting:
            workers.is_started = False


def _give_up(destination: AmplitudeDestinationPlugin) -> None:
    destination.storage.configuration.flush_max_retries = 0
    destination.storage.pull_all()
    _wake(destination)


def _give_up_until_ended(destination: AmplitudeDestinationPlugin) -> None:
    while destination.workers.is_started:
        _give_up(destination)
        _threads.pause(POLL_SECONDS)


def _is_orphaned(workers: Any) -> bool:
    """Whether this process was forked from one that was already using the client: its threads are not here."""
    pool = getattr(workers, "threads_pool", None)
    threads = list(getattr(pool, "_threads", ()))
    if threads and not any(thread.is_alive() for thread in threads):
        return True
    if isinstance(workers, Sender) or not workers.is_active:
        return False
    # The lock is held while the thread is started, not while it runs; nobody else holds it.
    if not workers.consumer_lock.acquire(timeout=1.0):
        return True
    try:
        # A running thread keeps its target, so the client's own can be recognised.
        targets = [getattr(thread, "_target", None) for thread in threading.enumerate()]
        return workers.is_started and not any(getattr(target, "__self__", None) is workers for target in targets)
    finally:
        workers.consumer_lock.release()


def _within(action: Any, deadline: float) -> bool:
    """Run ``action`` for no longer than until ``deadline``; a user's ``flush()`` may take any time."""
    ended = _threads.Event()
    done = False

    def run() -> None:
        nonlocal done
        try:
            with guard("flush") as fence:
                action()
            done = not fence.failed
        finally:
            ended.set()

    try:
        _threads.start(run, "amplitude-ai-flush")
    except RuntimeError:  # the interpreter is ending and starts no thread
        run()
    ended.wait(deadline - _clock.monotonic_s())
    return done
