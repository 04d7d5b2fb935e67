"""What a model's tokens cost, by names: the user's prices (``custom``), then the genai-prices table (``genai-prices``).

A price nobody knows is ``None``, never 0, with one log line per model.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from .. import _clock
from .._pattern import lazy_pattern
from .._usage import Usage
from . import Prices, PriceTable
from ._table import table_price

logger = logging.getLogger("amplitude.ai")

CUSTOM = "custom"
TABLE = "genai-prices"

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
    (lazy_pattern(r"(gpt-\d|chatgpt-|o[134](-|$)|text-embedding-(3|ada))"), "openai"),
    (lazy_pattern(r"claude-"), "anthropic"),
    (lazy_pattern(r"gemini-"), "google"),
)
_OWNERS = frozenset(owner for _, owner in _OWN_NAMES)
#: Operations that generate no tokens, or are billed by another unit: a missing output count is no gap.
_INPUT_ONLY = frozenset({"embeddings", "rerank", "moderation", "ocr", "image", "audio"})

_logged: set[str] = set()
_MAX_LOGGED = 1000


class Bill(Struct, frozen=True):
    """What is to be priced.

    Attributes:
        shape: the provider whose format it came in.
        provider: the one to look up, where it is known; ``None`` when only the model's name can tell.
        models: the names to price by, the best first.
        usage: the counts that are billed.
        tier: ``batch``, ``flex``, ``priority`` ..., where another price applies.
    """

    shape: str
    provider: str | None
    models: tuple[str | None, ...]
    usage: Usage
    tier: str | None = None

    def names(self) -> Iterator[str]:
        """The models' names as price tables have them, each once."""
        seen = set()
        for name in self.models:
            if name:
                # Gemini answers "models/gemini-2.5-pro"; Vertex, "publishers/google/models/gemini-2.5-pro".
                if name.startswith("models/") or "publishers/" in name:
                    name = name.rpartition("models/")[2]
                for one in (name, self._own_name(name)):
                    if one is not None and one not in seen:
                        seen.add(one)
                        yield one

    def _own_name(self, name: str) -> str | None:
        """Without its provider's, which gateways and Vertex' OpenAI door write before it: ``google/gemini-2.5-pro``."""
        owner, _, own = name.partition("/")
        if not own:
            return None
        named, *known = (
            _ALIASES.get(one.lower(), one.lower()) for one in (owner, self.provider or self.shape, self.shape)
        )
        return own if named in known else None


def cost(bill: Bill, when_ms: int | None, prices: Prices) -> tuple[float | None, str | None]:
    """USD and where the price comes from; ``(None, None)`` when it is not known.

    Args:
        bill: what was used.
        when_ms: when (Unix ms), because prices change; ``None`` for now.
        prices: the user's own.
    """
    custom = _custom(bill, prices)
    if custom is not None:
        return custom, CUSTOM
    provider = _provider(bill)
    if provider is not None:
        when_s = _clock.wall_s() if when_ms is None else when_ms / 1000
        for model in bill.names():
            usd = table_price(provider, model, bill.usage, bill.tier, when_s)
            if usd is not None:
                return usd, TABLE
    _log_once(bill)
    return None, None


def cost_by_name(
    provider: str | None,
    model: str | None,
    usage: Usage,
    prices: Prices,
    when_ms: int | None = None,
    service_tier: str | None = None,
) -> tuple[float | None, str | None]:
    """`cost`, for a call that is known by names alone. ``(None, None)`` also where cost tracking is off."""
    if not prices.cost_tracking or not model or not is_priceable("embeddings" if "embed" in model else "chat", usage):
        return None, None
    name = provider.lower() if provider else None
    return cost(Bill(name or "", name, (model,), usage, service_tier), when_ms, prices)


def is_priceable(operation: str, usage: Usage) -> bool:
    """Whether enough is known: pricing half of a call would be a made-up figure."""
    if any((count or 0) < 0 for count in (usage.input_tokens, usage.output_tokens)):
        return False
    parts = (usage.cached_input_tokens or 0) + (usage.cache_write_tokens or 0)
    if usage.input_tokens is not None and parts > usage.input_tokens:
        return False  # the parts exceed the whole: the counts are not ones to bill by
    if operation in _INPUT_ONLY:
        return usage.input_tokens is not None or usage.output_tokens is not None or bool(usage.extra)
    return usage.input_tokens is not None and usage.output_tokens is not None


def _provider(bill: Bill) -> str | None:
    if bill.provider is not None:
        name = bill.provider.lower()
        return _ALIASES.get(name, name)
    shape = _ALIASES.get(bill.shape, bill.shape)
    for model in bill.names():
        for pattern, owner in _OWN_NAMES:
            # A Claude behind an OpenAI-shaped gateway has the gateway's price, which nobody told us.
            if pattern.match(model.lower()) and (shape == owner or shape not in _OWNERS):
                return owner
    return None


_NO_PRICES: PriceTable = {}


def _own(provider: str, prices: Prices) -> PriceTable:
    if provider in ("openai", "azure"):
        return prices.openai_cost_per_token
    if provider == "anthropic":
        return prices.anthropic_cost_per_token
    return prices.google_cost_per_token if provider == "google" else _NO_PRICES


def _custom(bill: Bill, prices: Prices) -> float | None:
    provider = _ALIASES.get(bill.provider or bill.shape, bill.provider or bill.shape)
    own = _own(provider, prices)
    if not own and not prices.prices:
        return None
    prefixes = {provider, bill.shape}
    for table in (prices.prices, own):
        for model in bill.names() if table else ():
            for name in (model, *(f"{prefix}/{model}" for prefix in prefixes)):
                pattern = _best_match(table, name)
                if pattern is not None:
                    return _at(table[pattern], bill.usage)
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


def _at(rates: Mapping[str, float], usage: Usage) -> float:
    cached = usage.cached_input_tokens or 0
    written = usage.cache_write_tokens or 0
    fresh = max((usage.input_tokens or 0) - cached - written, 0)
    usd = (
        fresh * rates["input"]
        + cached * rates.get("cached_input", rates["input"])
        + written * rates.get("cache_write", rates["input"])
        + (usage.output_tokens or 0) * rates["output"]
    )
    return round(usd, 12)


def _log_once(bill: Bill) -> None:
    model = next((model for model in bill.models if model), "")
    key = f"{bill.shape}/{model}"
    if key in _logged or len(_logged) >= _MAX_LOGGED:
        return
    _logged.add(key)
    logger.warning("no price is known for %s; its cost_usd is left out (AIConfig(prices=...) can give one)", key)
