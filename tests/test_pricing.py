"""What a call costs, and who says so."""

import logging
import warnings
from dataclasses import replace

import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai import AIConfig, calculate_cost
from amplitude_ai._models import Usage
from amplitude_ai.parsers._format import WireRequest
from amplitude_ai.parsers._formats import FORMATS
from amplitude_ai.pricing import _cost
from amplitude_ai.sessions._pricing import price

from .records import NEW_YEAR, call


def cost(config=None, **changes):
    """(USD, source) of a call."""
    return price(call("Hello", **changes), NEW_YEAR, config or AIConfig())


def test_the_table():
    """gpt-4o-mini: 0.15 USD a million tokens in, 0.60 out."""
    assert cost() == (pytest.approx((100 * 0.15 + 20 * 0.60) / 1e6), "genai-prices")
    assert calculate_cost("openai", "gpt-4o-mini", 1000, 500) == pytest.approx((1000 * 0.15 + 500 * 0.60) / 1e6)


def test_cached_tokens_are_part_of_the_input():
    """They cost their own price once: cheaper than fresh ones, never on top, never nothing."""
    fresh, _ = cost(usage=Usage(1000, 0))
    half, _ = cost(usage=Usage(1000, 0, cached_input_tokens=500))
    assert 0 < half < fresh
    assert half == pytest.approx((500 * 0.15 + 500 * 0.075) / 1e6)


def test_cache_writes_and_their_lifetime():
    """Claude's writes cost more than fresh input, an hour's more than five minutes'."""
    told = {"provider": "anthropic", "price_provider": "anthropic", "model": "claude-sonnet-4-5"}
    plain, _ = cost(**told, usage=Usage(1000, 0))
    short, _ = cost(**told, usage=Usage(1000, 0, cache_write_tokens=1000))
    long, _ = cost(**told, usage=Usage(1000, 0, cache_write_tokens=1000, extra={"cache_write_1h_tokens": 1000}))
    assert plain < short <= long


def test_the_providers_own_figure_wins():
    """What was billed is what it cost, also over prices of the user's own."""
    config = AIConfig(prices={"*": {"input": 1e-3, "output": 1e-3}})
    assert cost(config, reported_cost_usd=0.0123) == (0.0123, "provider")
    assert cost(reported_cost_usd=0.0) == (0.0, "provider")


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ({"openai_cost_per_token": {"gpt-4o-mini": {"input": 1e-3, "output": 2e-3}}}, 0.14),
        ({"openai_cost_per_token": {"gpt-4*": (1e-3, 2e-3)}}, 0.14),
        ({"openai_cost_per_token": {"gpt-4*": (9e-3, 9e-3), "gpt-4o-*": (1e-3, 2e-3)}}, 0.14),
        ({"openai_cost_per_token": 1e-3}, 0.12),
        ({"prices": {"openai/*": (1e-3, 2e-3)}}, 0.14),
        ({"prices": {"*": (1e-3, 2e-3)}, "openai_cost_per_token": {"*": (5e-3, 5e-3)}}, 0.14),
    ],
    ids=["name", "pattern", "most specific", "one number", "provider/model", "prices first"],
)
def test_own_prices(options, usd):
    """They win over the table, by model pattern."""
    assert cost(AIConfig(**options)) == (pytest.approx(usd), "custom")


def test_own_prices_of_another_provider_do_not_apply():
    """Anthropic's prices say nothing of OpenAI's models."""
    assert cost(AIConfig(anthropic_cost_per_token={"*": (1e-3, 1e-3)}))[1] == "genai-prices"


def test_own_prices_of_cached_tokens():
    """Their own rate where given, the input's where not."""
    rates = {"input": 1e-3, "output": 0, "cached_input": 1e-4}
    usage = Usage(100, 0, cached_input_tokens=60, cache_write_tokens=10)
    assert cost(AIConfig(prices={"*": rates}), usage=usage)[0] == pytest.approx(40 * 1e-3 + 60 * 1e-4)


def test_an_unknown_model_has_no_price(caplog):
    """``None``, never 0, and one line in the log for all its calls."""
    _cost._logged.clear()
    with caplog.at_level(logging.WARNING, logger="amplitude.ai"):
        for _ in range(3):
            assert cost(model="acme-9000", requested_model="acme-9000") == (None, None)
    assert [record.getMessage().count("acme-9000") for record in caplog.records] == [1]


def test_half_a_call_has_no_price():
    """Tokens in without tokens out would be a made-up figure; an embedding has no output to miss."""
    assert cost(usage=Usage(100, None)) == (None, None)
    embedded = {"operation": "embeddings", "model": "text-embedding-3-small", "usage": Usage(1000, None)}
    assert cost(**embedded)[0] == pytest.approx(1000 * 0.02 / 1e6)


