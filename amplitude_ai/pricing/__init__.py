"""Names and counts in, USD out. Knows neither calls nor configs: what it needs of a config is `Prices`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

#: What a price table looks like once checked: ``{"gpt-4*": {"input": 3e-05, "output": 6e-05}}``, USD per token.
PriceTable = Mapping[str, Mapping[str, float]]


class Prices(Protocol):
    """The part of `AIConfig` that prices come from."""

    @property
    def cost_tracking(self) -> bool:
        """Whether costs are wanted."""

    @property
    def prices(self) -> PriceTable:
        """Own prices of any provider; they come first."""

    @property
    def openai_cost_per_token(self) -> PriceTable:
        """Own prices of OpenAI's models, Azure's too."""

    @property
    def anthropic_cost_per_token(self) -> PriceTable:
        """Own prices of Anthropic's models."""

    @property
    def google_cost_per_token(self) -> PriceTable:
        """Own prices of Google's models."""
