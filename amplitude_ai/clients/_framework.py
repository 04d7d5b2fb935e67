"""What the integrations of frameworks share: a framework's model call as a scope around the HTTP calls inside it.

The wire is what is recorded; a framework adds whose the call is and what it is a part of. A call in which no HTTP was
seen (a fake or local model, an answer from a cache) is recorded from what the framework itself tells.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from .. import _clock
from .._config import AIConfig
from .._models import (
    NO_BINDING,
    Binding,
    CallError,
    Event,
    Exchange,
    FrameworkCall,
    LLMCall,
    Outcome,
    Scope,
    ToolCall,
)
from .._runtime import runtime
from .._scope import ambient, set_ambient, snapshot
from ..sessions._runs import RunRegistry

_DEFAULT = AIConfig()


class Stopwatch:
    """When something of a framework's began; `exchange` is that and when it ended."""

    __slots__ = ("_at_ms", "_ns")

    def __init__(self) -> None:
        self._at_ms = _clock.wall_ms()
        self._ns = _clock.perf_ns()

    def exchange(self, context: Scope, error: BaseException | None = None) -> Exchange:
        """The time and the end of what crossed no HTTP, as the sessions take it."""
        kind = None if error is None else CallError(type(error).__name__, str(error) or None)
        return Exchange(
            id=uuid.uuid4().hex,
            method="",
            url="",
            request_headers={},
            request_body=None,
            status=None,
            response_headers={},
            response_chunks=(),
            chunk_times_ns=(),
            outcome=Outcome.EXHAUSTED if kind is None else Outcome.ERROR,
            error=kind,
            started_ns=self._ns,
            started_at_ms=self._at_ms,
            headers_ns=None,
            finished_ns=_clock.perf_ns(),
            context=context,
        )


class ModelCall:
    """One model call of a framework. Between `enter` and `leave` the HTTP calls of this context belong to it.

    Args:
        binding: what the integration was told.
        properties: custom properties of its events.
    """

    __slots__ = ("_before", "_call", "_mine", "_watch")

    def __init__(self, binding: Binding, properties: Mapping[str, Any]) -> None:
        self._call = FrameworkCall(binding)
        self._watch = Stopwatch()
        self._before = around = ambient()
        self._mine = replace(
            around,
            user_id=binding.user_id or around.user_id,
            properties={**around.properties, **properties},
            binding=binding if around.binding is NO_BINDING else around.binding,
            framework_call=self._call,
        )

    def enter(self) -> None:
        """Begin."""
        set_ambient(self._mine)

    def leave(self) -> None:
        """End; does nothing in another context, or when something else has begun inside and not ended."""
        if ambient() is self._mine:
            set_ambient(self._before)

    @property
    def context(self) -> Scope:
        """Whose the call was: as the wire saw it, else as this context has it."""
        if self._call.contexts:
            return self._call.contexts[-1]
        now = ambient()
        set_ambient(replace(self._mine, framework_call=None))
        try:
            return snapshot(self._call.binding, {})
        finally:
            set_ambient(now)

    def told(self, call: LLMCall, error: BaseException | None = None) -> None:
        """The framework's own account of the call; recorded only when the wire has seen nothing of it."""
        if not self._call.contexts:
            exchange = self._watch.exchange(self.context, error)
            _emit(exchange.context, lambda book: book.record(replace(call, error=exchange.error), exchange))


def tool_run(context: Scope, tool: ToolCall, watch: Stopwatch) -> None:
    """A tool was run by a framework, within the run that ``context`` belongs to."""
    exchange = watch.exchange(context)
    _emit(context, lambda book: book.record_tool(tool, exchange))


def _emit(context: Scope, make: Any) -> None:
    def events(book: RunRegistry) -> list[Event]:
        made: list[Event] = make(book)
        return made

    runtime.emit_made(events, context.binding.amplitude_client, context.binding.config or _DEFAULT, size=0)
