"""One run in progress: what is known of it, and the events of its calls, tools and end. On the worker's thread only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from .._guard import count
from .._models import Event, Exchange, LLMCall
from . import _events, _tools, schema
from ._attempts import Attempt, Attempts
from ._conversation import Conversation, canonical
from ._events import Origin
from ._operations import operation_name
from ._privacy import PrivacyError
from ._result import CallResult
from ._signals import Signals
from ._totals import RunStats
from ._turns import Said, Turns, last_user_text
from .written._mark import Mark


class Run(Struct):
    """One run in progress. ``id`` is the id of its first exchange, which its own events are named after."""

    id: str
    origin: Origin
    owner: int | None  # the client whose close ends the run
    started_ns: int  # of the clock that only goes forward: a machine's time may be set back in the midst of a run
    last_ns: int
    last_ms: int  # the machine's time, for what silence is and what events are dated
    announced: bool  # it has begin and end events of its own
    closed_ms: int | None = None  # when its client closed, where tools are still at work for it
    stats: RunStats = field(default_factory=RunStats)
    waiting: OrderedDict[str, _tools.Pending] = field(default_factory=OrderedDict)
    attempts: Attempts = field(default_factory=Attempts)
    turns: Turns = field(default_factory=Turns)
    signals: Signals = field(default_factory=Signals)

    def heard(self, exchange: Exchange) -> None:
        """An exchange is part of it."""
        self.started_ns = min(self.started_ns, exchange.started_ns)
        self.last_ns = max(self.last_ns, exchange.finished_ns)
        self.last_ms = max(self.last_ms, _events.finished_at_ms(exchange))

    def due_ms(self) -> int:
        """When `_runs.RunRegistry.tick` has something to do here."""
        config = self.origin.config
        due = self.last_ms + (config.session_timeout_ms if self.closed_ms is None else 0)
        if self.waiting:
            oldest = next(iter(self.waiting.values()))
            due = min(self.last_ms + config.session_timeout_ms, self.late_ms(oldest))
        return due

    def late_ms(self, one: _tools.Pending) -> int:
        """When a tool call has waited long enough."""
        return min(one.asked_ms, self.last_ms) + one.origin.config.tool_result_timeout_ms

    def message(
        self,
        origin: Origin,
        call: LLMCall,
        exchange: Exchange,
        ending: CallResult,
        attempt: Attempt,
        cost: tuple[float | None, str | None],
        signals: Mapping[str, Any],
    ) -> Event | None:
        """The event of a call; ``None``, and counted, when its content could not be made safe."""
        try:
            system = origin.privacy.input(self.signals.new_system)
            signals = {**signals, "system_prompt": system and system.text}
            event = _events.llm_message(origin, call, exchange, ending, attempt, last_user_text(call), cost, signals)
        except PrivacyError:
            count("dropped_privacy")
            lost = {"success": ending.success, "attempt": attempt.number, "operation": operation_name(call)}
            self.stats.add(schema.LLM_MESSAGE, lost)
            return None
        self.stats.add(schema.LLM_MESSAGE, event.properties)
        return event

    def ask_tools(
        self,
        events: list[Event],
        origin: Origin,
        call: LLMCall,
        exchange: Exchange,
        ending: CallResult,
        talk: Conversation,
        said: Said,
        max_waiting: int,
        marks: Sequence[Mark | None],
    ) -> None:
        """The tools that an answer asks for wait for their results; those that the provider ran are told.

        ``marks``: of its tool calls, where they stand in its text.
        """
        if not ending.success:
            return  # a call that failed half-way is made again, and asks for the same tools again
        for index, tool in enumerate(call.tool_calls):
            arguments = canonical(tool.arguments)
            repeats = self.signals.of_tool(tool.name, arguments)
            if tool.executed and not tool.unfinished:
                self.tell_tool(events, lambda t=tool, i=index, n=repeats: _tools.executed(origin, exchange, t, i, n))  # type: ignore[misc]
                continue
            try:
                mark = marks[index] if marks else None
                one = _tools.pending(origin, exchange, tool, index, talk.whole, said.turn, repeats, arguments, mark)
            except PrivacyError:
                count("dropped_privacy")
                continue
            self.waiting[one.insert_id] = one
        surplus = len(self.waiting) - max_waiting
        if surplus > 0:
            self.release(events, list(self.waiting.values())[:surplus])

    def release(self, events: list[Event], waiting: Iterable[_tools.Pending]) -> None:
        """Tell waiting tool calls without their results."""
        for one in waiting:
            del self.waiting[one.insert_id]
            self.tell_tool(events, one.event)

    def tell_tool(self, events: list[Event], make: Callable[[], Event]) -> None:
        """Append a tool's event, and count it."""
        if add(events, make):
            self.stats.tool_calls += 1

    def ended(self, now_ms: int, reason: str) -> list[Event]:
        """The events of its end."""
        events: list[Event] = []
        self.release(events, list(self.waiting.values()))
        if self.announced:
            properties = {
                **self.stats.as_properties(),
                "duration_ms": (self.last_ns - self.started_ns) / 1e6,
                "end_reason": reason,
            }
            events.append(_events.run_finished(self.origin, max(now_ms, self.last_ms), self.id, properties))
        return events


def add(events: list[Event], make: Callable[[], Event]) -> bool:
    """Append the event that ``make`` builds; without it, and counted, when its content could not be made safe."""
    try:
        events.append(make())
    except PrivacyError:
        count("dropped_privacy")
        return False
    return True
