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


def counts(dice):
    """Counts of a call; now and then contradictory, or nothing."""
    whole = dice.choice([0, 1, dice.randrange(2_000), dice.randrange(300_000), dice.randrange(2_000_000)])
    cached = dice.choice([None, 0, dice.randrange(whole + 2)])
    written = dice.choice([None, None, dice.randrange(whole + 2)])
    return Usage(
        input_tokens=whole,
        output_tokens=dice.choice([0, dice.randrange(10_000)]),
        cached_input_tokens=cached,
        cache_write_tokens=written,
    )


@pytest.mark.parametrize("provider", [each.id for each in providers])
def test_every_model_of_a_provider_costs_what_the_table_says(provider):
    """Four random calls of each model, at some time of the day, on some tier."""
    dice = random.Random(provider)
    (entry,) = [each for each in providers if each.id == provider]
    for model in entry.models:
        for _ in range(4):
            usage, tier = counts(dice), dice.choice(TIERS)
            when = time.time() - dice.randrange(86_400)
            expected = _table._asked(provider, model.id, usage, tier, when)
            assert table_price(provider, model.id, usage, tier, when) == expected, (model.id, usage, tier)


def test_most_models_need_not_be_asked_again(monkeypatch):
    """A second call of a plain model asks nothing; of one with steps by size it asks again."""
    asked = []
    original = genai_prices.calc_price
    monkeypatch.setattr(genai_prices, "calc_price", lambda *a, **k: asked.append(a) or original(*a, **k))
    usage = Usage(input_tokens=10, output_tokens=5)
    now = time.time()
    for model, again in (("gpt-4o-mini", 0), ("gemini-2.5-pro", 1)):
        provider = "openai" if model.startswith("gpt") else "google"
        first = table_price(provider, model, usage, None, now)
        asked.clear()
        assert table_price(provider, model, usage, None, now) == first
        assert len(asked) == again, model
