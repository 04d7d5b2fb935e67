"""A model's rates: what the price table answers, without asking it anew, which takes a hundred times as long.

In: what asks the table. Out: sums that give its figure to the last digit, or ``None`` where it is to be asked. Taken
only of prices that are plain sums by steps of the input's size, and only if the table's own answers at both ends of
each step are what they give. Knows the names of genai-prices' fields, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from .._usage import Usage

#: What the table answers for counts: ``total_price`` and ``model_price``; ``None`` where it has no price.
Ask = Callable[[Usage], Any]

_MILLION = Decimal(1_000_000)
#: Where the last step is tried, in tokens above its beginning.
_FAR = 777_777
_SHORT, _LONG = "cache_write_5m_tokens", "cache_write_1h_tokens"
_SPLIT = frozenset({_SHORT, _LONG})


class _Step(Struct, frozen=True):
    """USD for a million tokens each, of calls with no more than ``most`` input tokens (``None``: any number)."""

    most: int | None
    input: Decimal
    cached: Decimal
    written: Decimal
    output: Decimal
    written_long: Decimal | None  # to a cache of an hour; None: the table is to be asked

    def price(self, usage: Usage) -> float | None:
        """The table's figure; ``None`` where it is to be asked."""
        cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
        fresh = (usage.input_tokens or 0) - cached - written
        if fresh < 0:
            return None
        usd = fresh * self.input + cached * self.cached + (usage.output_tokens or 0) * self.output
        if not usage.extra:
            usd += written * self.written
        else:
            if self.written_long is None or not _SPLIT.issuperset(usage.extra):
                return None
            short, long = usage.extra.get(_SHORT, 0), usage.extra.get(_LONG, 0)
            if type(short) is not int or type(long) is not int or short + long != written:
                return None
            usd += short * self.written + long * self.written_long
        return float(usd / _MILLION) or None


class Rates(Struct, frozen=True):
    """The rates of one model at one time, by steps, the smallest first."""

    steps: tuple[_Step, ...]

    def price(self, usage: Usage) -> float | None:
        """USD; ``None`` where the table is to be asked."""
        whole = usage.input_tokens or 0
        for step in self.steps:
            if step.most is None or whole <= step.most:
                return step.price(usage)
        return None


def rates_of(ask: Ask) -> Rates | None:
    """The rates of a model, where the table's own answers are what they give."""
    found = ask(Usage(input_tokens=1_000, output_tokens=100))
    if found is None:
        return None
    named = vars(found.model_price)
    starts = _starts(named.values())
    if starts is None:
        return None
    steps = []
    for least, most in zip([0, *starts], [*starts, None], strict=True):
        step = _step(named, least, most)
        if not _holds(step, _probes(least, most), ask):
            return None
        if not _holds(step, _split_probes(least, most), ask):
            step = _step(named, least, most, split=False)
        steps.append(step)
    return Rates(tuple(steps))


def _starts(prices: Any) -> list[int] | None:
    """Above how many input tokens each further step begins; ``None`` where a price is none that we know."""
    starts: set[int] = set()
    for price in prices:
        if price is None or isinstance(price, Decimal):
            continue
        for tier in getattr(price, "tiers", (None,)):
            start = getattr(tier, "start", None)
            if type(start) is not int or start <= 0:
                return None
            starts.add(start)
    return sorted(starts)


def _step(named: dict[str, Any], least: int, most: int | None, split: bool = True) -> _Step:
    plain, cached, written, output, long = (
        _at(named.get(f"{name}_mtok"), least)
        for name in ("input", "cache_read", "cache_write", "output", "cache_write_1h")
    )
    plain = plain or Decimal(0)
    written = written or plain
    return _Step(most, plain, cached or plain, written, output or Decimal(0), (long or written) if split else None)


def _at(price: Any, least: int) -> Decimal | None:
    """A price for more input tokens than ``least``."""
    if price is None or isinstance(price, Decimal):
        return price
    found: Decimal = price.base
    for tier in sorted(price.tiers, key=lambda tier: tier.start):
        if tier.start <= least:
            found = tier.price
    return found


def _holds(step: _Step, probes: Sequence[Usage], ask: Ask) -> bool:
    for probe in probes:
        answer = ask(probe)
        if answer is None or step.price(probe) != float(answer.total_price):
            return False
    return True


def _probes(least: int, most: int | None) -> list[Usage]:
    """Counts at both ends of a step; with everything, with nothing cached, with everything cached."""
    end = least + _FAR if most is None else most
    return [
        Usage(input_tokens=least + 1, output_tokens=100),
        Usage(input_tokens=end, output_tokens=123_457, cached_input_tokens=end // 23, cache_write_tokens=end // 17),
        Usage(input_tokens=least + 9, output_tokens=0, cached_input_tokens=least + 9),
    ]


def _split_probes(least: int, most: int | None) -> list[Usage]:
    """The same, of what was written to a cache for five minutes and for an hour."""
    end = least + _FAR if most is None else most
    short, long = end // 19, end // 29
    split: dict[str, int | float] = {_SHORT: short, _LONG: long}
    counts = {"input_tokens": end, "output_tokens": 7, "cached_input_tokens": end // 31}
    return [
        Usage(**counts, cache_write_tokens=short + long, extra=split),
        Usage(**counts, cache_write_tokens=short, extra={_SHORT: short}),
        Usage(**counts, cache_write_tokens=long, extra={_LONG: long}),
    ]
