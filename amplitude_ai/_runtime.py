"""The wiring: one `Runtime` per process joins transports, worker, parsers, sessions and delivery.

Imports every room; imported only by the edges (the public functions, install, clients). The heavy rooms (parsers,
sessions, amplitude itself) are imported when the first client is bound (`_preload`), never on the worker's thread.
"""

from __future__ import annotations

import atexit
import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from . import _clock, _guard, _scope
from ._config import env_console, env_spool
from ._ends import EXIT_SECONDS, Ends
from ._flush_tie import tie_flush
from ._guard import count, counter, fence, guard
from ._models import Binding, Event, Exchange, LLMCall
from ._preload import preload
from ._process_hooks import at_fork
from ._worker import Worker
from .parsers import _registry, _router
from .transports._capture import Capture
from .transports._watch import Observer, inside

if TYPE_CHECKING:
    from ._config import AIConfig, Spend
    from .delivery._delivery import Delivery
    from .sessions._duplicates import DuplicateFilter
    from .sessions._runs import RunRegistry
    from .sessions._spending import Spending

#: Makes events on the worker's thread, where privacy and prices cost the caller nothing.
MakeEvents = Callable[["RunRegistry"], list[Event]]

_captured = counter("captured")


class _ClientClosed:
    """Queued when an instrumented client is closed: its automatic runs end."""

    __slots__ = ("at_ms", "key")

    def __init__(self, key: int) -> None:
        self.key = key
        self.at_ms = _clock.wall_ms()


