"""Tool calls that wait for their result, of one session: bounded, and holding only what privacy has passed.

A call is matched to a result by id, else (Gemini, Ollama) by name and arguments within its own conversation, or not at
all. Requests re-send old results, and some servers number their ids anew in every turn, so of several results the
*last* ones are the new ones.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from .._models import JSON, Event, Exchange, ToolCall, ToolResult
from . import _events, schema
from ._conversation import Conversation, Phrases, canonical, digest, phrases
from ._events import Origin
from ._handoffs import handoff_to, taken_by
from ._privacy import Privacy
from ._tool_errors import tool_success
from ._turns import Asked, Parent, Turn
from .written._mark import Mark


class Pending(Struct, frozen=True):
    """A tool call without its result so far."""

    origin: Origin
    insert_id: str
    name: str
    id: str | None
    kind: str
    parameters: str | None
    asked_ms: int
    asked_ns: int
    exchange_id: str
    conversation: bytes  # of the request that asked
    arguments: bytes  # a hash
    phrases: Phrases
    turn: Turn | None
    repeat_count: int  # how often the run has asked for the same
    handoff_to: str | None  # the agent that takes over
    mark: Mark | None = None  # of a call that stands in a text

    def as_asked(self) -> Asked:
        """What user turns of other conversations are compared with."""
        parent = Parent(self.id, self.origin.scope.properties.get("agent"))
        return Asked(self.conversation, self.turn, self.phrases, parent)

    def event(
        self, result: ToolResult | None = None, carrier: Exchange | None = None, privacy: Privacy | None = None
    ) -> Event:
        """The call's event: with its result, carried by a later request, or without any.

        Raises:
            PrivacyError: the result could not be made safe.
        """
        text = error = success = latency = taken = length = None
        if result is not None and carrier is not None and privacy is not None:
            success = tool_success(result.content, result.success)
            length = _events.length_of(result.content)
            if self.origin.privacy.tool_results_allowed:  # the stricter of the two calls decides
                text = privacy.tool_result(result.content)
                taken = taken_by(result.content) if privacy.tool_results_allowed else None
                error = privacy.tool_error(_text(result.content)) if success is False else None
            waited = carrier.started_ns - self.asked_ns
            latency = waited / 1e6 if waited >= 0 and not result.in_answer else None
        return _events.tool_called(
            self.origin,
            self.asked_ms,
            self.insert_id,
            name=self.name,
            call_id=self.id,
            kind=self.kind,
            parameters=self.parameters,
            result=text,
            result_length=length,
            success=success,
            error_message=error,
            latency_ms=latency,
            repeat_count=self.repeat_count,
            handed_to=taken or self.handoff_to,
        )


def pending(
    origin: Origin,
    exchange: Exchange,
    tool: ToolCall,
    index: int,
    conversation: bytes,
    turn: Turn | None,
    repeat_count: int,
    arguments: str,
    mark: Mark | None = None,
) -> Pending:
    """The ``index``-th tool call of an answer, to wait for its result; ``arguments`` are the `canonical` ones.

    Raises `PrivacyError`.
    """
    known_by = digest(arguments)
    return Pending(
        origin=origin,
        insert_id=_events.make_id(exchange.id, schema.TOOL_CALLED, index),
        name=tool.name,
        id=tool.id,
        kind=tool.type,
        parameters=origin.privacy.tool_parameters(tool.arguments),
        asked_ms=_events.finished_at_ms(exchange),
        asked_ns=exchange.finished_ns,
        exchange_id=exchange.id,
        conversation=conversation,
        arguments=known_by,
        phrases=phrases(tool.arguments, known_by=known_by),
        turn=turn,
        repeat_count=repeat_count,
        handoff_to=_handoff(origin, tool),
        mark=mark,
    )


def executed(
    origin: Origin,
    exchange: Exchange,
    tool: ToolCall,
    index: int,
    repeat_count: int,
    latency_ms: float | None = None,
) -> Event:
    """A tool whose result is known: the provider ran it, or a framework that told us. Raises `PrivacyError`."""
    success = tool.success
    if success is None and tool.result is not None:
        success = tool_success(tool.result, None)
    return _events.tool_called(
        origin,
        _events.finished_at_ms(exchange),
        _events.make_id(exchange.id, schema.TOOL_CALLED, index),
        name=tool.name,
        call_id=tool.id,
        kind=tool.type,
        parameters=origin.privacy.tool_parameters(tool.arguments),
        result=origin.privacy.tool_result(tool.result),
        result_length=_events.length_of(tool.result),
        success=success,
        error_message=None if success else origin.privacy.tool_error(_error_of(tool, success)),
        latency_ms=latency_ms,
        repeat_count=repeat_count,
        handed_to=_handoff(origin, tool),
    )


def _handoff(origin: Origin, tool: ToolCall) -> str | None:
    return handoff_to(tool.name, tool.arguments if origin.privacy.tool_parameters_allowed else None)


def is_same(one: Pending, tool: ToolCall) -> bool:
    """Whether a tool that was run is the call that waits. Frameworks put a server's name before that of its tool."""
    is_named = one.name == tool.name or one.name.endswith((f"__{tool.name}", f".{tool.name}"))
    return is_named and one.arguments in (_fingerprint(tool.arguments), _fingerprint(tool.arguments or {}))


