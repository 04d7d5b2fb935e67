"""Who talks with whom: calls in, the events of their runs out.

Runs on the worker's thread only: no locks, no clock of its own (times come from the exchange or as arguments), no
I/O. Bounded: the least recently used run ends when there are too many, the oldest waiting tool call is reported when
too many wait. Of prompts only hashes are kept.

A run is an explicit session id, or else one (client instance, user). It begins with its first call and ends when its
client closes, when told, or by silence.
"""

from __future__ import annotations

import math
import uuid
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Any

from msgspec.structs import replace

from .._config import AIConfig
from .._models import Event, Exchange, LLMCall, Scope, ToolCall
from .._surroundings import named
from . import _events, _tools
from ._asked import Runs, adopt, find_asked, run_name, who_asked
from ._attempts import fingerprint, retry_key
from ._bounded import remember
from ._conversation import Conversation, canonical
from ._estimate import estimated
from ._events import Origin, finished_at_ms
from ._forecast import Forecasts
from ._pricing import price
from ._privacy import Privacy
from ._prompted_names import prompted_name
from ._result import classify
from ._run import Run, add
from ._totals import RunStats
from ._turns import Request, Said
from .written._formats import written_calls, written_results

_MAX_RUNS = 10_000
_MAX_PENDING = 256
#: Answers that feedback finds; ids that are longer are no provider's.
_MAX_ANSWERS = 4096
_MAX_RESPONSE_ID = 512


