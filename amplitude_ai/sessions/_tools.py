"""Tool calls that wait for their result, of one session: bounded, and holding only what privacy has passed.

A call is matched to a result by id, else (Gemini, Ollama) by name, first asked first answered. Requests re-send old
results, and some servers number their ids anew in every turn, so of several results the *last* ones are the new ones.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._models import Event, Exchange, LLMCall, ToolCall, ToolResult
from . import _events, schema
from ._events import Origin
from ._privacy import Privacy


@dataclass(frozen=True, slots=True)
class Pending:
    """A tool call without its result so far."""

    origin: Origin
    insert_id: str
    name: str
    id: str | None
    kind: str
    parameters: str | None
    asked_ms: int
    asked_ns: int

    def event(
        self, result: ToolResult | None = None, carrier: Exchange | None = None, privacy: Privacy | None = None
    ) -> Event:
        """The call's event: with its result, carried by a later request, or without any.

        Raises:
            PrivacyError: the result could not be made safe.
        """
        text = error = success = latency = None
        if result is not None and carrier is not None and privacy is not None:
            success = result.success is not False  # a result came; only some wire formats can say it is an error
            if self.origin.privacy.tool_results_allowed:  # the stricter of the two calls decides
                text = privacy.tool_result(result.content)
                error = None if success else privacy.tool_error(_text(result.content))
            waited = carrier.started_ns - self.asked_ns
            latency = waited / 1e6 if waited >= 0 else None
        return _events.tool_called(
            self.origin,
            self.asked_ms,
            self.insert_id,
            name=self.name,
            call_id=self.id,
            kind=self.kind,
            parameters=self.parameters,
            result=text,
            success=success,
            error_message=error,
            latency_ms=latency,
        )


def pending(origin: Origin, exchange: Exchange, tool: ToolCall, index: int) -> Pending:
    """The ``index``-th tool call of an answer, to wait for its result. Raises `PrivacyError`."""
    return Pending(
        origin=origin,
        insert_id=_events.make_id(exchange.id, schema.TOOL_CALLED, index),
        name=tool.name,
        id=tool.id,
        kind=tool.type,
        parameters=origin.privacy.tool_parameters(tool.arguments),
        asked_ms=_events.finished_at_ms(exchange),
        asked_ns=exchange.finished_ns,
    )


def executed(origin: Origin, exchange: Exchange, tool: ToolCall, index: int, latency_ms: float | None = None) -> Event:
    """A tool whose result is known: the provider ran it, or a framework that told us. Raises `PrivacyError`."""
    success = tool.success if tool.success is not None else (True if tool.result is not None else None)
    return _events.tool_called(
        origin,
        _events.finished_at_ms(exchange),
        _events.make_id(exchange.id, schema.TOOL_CALLED, index),
        name=tool.name,
        call_id=tool.id,
        kind=tool.type,
        parameters=origin.privacy.tool_parameters(tool.arguments),
        result=origin.privacy.tool_result(tool.result),
        success=success,
        error_message=None if success else origin.privacy.tool_error(tool.error_message),
        latency_ms=latency_ms,
    )


def match(waiting: Iterable[Pending], call: LLMCall) -> list[tuple[Pending, ToolResult]]:
    """Pair the calls that wait with the results that ``call``'s request carried, in the order they were asked."""
    if not call.tool_results:
        return []
    order = list(waiting)
    by_id: dict[str, list[ToolResult]] = defaultdict(list)
    by_name: dict[str, list[ToolResult]] = defaultdict(list)
    ids = {one.id for one in order if one.id is not None}
    for result in call.tool_results:
        if result.id is not None and result.id in ids:
            by_id[result.id].append(result)
        elif result.name is not None:
            by_name[result.name].append(result)
    pairs: dict[str, ToolResult] = {}
    for id_, results in by_id.items():
        _align([one for one in order if one.id == id_], results, pairs)
    for name, results in by_name.items():
        # An id that nobody waits for belongs to history, unless those who wait have no id to compare.
        anonymous = [result for result in results if result.id is None]
        loose = [one for one in order if one.name == name and one.insert_id not in pairs]
        unnamed = [one for one in loose if one.id is None]
        if anonymous:
            _align(loose, anonymous, pairs)
        elif unnamed:
            _align(unnamed, results, pairs)
    return [(one, pairs[one.insert_id]) for one in order if one.insert_id in pairs]


def _align(waiting: Sequence[Pending], results: Sequence[ToolResult], pairs: dict[str, ToolResult]) -> None:
    fresh = results[-len(waiting) :] if waiting else ()
    for one, result in zip(waiting, fresh, strict=False):
        pairs[one.insert_id] = result


def _text(content: object) -> str | None:
    if content is None or isinstance(content, str):
        return content or None
    return json.dumps(content, ensure_ascii=False, default=str)