def match(
    waiting: Iterable[Pending], results: Sequence[ToolResult], talk: Conversation
) -> list[tuple[Pending, ToolResult]]:
    """Pair the calls that wait with the results that a request carried, in the order they were asked.

    Args:
        waiting: the calls, oldest first.
        results: in the request's order.
        talk: the request's own turns: without ids only calls that this very conversation asked for are answered.
    """
    if not results:
        return []
    order = list(waiting)
    pairs: dict[str, ToolResult] = {}
    ids = {one.id for one in order if one.id is not None}
    by_id: dict[str, list[ToolResult]] = defaultdict(list)
    loose: list[ToolResult] = []
    for result in results:
        if result.id is not None and result.id in ids:
            by_id[result.id].append(result)
        else:
            loose.append(result)
    for id_, found in by_id.items():
        named = [one for one in order if one.id == id_]
        if len({one.conversation for one in named}) > 1:  # servers that number their ids anew in every answer
            named = [one for one in named if talk.continues(one.conversation)]
        _align(named, found, pairs)
    own = [one for one in order if one.insert_id not in pairs and talk.continues(one.conversation)]
    _match_loose(own, loose, pairs)
    _match_named(order, loose, pairs)
    return [(one, pairs[one.insert_id]) for one in order if one.insert_id in pairs]


def _match_loose(own: Sequence[Pending], results: Sequence[ToolResult], pairs: dict[str, ToolResult]) -> None:
    """By name and arguments, the last results for the last calls; text that names nothing, for the last answer's calls.

    Of an id that nobody waits for the result belongs to history, unless those who wait have no id to compare.
    """
    bare = [result for result in results if result.name is None and result.id is None]
    for result in reversed([one for one in results if one.name is not None]):
        fitting = [
            one
            for one in own
            if one.insert_id not in pairs
            and one.name == result.name
            and (result.id is None or one.id is None)
            and (result.arguments is None or one.arguments == _fingerprint(result.arguments))
        ]
        if fitting and not _is_twin(fitting[-1], own):
            pairs[fitting[-1].insert_id] = result
    last = [one for one in own if one.insert_id not in pairs and one.exchange_id == own[-1].exchange_id]
    if not bare or not last or _is_twin(last[-1], own):
        return
    if len(bare) == len(last):
        pairs |= {one.insert_id: result for one, result in zip(last, bare, strict=True)}
    elif len(bare) == 1 and isinstance(bare[0].content, str):
        lines = bare[0].content.strip("\n").split("\n")
        if len(lines) == len(last):  # smolagents' results of parallel calls, a line each
            pairs |= {one.insert_id: replace(bare[0], content=line) for one, line in zip(last, lines, strict=True)}


def _match_named(order: Sequence[Pending], results: Sequence[ToolResult], pairs: dict[str, ToolResult]) -> None:
    """Without its conversation a call is known by its name and all its arguments, where no other was asked the same."""
    for result in results:
        if result.name is None or result.id is not None or not result.arguments or result in pairs.values():
            continue
        known = _fingerprint(result.arguments)
        same = [one for one in order if one.name == result.name and one.arguments == known]
        if len(same) == 1:
            pairs.setdefault(same[0].insert_id, result)


def _is_twin(one: Pending, own: Iterable[Pending]) -> bool:
    """Whether the same conversation was asked twice, for the same: whose the result is, nobody can tell."""
    return any(
        other.exchange_id != one.exchange_id
        and other.conversation == one.conversation
        and other.name == one.name
        and other.arguments == one.arguments
        for other in own
    )


def _align(waiting: Sequence[Pending], results: Sequence[ToolResult], pairs: dict[str, ToolResult]) -> None:
    fresh = results[-len(waiting) :] if waiting else ()
    for one, result in zip(waiting, fresh, strict=False):
        pairs[one.insert_id] = result


def _fingerprint(arguments: JSON) -> bytes:
    return digest(canonical(arguments))


def _error_of(tool: ToolCall, success: bool | None) -> str | None:
    return tool.error_message or (_text(tool.result) if success is False else None)


def _text(content: object) -> str | None:
    if content is None or isinstance(content, str):
        return content or None
    return json.dumps(content, ensure_ascii=False, default=str)
