"""What a call cost, and who says so. The price table is loaded before the first call (`_preload`).

Order: the provider's own figure (``provider``), the user's prices (``custom``), the genai-prices table
(``genai-prices``). A price nobody knows is ``None``, never 0, with one log line per model.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from .. import _clock
from .._config import AIConfig, PriceTable
from .._models import LLMCall, Usage
from ._events import ESTIMATE
from ._price_table import table_price

logger = logging.getLogger("amplitude.ai")

PROVIDER = "provider"
CUSTOM = "custom"
TABLE = "genai-prices"
#: The cost was told by hand.
MANUAL = "manual"

_DEFAULT = AIConfig()
#: The names people use, and those of the price table.
_ALIASES = {
    "azure_openai": "azure",
    "azure-openai": "azure",
    "bedrock": "aws",
    "amazon": "aws",
    "aws_bedrock": "aws",
    "gemini": "google",
    "vertex": "google",
    "vertexai": "google",
    "vertex_ai": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "google_genai": "google",
    "xai": "x-ai",
    "grok": "x-ai",
    "moonshot": "moonshotai",
    "mistralai": "mistral",
    "claude": "anthropic",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
}
#: Which provider a model's name gives away, for hosts we do not know. ``gpt-oss`` is not OpenAI's to bill.
_OWN_NAMES = (
    (re.compile(r"(gpt-\d|chatgpt-|o[134](-|$)|text-embedding-(3|ada))"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gemini-"), "google"),
)
_OWNERS = frozenset(owner for _, owner in _OWN_NAMES)
#: Operations that generate no tokens, or are billed by another unit: a missing output count is no gap.
_INPUT_ONLY = frozenset({"embeddings", "rerank", "moderation", "ocr", "image", "audio"})

_logged: set[str] = set()
_MAX_LOGGED = 1000


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
    if not _priceable(call):
        return None, None
    custom = _custom(call, config)
    if custom is not None:
        return custom, ESTIMATE if call.usage_source == ESTIMATE else CUSTOM
    provider = _provider(call)
    if provider is not None:
        when_s = _clock.wall_s() if when_ms is None else when_ms / 1000
        for model in _models(call):
            usd = table_price(provider, model, call.price_usage or call.usage, call.service_tier, when_s)
            if usd is not None:
                return usd, ESTIMATE if call.usage_source == ESTIMATE else TABLE
    _log_once(call)
    return None, None


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
        ai_config: where own prices are looked up first.
        cached_input_tokens: how many of the input tokens were read from a cache.
        cache_write_tokens: how many of the input tokens were written to a cache.
        service_tier: ``batch``, ``flex``, ``priority`` ..., where another price applies.
    """
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached_input_tokens,
        cache_write_tokens=cache_write_tokens,
    )
    return price_by_name(provider, model, usage, ai_config or _DEFAULT, service_tier=service_tier)[0]


def price_by_name(
    provider: str | None,
    model: str | None,
    usage: Usage,
    config: AIConfig,
    when_ms: int | None = None,
    service_tier: str | None = None,
) -> tuple[float | None, str | None]:
    """`price`, for a call that is known by names alone. ``(None, None)`` also where cost tracking is off."""
    if not config.cost_tracking or not model:
        return None, None
    name = provider.lower() if provider else None
    call = LLMCall(
        provider=name or "",
        operation="embeddings" if "embed" in model else "chat",
        requested_model=model,
        usage=usage,
        price_provider=name,
        service_tier=service_tier,
    )
    return price(call, when_ms, config)


def _priceable(call: LLMCall) -> bool:
    """Whether enough is known: pricing half of a call would be a made-up figure."""
    usage = call.usage
    if call.usage_complete is False and call.usage_source != ESTIMATE:
        return False
    if not (call.price_model or call.model or call.requested_model):
        return False
    if any((count or 0) < 0 for count in (usage.input_tokens, usage.output_tokens)):
        return False
    if call.operation in _INPUT_ONLY:
        return usage.input_tokens is not None or usage.output_tokens is not None or bool(usage.extra)
    return usage.input_tokens is not None and usage.output_tokens is not None


def _models(call: LLMCall) -> Iterator[str]:
    """The names to price by. An explicit ``price_model`` stands alone: what answered would be another price."""
    seen = set()
    for name in (call.price_model,) if call.price_model else (call.model, call.requested_model):
        if name:
            # Gemini answers "models/gemini-2.5-pro"; Vertex, "publishers/google/models/gemini-2.5-pro".
            if name.startswith("models/") or "publishers/" in name:
                name = name.rpartition("models/")[2]
            if name not in seen:
                seen.add(name)
                yield name


def _provider(call: LLMCall) -> str | None:
    if call.price_provider is not None:
        name = call.price_provider.lower()
        return _ALIASES.get(name, name)
    shape = _ALIASES.get(call.provider, call.provider)
    for model in _models(call):
        for pattern, owner in _OWN_NAMES:
            # A Claude behind an OpenAI-shaped gateway has the gateway's price, which nobody told us.
            if pattern.match(model.lower()) and (shape == owner or shape not in _OWNERS):
                return owner
    return None


def _custom(call: LLMCall, config: AIConfig) -> float | None:
    provider = _ALIASES.get(call.price_provider or call.provider, call.price_provider or call.provider)
    own: PriceTable = {
        "openai": config.openai_cost_per_token,
        "azure": config.openai_cost_per_token,
        "anthropic": config.anthropic_cost_per_token,
        "google": config.google_cost_per_token,
    }.get(provider, {})
    names = {provider, call.provider}
    for table in (config.prices, own):
        for model in _models(call) if table else ():
            for name in (model, *(f"{prefix}/{model}" for prefix in names)):
                pattern = _best_match(table, name)
                if pattern is not None:
                    return _at(table[pattern], call.price_usage or call.usage)
    return None


def _best_match(table: PriceTable, name: str) -> str | None:
    """The most specific pattern: the exact name, else the longest; a bare name also covers its dated versions."""
    name = name.lower()
    best: str | None = None
    for pattern in table:
        lowered = pattern.lower()
        if lowered == name:
            return pattern
        dated = re.fullmatch(re.escape(lowered) + r"[-@]\d[\d-]{3,}(-v\d+(:\d+)?)?", name) is not None
        if (dated or fnmatchcase(name, lowered)) and (best is None or len(pattern) > len(best)):
            best = pattern
    return best


def _at(rates: Mapping[str, float], usage: Usage) -> float | None:
    cached = usage.cached_input_tokens or 0
    written = usage.cache_write_tokens or 0
    fresh = (usage.input_tokens or 0) - cached - written
    if fresh < 0:
        return None  # the parts exceed the whole: the counts are not ones to bill by
    usd = (
        fresh * rates["input"]
        + cached * rates.get("cached_input", rates["input"])
        + written * rates.get("cache_write", rates["input"])
        + (usage.output_tokens or 0) * rates["output"]
    )
    return round(usd, 12)


def _log_once(call: LLMCall) -> None:
    model = call.price_model or call.model or call.requested_model or ""
    key = f"{call.provider}/{model}"
    if key in _logged or len(_logged) >= _MAX_LOGGED:
        return
    _logged.add(key)
    logger.warning("no price is known for %s; its cost_usd is left out (AIConfig(prices=...) can give one)", key)
