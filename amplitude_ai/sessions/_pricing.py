"""What a call cost, and who says so: the provider's own figure (``provider``), else the prices (`pricing`).

The price table is loaded before the first call (`_preload`).
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from .._config import AIConfig
from .._models import LLMCall, Usage
from ..pricing._cost import TABLE, Bill, cost, cost_by_name, is_priceable
from ._events import ESTIMATE

PROVIDER = "provider"
#: The cost was told by hand.
MANUAL = "manual"

_DEFAULT = AIConfig()


def price(call: LLMCall, when_ms: int | None, config: AIConfig) -> tuple[float | None, str | None]:
    """The cost of ``call`` in USD and where the figure comes from; ``(None, None)`` when it is not known.

    Args:
        call: the call, with its usage.
        when_ms: when it was made (Unix ms), because prices change; ``None`` for now.
        config: whose prices to use.
    """
    if call.cached_response:
        return None, None
    reported = call.reported_cost_usd
    if reported is not None and math.isfinite(reported) and reported >= 0:
        return reported, PROVIDER
    is_estimate = call.usage_source == ESTIMATE
    # An explicit ``price_model`` stands alone: what answered would be another price.
    models = (call.price_model,) if call.price_model else (call.model, call.requested_model)
    if not any(models) or (call.usage_complete is False and not is_estimate):
        return None, None
    if not is_priceable(call.operation, call.usage):
        return None, None
    bill = Bill(call.provider, call.price_provider, models, call.price_usage or call.usage, call.service_tier)
    usd, source = _cost(bill, call.price_factor, when_ms, config)
    for model, usage in call.billed_besides:
        part = replace(bill, models=(model,), usage=usage)
        more = _cost(part, call.price_factor, when_ms, config)[0] if model else None
        if usd is None or more is None:  # a part of a price is none
            return None, None
        usd = round(usd + more, 12)
    return usd, ESTIMATE if usd is not None and is_estimate else source


def _cost(bill: Bill, factor: float, when_ms: int | None, config: AIConfig) -> tuple[float | None, str | None]:
    usd, source = cost(bill, when_ms, config)
    if usd is not None and source == TABLE and factor != 1.0:
        tokens = cost(replace(bill, usage=_tokens(bill.usage)), when_ms, config)[0] or 0.0
        usd = round(usd + tokens * (factor - 1.0), 12)
    return usd, source


def _tokens(usage: Usage) -> Usage:
    """The usage without what is billed by the call."""
    return replace(usage, extra={unit: count for unit, count in usage.extra.items() if not unit.endswith("_searches")})


def calculate_cost(
    provider: str,
    model: str,
    input_tokens: int | None,
    output_tokens: int | None,
    ai_config: AIConfig | None = None,
    cached_input_tokens: int | None = None,
    cache_write_tokens: int | None = None,
    service_tier: str | None = None,
) -> float | None:
    """The cost in USD of a call to ``model``; ``None`` when its price is not known or cost tracking is off.

    Args:
        provider: ``openai``, ``anthropic``, ``google`` ...
        model: the model's name at that provider.
        input_tokens: all input tokens, those read from and written to a cache included.
        output_tokens: all output tokens, reasoning included.
        ai_config: where own prices are looked up first; default: there are none.
        cached_input_tokens: how many of the input tokens were read from a cache; ``None``: none.
        cache_write_tokens: how many of the input tokens were written to a cache; ``None``: none.
        service_tier: ``batch``, ``flex``, ``priority`` ..., where another price applies.

    Raises nothing for what is not known.
    """
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached_input_tokens,
        cache_write_tokens=cache_write_tokens,
    )
    return cost_by_name(provider, model, usage, ai_config or _DEFAULT, service_tier=service_tier)[0]