class Runtime:
    """Everything of one process. Implements the worker's `Handler`."""

    def __init__(self) -> None:
        self.worker = Worker(self)
        self.ends = Ends(self)
        self.default_client: Any = None  # tests put a list here
        self.console: bool | None = None  # whether to print a line a call; None: by the environment
        self._prints: bool | None = None  # the answer, for what is handled together
        self._runs: RunRegistry | None = None
        self._delivery: Delivery | None = None
        self._duplicates: DuplicateFilter | None = None
        self._spending: Spending | None = None
        self._spools = False  # for all clients
        #: Who else is told of every event, by name; on the worker's thread.
        self.mirrors: dict[str, Callable[[Event], None]] = {}

    # Caller's thread ------------------------------------------------------------------------------------------

    def sink(self, capture: Capture) -> None:
        """Take a finished capture."""
        next(_captured)
        if not self.ends.is_expected:
            self.ends.expect()
        config = capture.context.binding.config
        if config is not None and not config.async_event_emission:
            self.worker.run_inline(capture)
        elif not self.worker.submit(capture, capture.size, self._spools or (config is not None and bool(config.spool))):
            capture.forget()

    def client_closed(self, binding: Binding) -> None:
        """An instrumented client was closed."""
        self.worker.submit(_ClientClosed(binding.key))

    def emit_made(self, make: MakeEvents, client: Any, config: AIConfig, size: int) -> None:
        """Have the worker make and deliver events, in order with what was captured.

        Args:
            make: makes them; called with the sessions in progress.
            client: the Amplitude client they are for; ``None`` for the default.
            config: whether to wait for it (``async_event_emission=False``).
            size: how many bytes of content ``make`` holds.
        """
        preload(config)
        self.ends.expect()
        if config.async_event_emission:
            self.worker.submit(make, size, urgent=self._spools or bool(config.spool))
        else:
            self.worker.run_inline(make)

    def resend(self, client: Any, config: AIConfig | None) -> None:
        """See to it that what earlier processes left in a spool is sent, also if this one makes no call."""
        self._spools = self._spools or bool(env_spool())
        if (config is not None and config.spool) or self._spools:
            from ._config import AIConfig as Config

            self.ends.expect()
            settled = config or Config()
            self.worker.submit(lambda runs: self._resend(client, settled))

    # Worker's thread ------------------------------------------------------------------------------------------

    @property
    def runs(self) -> RunRegistry:
        """Who talks with whom; made on first use."""
        if self._runs is None:
            from ._config import AIConfig
            from .sessions._runs import RunRegistry

            self._runs = RunRegistry(AIConfig())
        return self._runs

    @property
    def duplicates(self) -> DuplicateFilter:
        """Which answers have been told; made on first use."""
        if self._duplicates is None:
            from .sessions._duplicates import DuplicateFilter

            self._duplicates = DuplicateFilter()
        return self._duplicates

    @property
    def delivery(self) -> Delivery:
        """The way out; made on first use."""
        if self._delivery is None:
            from .delivery._delivery import Delivery

            self._delivery = Delivery(count)
        return self._delivery

    def process(self, item: Any) -> None:
        """Handle one item of the queue.

        What the user's own code does meanwhile (a ``redact`` that asks a model, a ``track()``) is never recorded.
        """
        around = inside.get()
        try:
            inside.set(True)
            self._process(item)
        finally:
            inside.set(around)

    def commit(self) -> None:
        """Have written what was gathered of several items. What stands in the environment is looked at anew."""
        self._prints = None
        if self._delivery is not None:
            self._delivery.commit()

    def _process(self, item: Any) -> None:
        if isinstance(item, Capture):
            self._record(item)
        elif isinstance(item, _ClientClosed):
            self._deliver(self.runs.end_client(item.key, item.at_ms))
        elif callable(item):
            self._deliver(item(self.runs))
        else:
            self._deliver(item)

    def _record(self, capture: Capture) -> None:
        try:
            exchange = capture.exchange()
        finally:
            capture.forget()
        ignored = True
        for call, own in _reader()(exchange):
            ignored = False
            self._record_call(call, own)
        if ignored:
            count("ignored")

    def _record_call(self, call: LLMCall, exchange: Exchange) -> None:
        if self.duplicates.is_duplicate(call, exchange):
            count("ignored_repeated")
            return
        if call.parse_error is not None:
            count("parse_errors")
            count(f"parse_errors_{call.parse_error}")
        count("recorded")
        told = exchange.context.binding.sdk_error
        if told is not None and (call.error is not None or exchange.error is not None):
            with guard("sdk_error"):
                call = replace(call, sdk_error=told(call, exchange))
        self._deliver(self.runs.record(call, exchange))

    def _deliver(self, events: list[Event]) -> None:
        for mirror in list(self.mirrors.values()):
            for event in events:
                with fence("mirror"):  # an exporter of the application's, on our thread
                    mirror(event)
        if events:
            if self._prints is None:
                self._prints = self.console or (self.console is None and env_console())
            if self._prints:
                from .delivery import _console

                with guard("console"):
                    _console.show(events)
            self.delivery.gather([(event, self._client_or_default(event.amplitude_client)) for event in events])
            with fence("spending"):
                self._add_up(events)

    def _add_up(self, events: list[Event]) -> None:
        """Tell of the thresholds that these events' costs reached; never on the application's thread."""
        for event in events:
            if event.config is None or event.config.on_spend is None:
                continue
            if self._spending is None:
                from .sessions._spending import Spending

                self._spending = Spending()
            for told, spend in self._spending.reached(event):
                count("spend_thresholds_reached")
                if self.worker.is_current():
                    _tell(told, spend)
                else:  # ``async_event_emission=False``
                    self.worker.submit(lambda runs, told=told, spend=spend: _tell(told, spend), urgent=True)

    def _client_or_default(self, client: Any) -> Any:
        return self.default_client if client is None else client  # an empty list of a user's own is a client too

    def _resend(self, client: Any, config: AIConfig) -> list[Event]:
        self.delivery.spooling.watch(self._client_or_default(client), config)
        self.delivery.tick()
        return []

    def tick(self) -> None:
        """End what was silent too long."""
        if self._runs is not None:
            self._deliver(self._runs.tick(_clock.wall_ms()))
        if self._delivery is not None:
            self._delivery.tick()

    def due_s(self) -> float:
        """In how many seconds something will have been silent too long, or is to be sent from a spool."""
        waits = [] if self._runs is None else [self._runs.due_s(_clock.wall_ms())]
        if self._delivery is not None:
            waits.append(self._delivery.due_s())
        return min(waits, default=math.inf)

    def _release_tools(self) -> None:
        if self._runs is not None:
            self._deliver(self._runs.release_tools(_clock.wall_ms()))

    def _end_all(self) -> None:
        if self._runs is not None:
            self._deliver(self._runs.end_all(_clock.wall_ms(), "exit"))

    # Ends -----------------------------------------------------------------------------------------------------

    def flush(self, timeout: float) -> bool:
        """See `amplitude_ai.flush`."""
        deadline = _clock.monotonic_s() + timeout
        drained = self.worker.drain(timeout, self._release_tools)
        return drained and (self._delivery is None or self._delivery.flush(deadline))

    def settle(self) -> None:
        """Have everything captured so far handed to its client, before that is flushed."""
        self.worker.drain(EXIT_SECONDS, self._release_tools)

    def shutdown(self, timeout: float) -> bool:
        """See `amplitude_ai.shutdown`."""
        return self.end_by(_clock.monotonic_s() + timeout)

    def end_by(self, deadline: float) -> bool:
        """The same, until a time of `_clock.monotonic_s`."""
        drained = self.worker.drain(deadline - _clock.monotonic_s(), self._end_all)
        return drained and (self._delivery is None or self._delivery.flush(deadline))

    @property
    def made_delivery(self) -> Delivery | None:
        """The way out, where anything has gone it."""
        return self._delivery

    @property
    def is_in_use(self) -> bool:
        """Whether anything was recorded in this process, or is to be."""
        return self._runs is not None or self.worker.is_in_use

    def forget(self) -> None:
        """What is in progress is the parent's, of whom this process was forked."""
        self._runs = None
        self._spending = None

    def stats(self) -> dict[str, int]:
        """See `amplitude_ai.stats`."""
        items, size = self.worker.waiting
        always = dict.fromkeys(
            ("captured", "recorded", "ignored", "emitted", "parse_errors", "internal_errors", "dropped_queue_full"), 0
        )
        forecasts = {} if self._runs is None else self._runs.forecasts.as_stats(_clock.perf_ns())
        return {**always, **_guard.counters(), "queue_items": items, "queue_bytes": size, **forecasts}


