"""The totals of a run: sums over what was emitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from . import schema
from ._operations import is_message

#: Names of models that a run remembers.
_MAX_MODELS = 20


class RunStats(Struct):
    """The totals of a run. ``None`` where nothing was known.

    ``messages`` are calls in which a model answered somebody; embeddings, images, speech and the like are ``others``.
    Tokens and cost are those of all calls, the others' among them.
    """

    messages: int = 0
    tokens: int | None = None
    cost_usd: float | None = None
    tool_calls: int = 0
    errors: int = 0
    success: bool = True  # how the last message ended
    others: int = 0
    other_tokens: int | None = None
    other_cost_usd: float | None = None
    models: list[str] = field(default_factory=list)  # that answered, in the order of their first answer

    def add(self, event_type: str, said: Mapping[str, Any]) -> None:
        """Add what an event says of itself."""
        if event_type == schema.TOOL_CALLED:
            self.tool_calls += 1
        elif event_type == schema.LLM_MESSAGE:
            self._add_call(said, said.get("success") is False, is_message(said.get("operation")))

    def _add_call(self, said: Mapping[str, Any], failed: bool, message: bool) -> None:
        first = not said.get("attempt")
        self.errors += failed
        if message:
            self.messages += first
            self.success = not failed
        else:
            self.others += first
        if (tokens := said.get("total_tokens")) is not None:
            self.tokens = (self.tokens or 0) + tokens
            if not message:
                self.other_tokens = (self.other_tokens or 0) + tokens
        if (cost_usd := said.get("cost_usd")) is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd
            if not message:
                self.other_cost_usd = (self.other_cost_usd or 0.0) + cost_usd
        model = said.get("model_name")
        if model is not None and not failed and model not in self.models and len(self.models) < _MAX_MODELS:
            self.models.append(model)

    def as_properties(self) -> dict[str, Any]:
        """Of ``llm_run_finished``."""
        return {
            "total_messages": self.messages,
            "total_tokens": self.tokens,
            "run_total_tokens": self.tokens,
            "total_cost_usd": self.cost_usd,
            "total_tool_calls": self.tool_calls,
            "total_errors": self.errors,
            "total_other_calls": self.others,
            "total_other_tokens": self.other_tokens,
            "total_other_cost_usd": self.other_cost_usd,
            "model_names": ", ".join(self.models) or None,
            "success": self.success,
        }
