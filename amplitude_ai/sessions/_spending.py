"""What was spent per session, user, model and day, and which thresholds that reached.

In: events, on the worker's thread only. Out: a `Spend` for each threshold, once. Of this process; bounded: of more
totals than `MAX_TOTALS` the least recently used are forgotten, counted. Calls nobody: telling is the runtime's.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from types import MethodType
from typing import Any, cast

from msgspec import Struct

from .._config import Spend
from .._guard import count
from .._models import Event
from .schema import LLM_MESSAGE

MAX_TOTALS = 10_000


class _Total(Struct):
    usd: float = 0.0
    calls: int = 0
    unpriced: int = 0


class Spending:
    """The totals of every ``on_spend`` function: configs that share one share its totals."""

    def __init__(self, max_totals: int = MAX_TOTALS) -> None:
        self._max_totals = max_totals
        self._totals: OrderedDict[Hashable, _Total] = OrderedDict()  # least recently used first

    def reached(self, event: Event) -> list[tuple[Callable[[Spend], object], Spend]]:
        """Add an event's cost; whom to tell of what that reached, the lowest threshold first."""
        config = event.config
        if config is None or config.on_spend is None or event.event_type != LLM_MESSAGE:
            return []
        cost: Any = event.properties.get("cost_usd")
        is_number = isinstance(cost, int | float) and not isinstance(cost, bool)
        usd = cost if is_number and math.isfinite(cost) and cost >= 0 else None
        day = datetime.fromtimestamp(event.time_ms / 1000, UTC).date().isoformat()
        names = {
            "session": (event.properties.get("session_id"), None),
            "user": (event.user_id, day),
            "model": (event.properties.get("model_name"), day),
            "day": (day, day),
        }
        found = []
        for scope, thresholds in config.spend_thresholds.items():
            name, of_day = names[scope]
            if name is None:
                continue
            total = self._total((_owner(config.on_spend), scope, name, of_day))
            before = total.usd
            total.calls += 1
            if usd is None:
                total.unpriced += 1
            else:
                total.usd = round(total.usd + usd, 12)  # ten times 0.1 is 1
            for threshold in cast("tuple[float, ...]", thresholds):  # checked and sorted by AIConfig
                if before < threshold <= total.usd:
                    said = Spend(scope, str(name), of_day, threshold, total.usd, total.calls, total.unpriced)
                    found.append((config.on_spend, said))
        return found

    def _total(self, key: Hashable) -> _Total:
        total = self._totals.setdefault(key, _Total())
        self._totals.move_to_end(key)
        if len(self._totals) > self._max_totals:
            self._totals.popitem(last=False)
            count("spend_totals_forgotten")
        return total


def _owner(on_spend: Callable[[Spend], object]) -> Hashable:
    """What a function is known by: methods of one object are equal, not identical; some callables have no hash."""
    try:
        hash(on_spend)
    except TypeError:
        return MethodType(_owner, on_spend)  # equal for the same object, which it keeps
    return on_spend
