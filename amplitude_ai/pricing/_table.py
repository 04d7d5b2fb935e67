"""genai-prices, and its traps: the one file that knows that package. `preload` imports it, on the caller's thread.

Known to raise ``LookupError`` (unknown provider or model) and ``ValueError`` (counts that contradict each other);
known to answer 0 for audio models given tokens, and the standard price for a tier it does not know.
https://github.com/pydantic/genai-prices
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache
from typing import Any

from .._usage import Usage
from ._rates import Rates, rates_of

logger = logging.getLogger("amplitude.ai")

#: Tiers that change the price. Others (``default``, ``standard``, ``on_demand``) are the standard price.
_PRICED_TIERS = ("batch", "flex", "priority", "fast")


def table_price(provider: str, model: str, usage: Usage, tier: str | None, when_s: float) -> float | None:
    """The price in USD, or ``None`` when the table has none it can stand by."""
    if not _available():
        return None
    key = (provider, model, tier, int(when_s // _RATES_SECONDS))
    try:
        rates = _rates[key]
    except KeyError:
        if len(_rates) >= _RATES_LIMIT:
            _rates.clear()
        _rates[key] = rates = rates_of(lambda probe: _ask(provider, model, probe, tier, when_s))
    usd = None if rates is None else rates.price(usage)
    return _asked(provider, model, usage, tier, when_s) if usd is None else usd


def _asked(provider: str, model: str, usage: Usage, tier: str | None, when_s: float) -> float | None:
    found = _ask(provider, model, usage, tier, when_s)
    return None if found is None else float(found.total_price)


#: Some prices change with the hour of the day; none more often than this.
_RATES_SECONDS = 900
_RATES_LIMIT = 1024
_rates: dict[tuple[str, str, str | None, int], Rates | None] = {}


def _ask(provider: str, model: str, usage: Usage, tier: str | None, when_s: float) -> Any:
    """What the table answers, or ``None`` when it has no price that it can stand by."""
    import genai_prices

    when = datetime.fromtimestamp(when_s, tz=UTC)
    context = _context(tier)
    try:
        result: Any = None
        for counts in _candidates(usage):
            try:
                result = genai_prices.calc_price(
                    genai_prices.Usage(**counts),
                    model,
                    provider_id=provider,
                    genai_request_timestamp=when,
                    **({"price_context": context} if context else {}),
                )
                break
            except ValueError as error:  # "cache_read_tokens and input_text_tokens require cache_text_read_tokens"
                logger.debug("genai-prices refused the counts of %s: %s", model, type(error).__name__)
        if result is None or not _trusted(result, provider, usage, context):
            return None
        return result
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        # LookupError is the everyday one; the others are a table newer or older than this code. A missing price
        # must never cost the event.
        logger.debug("genai-prices has no price for %s at %s: %s", model, provider, type(error).__name__)
        return None


def preload() -> None:
    """Import the package with all that it imports when it is first used; it reads its table only then."""
    if _available():
        _known_units()
        _ask("openai", "gpt-4o", Usage(input_tokens=1, output_tokens=1), None, 0.0)


@cache
def _available() -> bool:
    try:
        import genai_prices  # noqa: F401
    except ImportError:
        logger.warning("genai-prices is not installed: only providers' own figures and AIConfig prices give costs")
        return False
    return True


@cache
def _known_units() -> frozenset[str]:
    """The unit names this version can price; others would only make it warn on every call."""
    import genai_prices

    fields = getattr(genai_prices.Usage, "__dataclass_fields__", None)  # up to 0.1
    if fields is not None:
        return frozenset(fields)
    from genai_prices.data_units import unit_data

    return frozenset(unit_data)


def _candidates(usage: Usage) -> list[dict[str, int | float]]:
    """The counts as the table wants them; then without the text share, which it refuses beside cached tokens."""
    extra = {name: count for name, count in usage.extra.items() if count}
    writes = usage.cache_write_tokens
    if writes is None and (split := [extra[key] for key in extra if key.startswith("cache_write_")]):
        writes = int(sum(split))
    if "audio_seconds" not in extra and "input_audio_seconds" in extra:
        extra["audio_seconds"] = extra["input_audio_seconds"]
    named: dict[str, int | float | None] = {
        **extra,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cached_input_tokens,
        "cache_write_tokens": writes,
    }
    known = _known_units()
    full = {name: count for name, count in named.items() if count is not None and name in known}
    lean = {name: count for name, count in full.items() if "text" not in name}
    return [full] if lean == full else [full, lean]


def _context(tier: str | None) -> dict[str, str] | None:
    """How the table names tiers: OpenAI's by ``service_tier``, Anthropic's fast mode by ``speed``, batches apart."""
    if not tier:
        return None
    tier = tier.lower()
    context = {"service_tier": tier}
    if tier == "batch":
        context["processing"] = "batch"
    elif tier == "fast":
        context["speed"] = "fast"
    return context


def _trusted(result: Any, provider: str, usage: Usage, context: dict[str, str] | None) -> bool:
    used = (usage.input_tokens or 0) + (usage.output_tokens or 0) + sum(usage.extra.values())
    if not result.total_price and used and not str(result.model.id).endswith(":free"):
        # whisper-1 and tts-1 are billed by time and characters: tokens come out as 0.00, and so does any count that the
        # model has no price for, pages and seconds too.
        return False
    audio = sum(count for unit, count in usage.extra.items() if "audio" in unit and unit.endswith("_tokens"))
    if audio and provider in ("openai", "azure") and not any("audio" in key for key in vars(result.model_price)):
        return False  # OpenAI's audio tokens cost many times its text tokens, and this entry has no price for them
    if context and context["service_tier"] in _PRICED_TIERS:
        return _prices_tier(result, context)
    return True


def _prices_tier(result: Any, context: dict[str, str]) -> bool:
    """False when the provider's other models have a price for this tier and this one does not."""
    if _has_variant(result.model, context):
        return True
    return not any(_has_variant(model, context) for model in result.provider.models)


def _has_variant(model: Any, context: dict[str, str]) -> bool:
    variants = getattr(model, "price_variants", None) or ()
    return any(context.get(key) == value for variant in variants for key, value in variant.when.items())