def test_an_unknown_host_is_priced_by_the_models_name():
    """A gateway that speaks OpenAI and answers as gpt-4o-mini; a Claude behind it has a price nobody told us."""
    assert cost(price_provider=None)[1] == "genai-prices"
    assert cost(price_provider=None, model="claude-sonnet-4-5", requested_model=None) == (None, None)


def test_service_tiers():
    """A batch costs half, priority more (in today's table: its history has no tiers)."""
    standard, batch, priority = (
        price(call("Hello", service_tier=tier), None, AIConfig())[0] for tier in (None, "batch", "priority")
    )
    assert batch == pytest.approx(standard / 2)
    assert priority > standard


def test_prices_of_the_day():
    """The price is that of the day of the call, not of today."""
    told = {
        "provider": "deepseek",
        "price_provider": "deepseek",
        "model": "deepseek-chat",
        "usage": Usage(10**6, 10**6),
    }
    january_2025 = 1_736_000_000_000
    assert price(call("Hi", **told), january_2025, AIConfig()) != price(call("Hi", **told), NEW_YEAR, AIConfig())


def test_cost_tracking_off():
    """No price is looked up."""
    assert AIConfig(cost_tracking=False).calculate_cost("openai", "gpt-4o-mini", 1000, 500) is None


counts = st.none() | st.integers(0, 2**53)


@given(
    counts, counts, counts, counts, st.sampled_from(["openai", "anthropic", "google", "nobody"]), st.text(max_size=12)
)
def test_any_counts(inputs, outputs, cached, written, provider, model):
    """No usage makes it raise, and no cost is negative."""
    for name in (model, "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash"):
        usd = calculate_cost(provider, name, inputs, outputs, cached_input_tokens=cached, cache_write_tokens=written)
        assert usd is None or usd >= 0


def test_cohere_is_priced_by_what_it_bills():
    """``billed_units`` leaves out Cohere's own prompt; the tokens told are those the model read."""
    billed, read = {"input_tokens": 10, "output_tokens": 4}, {"input_tokens": 500, "output_tokens": 9}
    body = {"usage": {"billed_units": billed, "tokens": read}}
    asked = {"model": "command-r-08-2024"}
    request = WireRequest(provider="cohere", host="api.cohere.com", path="/v2/chat", body=asked)
    found = FORMATS["cohere.chat"].parse(request, body)
    found = replace(found, price_provider="cohere")
    assert found.usage.input_tokens == 500
    usd, _ = price(found, None, AIConfig(prices={"command-r*": (1e-6, 2e-6)}))
    assert usd == pytest.approx(10e-6 + 8e-6)


def test_compaction_is_billed_though_no_total_has_it():
    """Anthropic's total leaves out the iterations that compacted the context."""
    usage = {
        "input_tokens": 23,
        "output_tokens": 10,
        "iterations": [
            {"type": "compaction", "input_tokens": 1000, "output_tokens": 100},
            {"type": "message", "input_tokens": 23, "output_tokens": 10},
        ],
    }
    request = WireRequest(provider="anthropic", host="api.anthropic.com", path="/v1/messages")
    found = FORMATS["anthropic.messages"].parse(request, {"model": "claude-x", "usage": usage})
    assert (found.usage.input_tokens, found.usage.output_tokens) == (23, 10)
    usd, _ = price(found, None, AIConfig(prices={"claude-x": (1e-6, 2e-6)}))
    assert usd == pytest.approx(1023e-6 + 220e-6)


SEVERAL = {"claude-x": (1e-6, 2e-6), "claude-y": (10e-6, 20e-6)}
ANSWERED = {"type": "message", "model": "claude-x", "input_tokens": 1000, "output_tokens": 100}
ADVISED = {"type": "advisor_message", "model": "claude-y", "input_tokens": 50, "output_tokens": 10}
STOOD_IN = {"type": "fallback_message", "model": "claude-y", "input_tokens": 50, "output_tokens": 10}
COMPACTED = {"type": "compaction", "input_tokens": 500, "output_tokens": 50}


