"""How hosts stray from OpenAI: what they count apart, what they say a call cost, by which name it is billed."""

import pytest

from amplitude_ai.parsers._read import read
from amplitude_ai.transports._headers import RESPONSE_HEADERS

from .fixtures._wire import Example

USAGE = {"prompt_tokens": 100, "completion_tokens": 20}


def answered(host, usage, model="base", asked="asked", path="/v1/chat/completions"):
    """A chat of that host with that usage."""
    answer = {"model": model, "choices": [{"message": {"content": "Hi"}}], "usage": {**USAGE, **usage}}
    body = {"model": asked, "messages": [{"role": "user", "content": "Hi"}]}
    return read(Example("x", f"https://{host}{path}", body, answer, {}).exchange())


@pytest.mark.parametrize(
    ("host", "usage", "outputs", "total"),
    [
        ("api.openai.com", {"completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 120}, 20, 120),
        ("api.x.ai", {"completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 127}, 27, 127),
        ("api.x.ai", {"completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 120}, 20, 120),
        ("api.x.ai", {"completion_tokens_details": {"reasoning_tokens": 7}}, 27, 127),
        ("api.perplexity.ai", {"reasoning_tokens": 7, "citation_tokens": 3, "total_tokens": 120}, 30, 130),
        ("api.groq.com", {"reasoning_tokens": 7, "citation_tokens": 3, "total_tokens": 120}, 20, 120),
    ],
)
def test_what_is_counted_apart(host, usage, outputs, total):
    """xAI's reasoning, Perplexity's reasoning and citations: billed output that is not in the answer's count."""
    call = answered(host, usage)
    assert (call.usage.output_tokens, call.usage.total, call.usage.reasoning_tokens) == (outputs, total, 7)


@pytest.mark.parametrize(
    ("host", "usage", "usd"),
    [
        ("openrouter.ai", {"cost": 0.25}, 0.25),
        ("openrouter.ai", {"cost": 0.25, "is_byok": False, "cost_details": {"upstream_inference_cost": 2.0}}, 0.25),
        ("openrouter.ai", {"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 2.0}}, 2.25),
        ("openrouter.ai", {"cost": 0.25, "is_byok": True}, 0.25),
        ("openrouter.ai", {"cost": -1}, None),
        ("api.x.ai", {"cost_in_usd_ticks": 25_000_000_000}, 2.5),
        ("api.perplexity.ai", {"cost": {"total_cost": 0.25}}, 0.25),
        ("api.deepinfra.com", {"estimated_cost": 0.25}, 0.25),
        ("api.openai.com", {"cost": 0.25, "estimated_cost": 0.25}, None),
    ],
)
def test_what_it_cost(host, usage, usd):
    """Where the host says so, in its own unit; with a key of one's own the upstream's bill is added."""
    assert answered(host, usage).reported_cost_usd == (None if usd is None else pytest.approx(usd))


@pytest.mark.parametrize(
    ("host", "name"),
    [("api.fireworks.ai", "asked"), ("dbc-1.cloud.databricks.com", "asked"), ("api.openai.com", None)],
)
def test_by_which_name_it_is_billed(host, name):
    """Fireworks' fast routers and Databricks' endpoints answer with the name of a base model, at another price."""
    assert answered(host, {}).price_model == name
    assert answered(host, {}, model=None).price_model is None


@pytest.mark.parametrize("asked", ["meta/llama", "meta/llama:fastest", "meta/llama:groq"])
def test_who_served_it_says_hugging_face(asked):
    """Its router chooses, where nobody is named, and names who it was."""
    body, answer = {"model": asked, "messages": [{"role": "user", "content": "Hi"}]}, {"model": "m", "choices": []}
    url, headers = "https://router.huggingface.co/v1/chat/completions", {"x-inference-provider": "cerebras"}
    one = Example("x", url, body, answer, {}, headers=headers).exchange()
    assert read(one).price_provider == "huggingface_cerebras"
    assert "x-inference-provider" in RESPONSE_HEADERS


@pytest.mark.parametrize("name", ["x-prompt-tokens", "x-generated-tokens", "x-compute-tokens"])
def test_headers_that_count(name):
    """Hugging Face's servers tell their counts nowhere else."""
    assert name in RESPONSE_HEADERS


@pytest.mark.parametrize("told", ["", "-1", "1.5", "\u0667", "7" * 30, "x"])
def test_a_header_that_counts_nothing(told):
    """What is no number of digits is no count."""
    body = {"inputs": "Hi", "parameters": {"max_new_tokens": 9}}
    one = Example("x", "http://h/generate", body, {"generated_text": "x"}, {}, headers={"x-prompt-tokens": told})
    assert read(one.exchange()).usage.input_tokens is None


@pytest.mark.parametrize(
    ("path", "asked", "seller"),
    [
        ("/v1/chat/completions", "meta/llama:groq", "huggingface_groq"),
        ("/v1/chat/completions", "meta/llama", None),
        *(("/v1/chat/completions", f"meta/llama:{policy}", None) for policy in ("fastest", "cheapest", "preferred")),
        ("/together/v1/chat/completions", "meta/llama:groq", "huggingface_together"),
        ("/together/v1/chat/completions", "meta/llama", "huggingface_together"),
    ],
)
def test_who_sells_on_hugging_face(path, asked, seller):
    """The path or the end of the model's id; a policy is no seller."""
    assert answered("router.huggingface.co", {}, asked=asked, path=path).price_provider == seller


@pytest.mark.parametrize(
    ("host", "usage", "expected"),
    [
        ("api.deepseek.com", {"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40}, (60, None)),
        ("api.moonshot.ai", {"cached_tokens": 60}, (60, None)),
        ("dbc-1.cloud.databricks.com", {"cache_read_input_tokens": 60, "cache_creation_input_tokens": 7}, (60, 7)),
        ("api.openai.com", {"prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 7}}, (60, 7)),
        ("api.openai.com", {"prompt_tokens_details": {"cached_tokens": 0}}, (0, None)),
        ("api.openai.com", {}, (None, None)),
    ],
)
def test_what_was_cached(host, usage, expected):
    """Each host's place for it; it is part of the input everywhere."""
    found = answered(host, usage).usage
    assert (found.cached_input_tokens, found.cache_write_tokens, found.input_tokens) == (*expected, 100)


def test_what_is_neither_text_nor_cache():
    """Audio, pictures, searches and citations, by the units in which they are priced."""
    inputs = {"audio_tokens": 1, "image_tokens": 2, "video_tokens": 3}
    outputs = {"audio_tokens": 4, "image_tokens": 5}
    usage = {"prompt_tokens_details": inputs, "completion_tokens_details": outputs}
    assert answered("api.openai.com", usage).usage.extra == {
        "input_audio_tokens": 1,
        "input_image_tokens": 2,
        "input_video_tokens": 3,
        "output_audio_tokens": 4,
        "output_image_tokens": 5,
    }
    searched = {"num_search_queries": 6, "citation_tokens": 7}
    extra = answered("api.perplexity.ai", searched).usage.extra
    assert extra == {"web_searches": 6, "output_citation_tokens": 7}


@pytest.mark.parametrize(
    ("timings", "counts"),
    [
        ({"cache_n": 4, "prompt_n": 3, "predicted_n": 5}, (7, 5, 4)),
        ({"cache_n": 0, "prompt_n": 3, "predicted_n": 5}, (3, 5, 0)),
        ({"prompt_n": 3, "predicted_n": 5}, (None, 5, None)),
        ("no object", (None, None, None)),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_timings_of_llama_cpp(timings, counts, streamed):
    """A stream of llama.cpp tells its counts unasked, beside no ``usage``: "prompt_n + cache_n + predicted_n".

    https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    """
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": streamed}
    chunks = [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hello"}}]},
        {"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "timings": timings},
        "[DONE]",
    ]
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}], "timings": timings}
    url = "http://localhost:8080/v1/chat/completions"
    example = Example("x", url, asked, chunks if streamed else whole, {}, kind="sse" if streamed else "json")
    usage = read(example.exchange()).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens) == counts


def test_usage_comes_before_timings():
    """What was asked for is the answer's own word."""
    assert answered("localhost", {}).usage.input_tokens == 100


@pytest.mark.parametrize(
    ("usage", "cached", "written"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 90}, 90, None),
        ({"prompt_tokens_details": {"cached_tokens": 7}, "cache_read_input_tokens": 90}, 7, None),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cache_read_input_tokens": 0}, 0, None),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, 0, None),
        ({"prompt_tokens_details": {"cache_creation_tokens": 0}, "cache_creation_input_tokens": 5}, None, 5),
        ({"prompt_tokens_details": {"cache_creation_tokens": 0}}, None, 0),
    ],
)
def test_a_cache_that_is_told_twice(usage, cached, written):
    """litellm#11364: ``cached_tokens: 0`` in the details, and what was read beside them."""
    told = answered("litellm.example", usage).usage
    assert (told.cached_input_tokens, told.cache_write_tokens) == (cached, written)
