"""What event properties say of themselves: for events that no captured call stands behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .. import _arguments
from .._models import Usage
from ..pricing._cost import cost_by_name
from ._events import Origin
from ._pricing import MANUAL
from .schema import PROPERTIES

_CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    "int": _arguments.whole,
    "float": _arguments.amount,
    "bool": _arguments.flag,
}
#: The check of each property that is a number or a flag.
NUMBERS: Mapping[str, Callable[[str, object], Any]] = {
    row.name: _CHECKS[row.type] for row in PROPERTIES if row.type in _CHECKS and row.name != "score"
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
    return cost_by_name(origin.provider, origin.model, usage, origin.config, when_ms)
