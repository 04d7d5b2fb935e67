"""What is billed by another unit than tokens: searches, pages, seconds. Its price is whole, or there is none."""

import pytest
from genai_prices.data_units import unit_data

from amplitude_ai import AIConfig
from amplitude_ai._models import Usage
from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._pricing import price

from .fixtures import anthropic, google, hosts, more_hosts, openai, others
from .fixtures._wire import Example
from .records import NEW_YEAR, call

RESPONSES = "https://api.openai.com/v1/responses"
OCR = "https://api.mistral.ai/v1/ocr"
TOKENS = {"input_tokens": 100, "output_tokens": 50, "total_tokens": 150}
#: 100 tokens in and 50 out of gpt-5, at 1.25 and 10 USD a million.
PLAIN = 0.000625


def searched(kind="search", status="completed", **more):
    """An item of a Responses output (openai ``types/responses/response_function_web_search.py``)."""
    return {"type": "web_search_call", "id": "w", "status": status, "action": {"type": kind}, **more}


FOUND = {"type": "file_search_call", "id": "f", "status": "completed", "queries": ["x"]}


def responded(*output, **body):
    """A Responses call whose answer has these items."""
    answer = {"id": "r", "model": "gpt-5", "status": "completed", "output": list(output), "usage": TOKENS, **body}
    return read(Example("x", RESPONSES, {"model": "gpt-5", "input": "Hi"}, answer, {}).exchange())


def usd(call):
    """What it cost by the table."""
    cost, source = price(call, NEW_YEAR, AIConfig())
    assert source in ("genai-prices", None)
    return cost


@pytest.mark.parametrize(
    ("output", "body", "fees"),
    [
        ((), {}, 0.0),
        ((searched(),), {}, 0.01),
        ((searched(), searched("open_page"), searched("find_in_page"), searched()), {}, 0.02),
        ((searched(status="failed"),), {}, 0.0),
        ((searched(), searched()), {"tool_usage": {"web_search": {"num_requests": 1}}}, 0.01),
        ((searched(),), {"tool_usage": {"web_search": {"num_requests": 0}}}, 0.0),
        ((searched(action=None),), {}, 0.01),
        ((FOUND, FOUND), {}, 0.005),
        ((FOUND, searched()), {}, 0.0125),
    ],
)
def test_the_searches_of_a_response(output, body, fees):
    """A search costs ten times these tokens and stands among the output where ``tool_usage`` does not tell it.

    litellm#15227, litellm#31316. "search: ... incurs a tool call cost", of ``open_page`` and ``find_in_page`` no word:
    https://developers.openai.com/api/docs/guides/tools-web-search; $10 and $2.50 a thousand by the table's own page,
    https://developers.openai.com/api/docs/pricing.
    """
    assert usd(responded(*output, **body)) == pytest.approx(PLAIN + fees)


def test_a_tool_that_was_offered_and_not_used():
    """litellm#10384: a fee for each request that offers the search."""
    call = responded({"type": "message", "content": [{"type": "output_text", "text": "Hi"}]})
    assert call.usage.extra == {}


@pytest.mark.parametrize(
    ("asked", "usd_a_page"),
    [({}, 0.001), ({"bbox_annotation_format": {"type": "json_schema"}}, 0.003)],
)
def test_the_pages_of_a_document(asked, usd_a_page):
    """litellm#10620: OCR is billed by ``usage_info.pages_processed`` (mistralai ``models/ocrusageinfo.py``)."""
    answer = {"pages": [], "model": "mistral-ocr-2505", "usage_info": {"pages_processed": 3}}
    request = {"model": "mistral-ocr-2505", "document": {"type": "document_url", "document_url": "x"}, **asked}
    call = read(Example("x", OCR, request, answer, {}).exchange())
    assert usd(call) == pytest.approx(3 * usd_a_page)


def test_a_count_without_a_price_is_no_gift():
    """A model that is not billed by the unit that was counted has no price; it did not cost 0."""
    for model, extra in (("gpt-4o", {"input_audio_seconds": 60.0}), ("gpt-4o", {"input_document_pages": 2})):
        counted = call("Hi", operation="audio", model=model, usage=Usage(extra=extra))
        assert price(counted, NEW_YEAR, AIConfig()) == (None, None)


EXAMPLES = [one for module in (anthropic, google, hosts, more_hosts, openai, others) for one in module.EXAMPLES]


def test_units_have_the_tables_names():
    """A count by another name is left out of the price, and nobody sees it."""
    counted = {unit for example in EXAMPLES if (made := read(example.exchange())) for unit in made.usage.extra}
    assert {"input_document_pages", "rerank_searches", "web_searches"} <= counted
    assert counted - set(unit_data) <= {"output_video_seconds"}  # the table has no videos