class RunRegistry:
    """Every run in progress. Each method returns the events that are due."""

    def __init__(
        self, config: AIConfig | None = None, *, max_runs: int = _MAX_RUNS, max_pending: int = _MAX_PENDING
    ) -> None:
        self._config = config or AIConfig()
        self._max_runs = max_runs
        self._max_pending = max_pending
        self._runs: Runs = OrderedDict()
        self._next_due_ms: int | None = None  # never later than the true one
        self._ticked_ms = 0
        self.forecasts = Forecasts()
        self._answers: OrderedDict[str, tuple[Origin, str]] = OrderedDict()  # by the provider's id, for feedback
        self._begun: OrderedDict[tuple[str, int], None] = OrderedDict()  # ids whose beginning was told by hand

    def record(self, call: LLMCall, exchange: Exchange) -> list[Event]:
        """The events of one finished call."""
        if call.operation == "mcp":
            return self._record_mcp(call, exchange)
        self.forecasts.saw(call, exchange)
        exchange = self._identified(call, exchange)
        events: list[Event] = []
        talk = Conversation(call.messages)
        run, origin = self._run_for(call, exchange, events, talk)
        ending = classify(call, exchange)
        body = None if exchange.request_body is None else fingerprint(exchange.url, exchange.request_body)
        attempt = run.attempts.next(call, exchange, ending, retry_key(call, exchange, body))

        said = run.turns.read(
            call,
            talk,
            Request(body, attempt.number, ending.success, exchange),
            lambda text: find_asked(self._runs, text, run, talk, exchange),
        )
        results = (*call.tool_results, *said.results)
        found = written_results(run.waiting.values(), call) if run.waiting else []
        for one, result in [*found, *_tools.match(run.waiting.values(), results, talk)]:
            if run.waiting.pop(one.insert_id, None) is None:
                continue
            run.turns.heard(result.content if isinstance(result.content, str) else None)
            run.tell_tool(events, lambda one=one, result=result: one.event(result, exchange, origin.privacy))  # type: ignore[misc]
        origin = replace(origin, place=_place(said), scope=_with_agents(origin.scope, call, said))
        run.turns.heard(call.output_text, call.messages)
        if origin.config.estimate_usage:
            call = estimated(call)
        written = written_calls(call)
        if written:
            call = replace(call, tool_calls=tuple(one.tool for one in written))
        cost = price(call, exchange.started_at_ms, origin.config) if origin.config.cost_tracking else (None, None)
        signals = run.signals.of_call(call, exchange, talk, body, attempt.number, cost, origin)
        message = run.message(origin, call, exchange, ending, attempt, cost, signals)
        if message is not None:
            origin = replace(origin, call=_events.facts_of_call(message))
        for index, text in enumerate(said.texts if attempt.number == 0 else ()):
            add(events, lambda text=text, index=index: _events.user_message(origin, exchange, text, index))  # type: ignore[misc]
        if message is not None:
            events.append(message)
            self._remember_answer(call.response_id, origin, message.insert_id)
        run.ask_tools(
            events, origin, call, exchange, ending, talk, said, self._max_pending, [one.mark for one in written]
        )
        self._schedule(run)
        return events

    def record_tool(self, tool: ToolCall, exchange: Exchange) -> list[Event]:
        """The event of a tool that a framework ran, ``exchange`` being its time and context. Ends the wait for it."""
        events: list[Event] = []
        run, origin = self._run_for(LLMCall(provider="", operation="tool"), exchange, events)
        origin = replace(origin, place=_place(Said(turn=run.turns.current)))
        asked_for = [one for one in run.waiting.values() if tool.id is not None and one.id == tool.id]
        for one in asked_for[:1]:
            del run.waiting[one.insert_id]
            properties = {**one.origin.scope.properties, **exchange.context.properties}
            origin = replace(one.origin, scope=replace(one.origin.scope, properties=properties))
        repeats = asked_for[0].repeat_count if asked_for else run.signals.of_tool(tool.name, canonical(tool.arguments))
        run.tell_tool(events, lambda: _tools.executed(origin, exchange, tool, 0, repeats, exchange.latency_ms))
        self._schedule(run)
        return events

    def _record_mcp(self, call: LLMCall, exchange: Exchange) -> list[Event]:
        """The event of a tool that the application ran on an MCP server: with what the model asked for, where it did.

        The server is called by a client of its own, so the model's call may wait in another run.
        """
        (tool,) = call.tool_calls
        if tool.success is None:
            error = call.error or exchange.error
            tool = replace(tool, success=False if error else None, error_message=error.message if error else None)
        run, asked = who_asked(self._runs, tool, exchange)
        if run is None or asked is None:
            return self.record_tool(tool, exchange)
        del run.waiting[asked.insert_id]
        events: list[Event] = []
        tool = replace(tool, id=asked.id, name=asked.name)
        own = Privacy(asked.origin.config, exchange.context.privacy_mode)  # the stricter of the two calls decides
        is_open = own.tool_results_allowed and own.tool_parameters_allowed
        origin = asked.origin if is_open else replace(asked.origin, privacy=own)
        repeats = asked.repeat_count
        run.tell_tool(events, lambda: _tools.executed(origin, exchange, tool, 0, repeats, exchange.latency_ms))
        run.heard(exchange)
        self._schedule(run)
        return events

    def end_client(self, key: int, now_ms: int) -> list[Event]:
        """A client was closed: its automatic runs, and those of the session id it was given, are over.

        But not where tools are at work that a model asked for by a client that nobody instrumented by hand: frameworks
        make one for each call (Strands), and the next brings the results.
        """
        names = []
        for name, run in self._runs.items():
            if run.owner == key:
                if run.waiting and not run.origin.scope.binding.explicit:
                    run.closed_ms = now_ms
                    self._schedule(run)
                else:
                    names.append(name)
        return self._end_all(names, now_ms, "closed")

    def tick(self, now_ms: int) -> list[Event]:
        """End what was silent too long; report tool calls whose result never came. Cheap when nothing is due."""
        if now_ms < self._ticked_ms:  # the machine's time was set back: nobody was heard of later than now
            self._next_due_ms = now_ms
            for run in self._runs.values():
                run.last_ms = min(run.last_ms, now_ms)
        self._ticked_ms = now_ms
        if self._next_due_ms is None or now_ms < self._next_due_ms:
            return []
        events: list[Event] = []
        for name, run in list(self._runs.items()):
            if now_ms - run.last_ms >= run.origin.config.session_timeout_ms:
                events += self._end(name, run.last_ms, "timeout")
            elif run.waiting:
                run.release(events, [one for one in run.waiting.values() if now_ms >= run.late_ms(one)])
            if run.closed_ms is not None and not run.waiting and name in self._runs:
                events += self._end(name, run.closed_ms, "closed")
        self._next_due_ms = min((run.due_ms() for run in self._runs.values()), default=None)
        return events

    def due_s(self, now_ms: int) -> float:
        """In how many seconds `tick` will have something to do; infinite where nothing is in progress."""
        return math.inf if self._next_due_ms is None else (self._next_due_ms - now_ms) / 1000

    def release_tools(self, now_ms: int) -> list[Event]:
        """Report every waiting tool call without its result: someone flushes and wants to see it."""
        events: list[Event] = []
        for name, run in list(self._runs.items()):
            run.release(events, list(run.waiting.values()))
            if run.closed_ms is not None:
                events += self._end(name, now_ms, "closed")
        return events

    def end_all(self, now_ms: int, reason: str) -> list[Event]:
        """End every run."""
        return self._end_all(list(self._runs), now_ms, reason)

    def end_managed(self, totals: RunStats, now_ms: int) -> list[Event]:
        """A manual session is over: its waiting tool calls are due. Its owner reports the run's end itself."""
        return self._end_all([name for name, run in self._runs.items() if run.stats is totals], now_ms, "manual")

    def begins(self, session_id: str | None, amplitude_client: Any) -> bool:
        """Whether a manual session of this id is the first that is told to begin: it is one run, however often entered.

        Args:
            session_id: the id, as the context has it.
            amplitude_client: where the events go.
        """
        if session_id is None:
            return True
        key = session_id, id(amplitude_client)
        known = key in self._begun or any(run.announced and _is_of(name, key) for name, run in self._runs.items())
        remember(self._begun, key, None, self._max_runs)
        return not known

    def answer(self, response_id: str) -> tuple[Origin, str] | None:
        """Whose an answer of this process was, and its message's id; ``None`` for one it has not seen, or long ago."""
        found = self._answers.get(response_id)
        return found and (replace(found[0], call=None), found[1])

    def _remember_answer(self, response_id: str | None, origin: Origin, message_id: str) -> None:
        if response_id is not None and len(response_id) <= _MAX_RESPONSE_ID:
            remember(self._answers, response_id, (origin, message_id), _MAX_ANSWERS)

    def take_tool(self, totals: RunStats, name: str, call_id: str | None) -> None:
        """Forget a waiting tool call of a manual session: its owner reports it by hand, and it is reported once."""
        for run in self._runs.values():
            if run.stats is totals:
                for one in run.waiting.values():
                    if one.id == call_id if call_id is not None else one.name == name:
                        del run.waiting[one.insert_id]
                        return

    def _identified(self, call: LLMCall, exchange: Exchange) -> Exchange:
        """With the user that the request itself names, where that is wanted and nobody has told another."""
        context = exchange.context
        wanted = (context.binding.config or self._config).identity_from_body
        if not wanted or call.end_user is None or context.user_id:
            return exchange
        return replace(exchange, context=replace(context, user_id=call.end_user))

    # Runs -----------------------------------------------------------------------------------------------------

    def _run_for(
        self, call: LLMCall, exchange: Exchange, events: list[Event], talk: Conversation | None = None
    ) -> tuple[Run, Origin]:
        context = _with_names(exchange.context)
        config = context.binding.config or self._config
        name = run_name(context)
        started = exchange.started_at_ms
        run = self._runs.get(name)
        if run is not None and started - run.last_ms >= run.origin.config.session_timeout_ms:
            events += self._end(name, run.last_ms, "timeout")
            run = None
        if run is None and talk is not None and call.tool_results and context.session_id is None:
            run = adopt(self._runs, context, talk)
        session_id = context.session_id
        if session_id is None:
            session_id = _automatic_id(context, config) if run is None else run.origin.scope.session_id
        origin = Origin(
            config=config,
            privacy=Privacy(config, context.privacy_mode),
            scope=_events.addressed(context, session_id),
            provider=call.provider or None,
            model=call.model or call.requested_model,
            call={"host": call.host or None, "requested_model": call.requested_model},
        )
        if run is None:
            while len(self._runs) >= self._max_runs:
                oldest = next(iter(self._runs))
                events += self._end(oldest, self._runs[oldest].last_ms, "evicted")
            own = context.session_id is None or context.session_id == context.binding.session_id
            managed = context.managed_session or context.binding.managed
            run = Run(
                id=exchange.id,
                origin=origin,
                owner=context.binding.key if own else None,
                started_ns=exchange.started_ns,
                last_ns=exchange.finished_ns,
                last_ms=finished_at_ms(exchange),
                announced=session_id is not None and not managed,
                stats=context.totals if isinstance(context.totals, RunStats) else RunStats(),
            )
            self._runs[name] = run
            if run.announced and (session_id, id(context.binding.amplitude_client)) not in self._begun:
                events.append(_events.run_started(origin, started, run.id))
        self._runs.move_to_end(name)
        run.heard(exchange)
        return run, origin

    def _end_all(self, names: Iterable[Hashable], now_ms: int, reason: str) -> list[Event]:
        return [event for name in names for event in self._end(name, now_ms, reason)]

    def _end(self, name: Hashable, now_ms: int, reason: str) -> list[Event]:
        return self._runs.pop(name).ended(now_ms, reason)

    def _schedule(self, run: Run) -> None:
        due = run.due_ms()
        self._next_due_ms = due if self._next_due_ms is None else min(self._next_due_ms, due)