@pytest.mark.parametrize(
    ("iterations", "usd"),
    [
        ([ANSWERED, ANSWERED], 1200e-6),  # the total stands
        ([ANSWERED, ADVISED], 1200e-6 + 700e-6),
        ([ANSWERED, ADVISED, ADVISED], 1200e-6 + 1400e-6),
        ([ANSWERED, STOOD_IN], 1200e-6 + 700e-6),
        ([COMPACTED, ANSWERED, ADVISED], 1800e-6 + 700e-6),
        ([ANSWERED, {**ADVISED, "model": "claude-z"}], None),  # a part of a price is none
        ([ANSWERED, {**ADVISED, "model": None}], None),
    ],
)
def test_each_model_has_its_own_price(iterations, usd):
    """An advisor, and a model that answered for one that declined, are billed beside the one that was asked."""
    usage = {"input_tokens": 1000, "output_tokens": 100, "iterations": iterations}
    request = WireRequest(
        provider="anthropic", host="api.anthropic.com", path="/v1/messages", body={"model": "claude-x"}
    )
    found = FORMATS["anthropic.messages"].parse(request, {"model": "claude-x", "usage": usage})
    found = replace(found, price_provider="anthropic")
    assert (found.usage.input_tokens, found.usage.output_tokens) == (1000, 100)
    assert price(found, None, AIConfig(prices=SEVERAL))[0] == (usd and pytest.approx(usd))


@pytest.mark.parametrize(
    ("asked", "told", "usd"),
    [
        ([], {}, 120e-6),
        ([], {"image_gen": {"input_tokens": 0, "output_tokens": 0}}, 120e-6),
        ([], {"image_gen": {"input_tokens": 50, "output_tokens": 10}}, None),  # nobody says which model
        ([{"type": "image_generation"}], {"image_gen": {"input_tokens": 50, "output_tokens": 10}}, None),
        (
            [{"type": "web_search"}, {"type": "image_generation", "model": "claude-y"}],
            {"image_gen": {"input_tokens": 50, "output_tokens": 10}},
            120e-6 + 700e-6,
        ),
    ],
)
@pytest.mark.parametrize("place", ["request", "answer"])
def test_images_of_a_tool_have_their_models_price(place, asked, told, usd):
    """OpenAI counts them beside the usage of the model that asked for them."""
    usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
    body = {"model": "claude-x", "usage": usage, "tool_usage": told, "tools": asked if place == "answer" else []}
    request = WireRequest("openai", "api.openai.com", "/v1/responses", {"tools": asked if place == "request" else []})
    found = replace(FORMATS["openai.responses"].parse(request, body), price_provider="openai")
    assert found.usage.total_tokens == 110
    assert price(found, None, AIConfig(prices=SEVERAL))[0] == (usd and pytest.approx(usd))


@pytest.mark.parametrize(
    ("arguments", "usage", "tier"),
    [
        ({}, {}, None),
        ({"cached_input_tokens": 600}, {"cached_input_tokens": 600}, None),
        ({"cache_write_tokens": 600}, {"cache_write_tokens": 600}, None),
        ({"service_tier": "batch"}, {}, "batch"),
    ],
)
def test_a_cost_by_hand_is_that_of_the_call(arguments, usage, tier):
    """Each argument counts as the same figure of a captured call does."""
    by_hand = calculate_cost("anthropic", "claude-sonnet-4-5", 1000, 500, **arguments)
    told = {"provider": "anthropic", "price_provider": "anthropic", "model": "claude-sonnet-4-5", "service_tier": tier}
    captured, _ = price(call("Hello", **told, usage=Usage(1000, 500, **usage)), None, AIConfig())
    assert by_hand == pytest.approx(captured)
    assert (by_hand == calculate_cost("anthropic", "claude-sonnet-4-5", 1000, 500)) is (not arguments)


@pytest.mark.parametrize("extra", [{"nobody_knows_tokens": 7}, {"input_audio_tokens": 0}, {"pages": 3}])
def test_counts_without_a_price_change_none(extra):
    """Units that the table does not know, and such as were not used; it is not asked for them, nor does it warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cost(usage=Usage(100, 20, extra=extra))
    assert cost(usage=Usage(100, 20, extra=extra)) == cost(usage=Usage(100, 20))


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        *((one, "azure") for one in ("azure_openai", "azure-openai")),
        *((one, "aws") for one in ("bedrock", "amazon", "aws_bedrock")),
        *((one, "google") for one in ("gemini", "vertex", "vertexai", "vertex_ai", "google-gla", "google-vertex")),
        ("google_genai", "google"),
        *((one, "x-ai") for one in ("xai", "grok")),
        ("moonshot", "moonshotai"),
        ("mistralai", "mistral"),
        ("claude", "anthropic"),
        ("together_ai", "together"),
    ],
)
def test_a_provider_by_another_name(alias, name):
    """Frameworks' words for providers find the same prices; so do capitals."""
    (entry,) = [one for one in providers if one.id == name]
    priced = [model.id for model in entry.models if calculate_cost(name, model.id, 1000, 500)]
    assert priced
    assert calculate_cost(alias, priced[0], 1000, 500) == calculate_cost(name, priced[0], 1000, 500)
    assert calculate_cost(alias.upper(), priced[0], 1000, 500) == calculate_cost(name, priced[0], 1000, 500)


