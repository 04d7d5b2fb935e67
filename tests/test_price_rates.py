"""The rates kept of the price table: for every model it has they give what it gives, to the digit, or are not used."""

import random
import time

import genai_prices
import pytest
from genai_prices.data import providers

from amplitude_ai._models import Usage
from amplitude_ai.pricing import _table
from amplitude_ai.pricing._table import table_price

TIERS = (None, "batch", "priority")
#: Where the table's prices have their steps, in tokens of input.
STARTS = (128_000, 200_000, 272_000)


def counts(dice):
    """Counts of a call; now and then contradictory, or nothing."""
    whole = dice.choice([0, 1, dice.randrange(2_000), dice.randrange(300_000), dice.randrange(2_000_000)])
    whole = dice.choice([whole, whole, dice.choice(STARTS) + dice.randrange(2)])
    cached = dice.choice([None, 0, dice.randrange(whole + 2)])
    written = dice.choice([None, None, dice.randrange(whole + 2)])
    extra = {}
    if written and dice.random() < 0.5:
        short = dice.choice([0, written, dice.randrange(written + 1)])
        split = {"cache_write_5m_tokens": short, "cache_write_1h_tokens": written - short + (dice.random() < 0.1)}
        extra = {name: count for name, count in split.items() if count}
    return Usage(
        input_tokens=whole,
        output_tokens=dice.choice([0, dice.randrange(10_000)]),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        extra=extra,
    )


@pytest.mark.parametrize("provider", [each.id for each in providers])
def test_every_model_of_a_provider_costs_what_the_table_says(provider):
    """Eight random calls of each model, at some time of the day, on some tier."""
    dice = random.Random(provider)
    (entry,) = [each for each in providers if each.id == provider]
    for model in entry.models:
        for _ in range(8):
            usage, tier = counts(dice), dice.choice(TIERS)
            when = time.time() - dice.randrange(86_400)
            expected = _table._asked(provider, model.id, usage, tier, when)
            assert table_price(provider, model.id, usage, tier, when) == expected, (model.id, usage, tier)


def test_the_starts_are_the_tables():
    """The calls above are made at the steps that there are."""
    tiers = {
        tier.start
        for entry in providers
        for model in entry.models
        for price in (model.prices if isinstance(model.prices, list) else [model])
        for value in vars(price.prices).values()
        for tier in getattr(value, "tiers", ())
    }
    assert tiers >= set(STARTS)


@pytest.mark.parametrize(
    ("provider", "model", "again"),
    [
        ("openai", "gpt-4o-mini", 0),
        ("google", "gemini-2.5-pro", 0),  # steps by size
        ("anthropic", "claude-sonnet-4-5", 0),
        ("openai", "whisper-1", 1),  # by the second
    ],
)
def test_most_models_need_not_be_asked_again(monkeypatch, provider, model, again):
    """A second call of a model whose prices are sums asks nothing, whatever the size of its input."""
    asked = []
    original = genai_prices.calc_price
    monkeypatch.setattr(genai_prices, "calc_price", lambda *a, **k: asked.append(a) or original(*a, **k))
    now = time.time()
    for tokens in (10, 250_000):
        usage = (
            Usage(input_tokens=tokens, output_tokens=5, cache_write_tokens=4, extra={"cache_write_1h_tokens": 4})
            if provider == "anthropic"
            else Usage(input_tokens=tokens, output_tokens=5)
        )
        first = table_price(provider, model, usage, None, now)
        asked.clear()
        assert table_price(provider, model, usage, None, now) == first
        assert len(asked) == again
