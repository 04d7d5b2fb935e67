"""Answers that can be fetched again: OpenAI's stored responses, assistants' runs, batches. Each is told once.

Runs on the worker's thread only. Bounded: of answers fetched again very much later the second reading is a record.
"""

from __future__ import annotations

from collections import OrderedDict

from .._models import Exchange, LLMCall

_MAX = 10_000


class DuplicateFilter:
    """Which answers have been told with their tokens."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_duplicate(self, call: LLMCall, exchange: Exchange) -> bool:
        """Whether ``call`` only reads what was told before, or what is not there yet."""
        key = (call.host, exchange.id if call.batched else call.response_id or "")
        if call.batched and key in self._told:
            return True
        stored = call.operation in ("responses", "run")
        if not key[1] or not (call.batched or stored or exchange.method == "GET"):
            return False
        known = key in self._told
        finished = call.batched or not stored or call.usage.total is not None
        # A run that waits for its tools is told with them, once.
        waiting = "" if finished else " ".join(tool.id or tool.name for tool in call.tool_calls)
        asked = waiting and (call.host, f"{key[1]} {waiting}")
        is_news = finished or (bool(asked) and asked not in self._told)
        if exchange.method == "GET" and (known or not is_news) and call.error is None:
            return True
        if finished or asked:
            self._told[asked or key] = None
            if len(self._told) > _MAX:
                self._told.popitem(last=False)
        return False
