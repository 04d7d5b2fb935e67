"""`AIMetricsPlugin`: figures that follow from others. What cannot be computed is absent, never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from amplitude.event import BaseEvent

from ..sessions import schema
from ._base import AIPlugin

_Metric = Callable[[Mapping[str, Any]], float | None]


class AIMetricsPlugin(AIPlugin):
    """Adds derived figures; an event that has a property of the same name keeps its own.

    On ``llm_message``: ``tokens_per_second`` (output tokens by the whole latency), ``generation_tokens_per_second``
    (by the time after the first token; streams only), ``ms_per_output_token``, ``cost_per_1k_tokens`` (USD by 1,000
    tokens, input and output), ``output_input_ratio`` (tokens), ``cached_input_ratio`` (share of the input tokens that
    was read from a cache).

    On ``llm_run_finished``: ``cost_per_1k_tokens`` and ``cost_per_message_usd`` (USD), ``tokens_per_message``,
    ``tool_calls_per_message``, ``error_rate`` (failed attempts by messages).
    """

    stage: ClassVar[str] = "plugin_metrics"

    def handle(self, event: BaseEvent) -> BaseEvent | None:
        """Add what can be computed."""
        metrics = _METRICS.get(event.event_type)
        if metrics is None:
            return event
        properties: dict[str, Any] = event.event_properties or {}
        figures = {name: metric(properties) for name, metric in metrics.items() if name not in properties}
        known = {name: round(figure, 9) for name, figure in figures.items() if figure is not None}
        if known:
            event.event_properties = {**properties, **known}
        return event


def _ratio(part: str, whole: str, factor: float = 1.0) -> _Metric:
    return lambda properties: _divided(_number(properties, part), _number(properties, whole), factor)


def _generation(properties: Mapping[str, Any]) -> float | None:
    latency, first = _number(properties, "latency_ms"), _number(properties, "time_to_first_token_ms")
    if latency is None or first is None:
        return None
    return _divided(_number(properties, "output_tokens"), latency - first, 1000.0)


def _divided(part: float | None, whole: float | None, factor: float) -> float | None:
    return None if part is None or whole is None or whole <= 0 else part / whole * factor


def _number(properties: Mapping[str, Any], name: str) -> float | None:
    value = properties.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


_METRICS: Mapping[str, Mapping[str, _Metric]] = {
    schema.LLM_MESSAGE: {
        "tokens_per_second": _ratio("output_tokens", "latency_ms", 1000.0),
        "generation_tokens_per_second": _generation,
        "ms_per_output_token": _ratio("latency_ms", "output_tokens"),
        "cost_per_1k_tokens": _ratio("cost_usd", "total_tokens", 1000.0),
        "output_input_ratio": _ratio("output_tokens", "input_tokens"),
        "cached_input_ratio": _ratio("cached_input_tokens", "input_tokens"),
    },
    schema.RUN_FINISHED: {
        "cost_per_1k_tokens": _ratio("total_cost_usd", "total_tokens", 1000.0),
        "cost_per_message_usd": _ratio("total_cost_usd", "total_messages"),
        "tokens_per_message": _ratio("total_tokens", "total_messages"),
        "tool_calls_per_message": _ratio("total_tool_calls", "total_messages"),
        "error_rate": _ratio("total_errors", "total_messages"),
    },
}
