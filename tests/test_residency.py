"""A region's uplift, where the provider documents it."""

import pytest

from amplitude_ai import AIConfig
from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._pricing import price

from .fixtures._wire import Example
from .records import NEW_YEAR

ASKED = {"messages": [{"role": "user", "content": "Hi"}]}
#: A day after all models here were released.
DAY = NEW_YEAR + 300 * 86_400_000


def claude(usage, url="https://api.anthropic.com/v1/messages", config=None):
    """What a call of Claude Opus 4.6 cost: 5 USD a million tokens in, 25 out."""
    counts = {"input_tokens": 1000, "output_tokens": 100, **usage}
    answer = {"model": "claude-opus-4-6", "content": [], "stop_reason": "end_turn", "usage": counts}
    call = read(Example("x", url, {"model": "claude-opus-4-6", "max_tokens": 9, **ASKED}, answer, {}).exchange())
    return price(call, DAY, config or AIConfig())[0]


def gpt(host, model, answered=None):
    """What a call of OpenAI's cost."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100}
    answer = {"model": answered or model, "choices": [{"message": {"content": "Hi"}}], "usage": usage}
    url = f"https://{host}/v1/chat/completions"
    return price(read(Example("x", url, {"model": model, **ASKED}, answer, {}).exchange()), DAY, AIConfig())[0]


@pytest.mark.parametrize(("geo", "usd"), [("us", 0.00825), ("global", 0.0075), ("not_available", 0.0075)])
def test_claude_in_one_country(geo, usd):
    """1.1 times: https://platform.claude.com/docs/en/manage-claude/data-residency (``usage.inference_geo``)."""
    assert claude({"inference_geo": geo}) == pytest.approx(usd)


@pytest.mark.parametrize(
    "url",
    [
        "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/"
        "claude-opus-4-6:rawPredict",
        "https://x.services.ai.azure.com/anthropic/v1/messages",
    ],
)
def test_claude_of_others(url):
    """``inference_geo`` is of Anthropic's own platform; Vertex and Foundry have prices of their own for a region."""
    assert claude({"inference_geo": "us"}, url) == claude({}, url)
    own = "https://aws-external-anthropic.us-west-2.api.aws/v1/messages"  # Claude Platform on AWS
    assert claude({"inference_geo": "us"}, own) == pytest.approx(0.00825)


@pytest.mark.parametrize(("host", "factor"), [("us.api.x.ai", 1.1), ("eu-west-1.api.x.ai", 1.0), ("api.x.ai", 1.0)])
def test_grok_in_one_country(host, factor):
    """1.1 times: https://docs.x.ai/developers/advanced-api-usage/regions."""
    assert gpt(host, "grok-4.6") == pytest.approx(gpt("api.x.ai", "grok-4.6") * factor)


def test_what_is_billed_by_the_call_is_not_dearer():
    """The multiplier is the tokens'; a search costs 0.01."""
    searched = {"server_tool_use": {"web_search_requests": 2}}
    assert claude({"inference_geo": "us", **searched}) == pytest.approx(0.00825 + 0.02)


def test_own_prices_are_as_they_were_given():
    """Whoever tells their price knows where they run."""
    config = AIConfig(prices={"claude-opus-4-6": (1e-3, 1e-3)})
    assert claude({"inference_geo": "us"}, config=config) == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("host", "model", "answered", "factor"),
    [
        ("eu.api.openai.com", "gpt-5.4", "gpt-5.4-2026-03-05", 1.1),
        ("us.api.openai.com", "gpt-5.5", None, 1.1),
        ("eu.api.openai.com", "gpt-6-luna", None, 1.1),
        ("eu.api.openai.com", "gpt-5", "gpt-5-2025-08-07", 1.0),
        ("eu.api.openai.com", "gpt-5.1", None, 1.0),
        ("eu.api.openai.com", "gpt-4o", "gpt-4o-2024-08-06", 1.0),
        ("eu.api.openai.com", "o3", None, 1.0),
        ("api.openai.com", "gpt-5.4", "gpt-5.4-2026-03-05", 1.0),
    ],
)
def test_openai_in_one_region(host, model, answered, factor):
    """1.1 times for models since March 5, 2026: https://developers.openai.com/api/docs/guides/data-residency."""
    assert gpt(host, model, answered) == pytest.approx(gpt("api.openai.com", model, answered) * factor)