@pytest.mark.parametrize(
    ("pattern", "model", "applies"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "GPT-4o", True),
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("claude-3-5-sonnet", "claude-3-5-sonnet-20241022-v2:0", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o", "gpt-4", False),
        ("gpt-4*", "gpt-4o-mini", True),
        ("openai/gpt-4o", "gpt-4o", True),
        ("anthropic/gpt-4o", "gpt-4o", False),
    ],
)
def test_which_models_a_price_is_for(pattern, model, applies):
    """The name, its dated versions, a pattern, a provider before it."""
    config = AIConfig(prices={pattern: (1e-3, 2e-3)})
    assert (cost(config, model=model, requested_model=model)[1] == "custom") is applies


@pytest.mark.parametrize("option", ["openai_cost_per_token", "anthropic_cost_per_token", "google_cost_per_token"])
@pytest.mark.parametrize(
    ("provider", "owner"),
    [("openai", "openai"), ("azure", "openai"), ("anthropic", "anthropic"), ("google", "google"), ("vertex", "google")],
)
def test_whose_own_prices(option, provider, owner):
    """Azure sells OpenAI's models, Vertex Google's."""
    config = AIConfig(**{option: {"*": (1e-3, 2e-3)}})
    found = cost(config, provider=provider, price_provider=provider, model="some-model", requested_model="some-model")
    assert (found == (pytest.approx(0.14), "custom")) is option.startswith(owner)


@pytest.mark.parametrize("operation", ["embeddings", "rerank", "moderation", "ocr", "image", "audio"])
def test_what_writes_nothing_needs_no_output(operation):
    """Input alone is the whole of it; without any count there is no price."""
    config = AIConfig(prices={"*": (1e-3, 2e-3)})
    assert cost(config, operation=operation, usage=Usage(100, None)) == (pytest.approx(0.1), "custom")
    assert cost(config, operation=operation, usage=Usage()) == (None, None)
    assert cost(config, operation="chat", usage=Usage(100, None)) == (None, None)


def test_parts_that_exceed_the_whole_have_no_price():
    """Neither among own prices nor by the table; nor has a negative count."""
    config = AIConfig(prices={"*": (1e-3, 2e-3)})
    assert cost(config, usage=Usage(100, 20, cached_input_tokens=60, cache_write_tokens=41)) == (None, None)
    assert cost(config, usage=Usage(100, 20, cached_input_tokens=60, cache_write_tokens=40))[1] == "custom"
    assert cost(config, usage=Usage(-1, 20)) == (None, None)


def test_a_tier_that_a_model_has_no_price_for():
    """Where the provider's other models have one, the standard price would be a guess."""
    (openai,) = [one for one in providers if one.id == "openai"]
    plain = [model.id for model in openai.models if not model.price_variants]
    priced = [name for name in plain if calculate_cost("openai", name, 1000, 500)]
    assert priced
    assert {calculate_cost("openai", name, 1000, 500, service_tier="batch") for name in priced} == {None}
    assert calculate_cost("openai", priced[0], 1000, 500, service_tier="default")


@pytest.mark.parametrize(
    ("provider", "priced_by", "model", "alone"),
    [
        ("vertex", "google", "google/gemini-2.5-pro", "gemini-2.5-pro"),
        ("anthropic", None, "anthropic/claude-sonnet-4.5", "claude-sonnet-4.5"),
        ("openai", None, "openai/gpt-4o-mini", "gpt-4o-mini"),
        ("xai", "x-ai", "xai/grok-4", "grok-4"),
        ("openai", None, "anthropic/claude-sonnet-4.5", None),
        ("openai", None, "meta/gpt-4o-mini", None),
    ],
)
def test_a_name_with_its_providers_before_it(provider, priced_by, model, alone):
    """``google/gemini-2.5-pro`` at Vertex' OpenAI door, ``anthropic/claude-sonnet-4.5`` at Vercel's and Portkey's.

    https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai, https://vercel.com/docs/ai-gateway. Another
    provider's name before it is another's model, whose price here nobody told.
    """
    told = {"provider": provider, "price_provider": priced_by, "requested_model": None}
    found = cost(**told, model=model)
    assert found == ((None, None) if alone is None else cost(**told, model=alone))
    assert (found[0] is None) is (alone is None)
