"""What event properties say of themselves: for events that no captured call stands behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import _arguments
from .._models import Usage
from ._events import Origin
from ._pricing import MANUAL, price_by_name

#: The check of each property that is a number or a flag.
NUMBERS: Mapping[str, Callable[[str, object], Any]] = {
    "content_length": _arguments.whole,
    "content_truncated": _arguments.flag,
    "output_content_length": _arguments.whole,
    "input_tokens": _arguments.whole,
    "output_tokens": _arguments.whole,
    "total_tokens": _arguments.whole,
    "cached_input_tokens": _arguments.whole,
    "cache_write_tokens": _arguments.whole,
    "reasoning_tokens": _arguments.whole,
    "latency_ms": _arguments.amount,
    "time_to_first_token_ms": _arguments.amount,
    "provider_processing_ms": _arguments.amount,
    "duration_ms": _arguments.amount,
    "cost_usd": _arguments.amount,
    "total_cost_usd": _arguments.amount,
    "is_streaming": _arguments.flag,
    "stream_aborted": _arguments.flag,
    "success": _arguments.flag,
    "http_status": _arguments.whole,
    "attempt": _arguments.whole,
    "temperature": _arguments.amount,
    "top_p": _arguments.amount,
    "max_tokens": _arguments.whole,
    "tool_call_count": _arguments.whole,
    "total_messages": _arguments.whole,
    "total_tool_calls": _arguments.whole,
    "total_errors": _arguments.whole,
}


def usage_of(told: Mapping[str, Any]) -> Usage:
    """The token counts among ``told``."""
    return Usage(
        input_tokens=told.get("input_tokens"),
        output_tokens=told.get("output_tokens"),
        total_tokens=told.get("total_tokens"),
        cached_input_tokens=told.get("cached_input_tokens"),
        cache_write_tokens=told.get("cache_write_tokens"),
        reasoning_tokens=told.get("reasoning_tokens"),
    )


def cost_of(origin: Origin, told: Mapping[str, Any], usage: Usage, when_ms: int) -> tuple[float | None, str | None]:
    """(USD, where the figure comes from): the one told, else by the prices; ``(None, None)`` when it is not known."""
    if told.get("cost_usd") is not None:
        return told["cost_usd"], told.get("cost_source") or MANUAL
    return price_by_name(origin.provider, origin.model, usage, origin.config, when_ms)