def new_session_id() -> str:
    """A session id that nobody else has."""
    return f"session-{uuid.uuid4().hex}"


def _place(said: Said) -> dict[str, Any]:
    """Where in its run a call stands."""
    turn = said.turn
    return {
        "turn_id": None if turn is None else _events.make_id(turn.id, "turn"),
        "turn_index": None if turn is None else turn.index,
        "parent_tool_call_id": None if said.parent is None else said.parent.tool_call_id,
    }


def _with_names(scope: Scope) -> Scope:
    """With what the program's libraries call the agent; what they were read from may be large, and goes."""
    if not scope.surroundings:
        return scope
    return replace(scope, properties=named(scope.surroundings, scope.properties), surroundings=())


def _with_agents(scope: Scope, call: LLMCall, said: Said) -> Scope:
    """With the agent of the prompt, and the one that asked for the tool that the call works for, if none are told."""
    if "agent" not in scope.properties and (name := prompted_name(call)) is not None:
        scope = replace(scope, properties={**scope.properties, "agent": name})
    parent = None if said.parent is None else said.parent.agent
    if parent in (None, scope.properties.get("agent")) or "parent_agent" in scope.properties:
        return scope
    return replace(scope, properties={**scope.properties, "parent_agent": parent})


def _is_of(name: Hashable, key: tuple[str, int]) -> bool:
    """Whether the run of this `run_name` has that session id and client."""
    return isinstance(name, tuple) and name[:2] == key


def _automatic_id(context: Scope, config: AIConfig) -> str | None:
    return new_session_id() if context.binding.auto_start_session and config.auto_generate_session_ids else None
