"""Events as spans and measurements. On the worker's thread; whatever the application's SDK does there is fenced.

Spans are made after the fact, with the times the call had. A call's parent is the span that was current when it was
made; a tool's is the call that asked for it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode

from .._models import Event
from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED
from . import _attributes

#: Tool calls whose result may still come, with the span of the call that asked.
_MAX_ASKED = 10_000
#: As the conventions ask of these two.
_TOKENS = [4.0**power for power in range(14)]
_SECONDS = [0.01 * 2**power for power in range(14)]


class Records:
    """Makes them.

    Args:
        tracer: of the application's SDK.
        meter: of the application's SDK.
    """

    def __init__(self, tracer: Any, meter: Any) -> None:
        self._tracer = tracer
        self._asked: OrderedDict[str, SpanContext] = OrderedDict()
        self._tokens = _histogram(meter, "gen_ai.client.token.usage", "{token}", "Tokens of a call", _TOKENS)
        self._duration = _histogram(meter, "gen_ai.client.operation.duration", "s", "Duration of a call", _SECONDS)
        self._first = _histogram(
            meter, "gen_ai.client.operation.time_to_first_chunk", "s", "Time to the first token of a stream", _SECONDS
        )

    def take(self, event: Event) -> None:
        """One event."""
        if event.event_type == LLM_MESSAGE:
            self._call(event)
        elif event.event_type == TOOL_CALLED:
            self._tool(event)

    def _call(self, event: Event) -> None:
        said = event.properties
        latency_ns = round((said.get("latency_ms") or 0.0) * 1e6)
        # An event told by hand has one time, that of its end.
        known_ms = event.details.get("started_at_ms")
        started_ns = event.time_ms * 1_000_000 - latency_ns if known_ms is None else known_ms * 1_000_000
        subject = said.get("requested_model") or said.get("model_name")
        span = self._tracer.start_span(
            " ".join(filter(None, (_attributes.operation(event), subject))),
            context=_parent(event.details.get("span")),
            kind=SpanKind.CLIENT,
            attributes=_attributes.of_call(event),
            start_time=started_ns,
        )
        if said.get("success") is False:
            span.set_status(Status(StatusCode.ERROR, said.get("error_message") or said.get("error_type")))
        span.end(started_ns + latency_ns)
        for identifier in _attributes.tool_call_ids(event):
            self._asked[identifier] = span.get_span_context()
            if len(self._asked) > _MAX_ASKED:
                self._asked.popitem(last=False)
        self._measure(event)

    def _measure(self, event: Event) -> None:
        said, attributes = event.properties, _attributes.of_metrics(event)
        for name, kind in (("input_tokens", "input"), ("output_tokens", "output")):
            if name in said:
                self._tokens.record(said[name], {**attributes, "gen_ai.token.type": kind})
        if "latency_ms" in said:
            self._duration.record(said["latency_ms"] / 1000, attributes)
        if "time_to_first_token_ms" in said:
            self._first.record(said["time_to_first_token_ms"] / 1000, attributes)

    def _tool(self, event: Event) -> None:
        said = event.properties
        asked = self._asked.pop(said.get("tool_call_id", ""), None)
        span = self._tracer.start_span(
            f"execute_tool {said.get('tool_name', '')}".strip(),
            context=_parent(asked or event.details.get("span")),
            kind=SpanKind.INTERNAL,
            attributes=_attributes.of_tool(event),
            start_time=event.time_ms * 1_000_000,
        )
        if said.get("success") is False:
            span.set_status(Status(StatusCode.ERROR, said.get("error_message")))
        span.end(event.time_ms * 1_000_000 + round((said.get("latency_ms") or 0.0) * 1e6))


def _parent(span: SpanContext | None) -> Any:
    """The context of a span; an empty one for none: what is current on this thread is nobody's."""
    empty = trace.set_span_in_context(trace.INVALID_SPAN)
    return empty if span is None else trace.set_span_in_context(NonRecordingSpan(span))


def _histogram(meter: Any, name: str, unit: str, description: str, bounds: list[float]) -> Any:
    return meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=bounds)