@functools.cache
def _reader() -> Callable[[Exchange], Iterator[tuple[LLMCall, Exchange]]]:
    from .parsers._read import read_all

    return read_all


def _tell(told: Callable[[Spend], object], spend: Spend) -> list[Event]:
    """Call a function of the user's; no events come of it."""
    with fence("on_spend"):
        told(spend)
    return []


runtime = Runtime()
observer = Observer(
    sink=runtime.sink,
    watches=_router.watches,
    snapshot=_scope.snapshot,
    client_closed=runtime.client_closed,
    may_watch=_router.is_any,
    takes_usage_option=_router.takes_usage_option,
)
atexit.register(runtime.ends.at_last)
at_fork(runtime.ends.before_fork, runtime.ends.after_fork_in_parent, runtime.ends.after_fork)


def bind(
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    auto_start_session: bool = True,
    explicit: bool = True,
) -> Binding:
    """Check what a client was told and make it a `Binding`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
    """
    if amplitude_client is not None and not callable(getattr(amplitude_client, "track", None)):
        raise TypeError(
            f"amplitude_client must have a track(event) method, and {type(amplitude_client).__name__} has none: "
            "pass an amplitude.Amplitude, or None for the default"
        )
    if ai_config is not None:
        from ._config import AIConfig as Config

        if not isinstance(ai_config, Config):
            raise TypeError(f"ai_config must be an AIConfig, not {type(ai_config).__name__}: pass AIConfig(...)")
    if not isinstance(auto_start_session, bool):
        raise TypeError(f"auto_start_session must be True or False, not {type(auto_start_session).__name__}")
    _scope.check_ids(user_id=user_id, session_id=session_id)
    _registry.load_entry_points()
    preload(ai_config)
    runtime.ends.expect_own()
    if amplitude_client is not None:
        tie_flush(amplitude_client, runtime.settle)
    runtime.resend(amplitude_client, ai_config)
    return Binding(amplitude_client, ai_config, user_id, session_id, auto_start_session, explicit)


def seconds(timeout: object) -> float:
    """Check a timeout argument."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout < 0:
        raise ValueError(f"timeout must be a number of seconds, 0 or more, not {timeout!r}")
    return float(timeout)
