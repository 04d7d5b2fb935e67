"""Bytes in, record out: each wire format by examples written from its documentation, whole and in pieces."""

import copy
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from amplitude_ai._models import LLMCall
from amplitude_ai.parsers._eventstream import eventstream_frames
from amplitude_ai.parsers._formats import FORMATS
from amplitude_ai.parsers._read import read
from amplitude_ai.parsers._router import route

from .fixtures import anthropic, google, hosts, more_hosts, oddities, openai, others, own_doors, seldom

EXAMPLES = [
    *openai.EXAMPLES,
    *anthropic.EXAMPLES,
    *google.EXAMPLES,
    *others.EXAMPLES,
    *hosts.EXAMPLES,
    *oddities.EXAMPLES,
    *more_hosts.EXAMPLES,
    *seldom.EXAMPLES,
    *own_doors.EXAMPLES,
]
STREAMS = [one for one in EXAMPLES if isinstance(one.answer, list) and one.kind != "json" and one.status < 400]
each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.name)
each_stream = pytest.mark.parametrize("example", STREAMS, ids=lambda one: one.name)
#: What the facts of an example are called, beside the dotted names of a call.
VIEWS = {
    "tools": lambda call: [(tool.name, tool.id, tool.arguments) for tool in call.tool_calls],
    "executed": lambda call: [tool.executed for tool in call.tool_calls],
    "kinds": lambda call: [tool.type for tool in call.tool_calls],
    "succeeded": lambda call: [tool.success for tool in call.tool_calls],
    "outcomes": lambda call: [tool.result for tool in call.tool_calls],
    "results": lambda call: [(result.id, result.content) for result in call.tool_results],
    "messages": lambda call: [(turn.role, turn.text) for turn in call.messages],
}


def fact(call, name):
    """One fact of a call."""
    if name in VIEWS:
        return VIEWS[name](call)
    value = call
    for part in name.split("."):
        value = getattr(value, part)
    return value


@each
def test_example(example):
    """Every fact of the example is read."""
    call = read(example.exchange())
    assert {name: fact(call, name) for name in example.expected} == example.expected
    assert call.parse_error is None
    if "error.type" not in example.expected and "error.message" not in example.expected:
        assert call.error is None


def where(example):
    """The route of an example."""
    host, _, path = example.url.partition("://")[2].partition("/")
    return route("POST", host.partition(":")[0], "/" + path.partition("?")[0])


def is_guess(example):
    """Whether the bodies must look like its format, so that damage may take the evidence away."""
    return where(example).guessed


def test_every_format_has_an_example():
    """No wire format is without one."""
    seen = {where(one).format for one in EXAMPLES}
    assert set(FORMATS) - seen == {"openai.audio", "cohere.embed"} - seen


def without_time(call):
    """A call as a dict, without when its tokens came."""
    return {name: getattr(call, name) for name in LLMCall.__dataclass_fields__ if name != "time_to_first_token_ms"}


@each_stream
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_any_split_is_the_same_record(example, seed):
    """Where the network cuts makes no difference, inside a character or a header either."""
    dice, body, chunks, at = random.Random(seed), example.body, [], 0
    while at < len(body):
        size = dice.choice((1, 2, 3, 10, 100))
        chunks.append(body[at : at + size])
        at += size
    assert without_time(read(example.exchange(chunks=chunks))) == without_time(read(example.exchange()))


@each_stream
@given(share=st.floats(0, 1, exclude_max=True))
@settings(max_examples=15, deadline=None)
def test_a_cut_stream_is_a_record_of_what_came(example, share):
    """Cut anywhere, the text is the beginning of the whole text, and the record does not claim to be complete."""
    whole = read(example.exchange())
    body = example.body[: int(len(example.body) * share)]
    call = read(example.exchange(body))
    assert (whole.output_text or "").startswith(call.output_text or "")
    assert {tool.name for tool in call.tool_calls} <= {tool.name for tool in whole.tool_calls}
    assert call.usage.input_tokens in (None, whole.usage.input_tokens)
    assert call.parse_error in (None, "Truncated")


def end_of_first_text(example):
    """Bytes of the body up to the end of the frame in which the answer begins; ``None`` where it is not to be seen."""
    marks = (b"Hm.", b"Hel", b"SGV")  # the last is base64's
    for count in range(1, len(example.answer) + 1):
        body = replace(example, answer=example.answer[:count]).body
        if any(mark in body for mark in marks):
            return len(body)
    return None


@pytest.mark.parametrize(
    "example",
    [one for one in STREAMS if b"Hm." not in one.body and (end_of_first_text(one) or len(one.body)) < len(one.body)],
    ids=lambda one: one.name,
)
def test_of_a_cut_stream_the_beginning_is_told(example):
    """Cut behind the frame in which the answer begins, there is some of it."""
    assert read(example.exchange(example.body[: end_of_first_text(example)])).output_text


HOSTILE = st.sampled_from(
    [
        None,
        True,
        -1,
        2**80,
        1e308,
        float("1e400"),
        "",
        "\ud800",
        "x" * 5000,
        [],
        {},
        [[]],
        [None],
        {"a": None},
        "NaN",
        0.5,
    ]
)


def places(value, path=()):
    """The path of every value inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def replaced(value, path, new):
    """A copy with one value replaced."""
    if not path:
        return new
    head, *rest = path
    if isinstance(value, tuple):
        return tuple(replaced(item, rest, new) if at == head else item for at, item in enumerate(value))
    value = copy.copy(value)
    value[head] = replaced(value[head], rest, new)
    return value


@each
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_hostile_values_do_no_harm(example, data):
    """Any value anywhere in request or answer may be anything: there is a record, and the parser needed no fence."""
    side = data.draw(st.sampled_from(["request", "answer"]))
    value = getattr(example, side)
    found = [path for path in places(value) if not (side == "answer" and _is_event_name(value, path))]
    assume(found[1:] or not isinstance(value, list))  # events whose values are bytes
    path = data.draw(st.sampled_from(found[1:] or found))
    new = replaced(value, path, data.draw(HOSTILE))
    mutated = type(example)(
        **{**{name: getattr(example, name) for name in example.__dataclass_fields__}, side: _encodable(new)}
    )
    call = read(mutated.exchange())
    if call is None and is_guess(example):
        return
    assert call is not None
    assert call.parse_error in (None, "RequestNotJSON", "ResponseNotJSON", "Truncated")
    for count in (call.usage.input_tokens, call.usage.output_tokens, call.usage.total_tokens):
        assert count is None or 0 <= count <= 2**60


def _is_event_name(value, path):
    """The name of a pair (event, value) frames the body, it is not in it; nor is the pair itself."""
    return isinstance(value, list) and len(path) in (1, 2) and isinstance(value[path[0]], tuple)


def _encodable(value):
    """JSON text cannot hold a lone surrogate or an infinity as Python writes them; the wire can hold the escape."""
    if isinstance(value, str):
        return value.replace("\ud800", "\\ud800")
    if isinstance(value, dict):
        return {name: _encodable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_encodable(item) for item in value)
    return value


@each
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_damaged_bytes_do_no_harm(example, data):
    """Bytes flipped, lost or put in anywhere: a record all the same."""
    body = bytearray(example.body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(body) - 1, 0)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    assert read(example.exchange(bytes(body))) is not None or is_guess(example)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_stream(data):
    """The frame reader of AWS takes anything."""
    assert list(eventstream_frames(data)) == [] or len(data) >= 16


def test_a_damaged_message_ends_the_stream():
    """A wrong sum means that no length after it can be trusted: what came before stands."""
    example = next(one for one in others.EXAMPLES if one.name == "converse, streamed")
    body = bytearray(example.body)
    whole = list(eventstream_frames(bytes(body)))
    second = whole[0].end
    body[second + 20] ^= 0xFF
    assert list(eventstream_frames(bytes(body))) == whole[:1]


@pytest.mark.parametrize("example", more_hosts.PARTS, ids=lambda one: one.name)
def test_an_answer_of_one_object_has_no_first_token(example):
    """In whatever parts it comes: no time of it is made up."""
    assert read(example.exchange()).time_to_first_token_ms is None


@pytest.mark.parametrize(
    "example",
    [one for one in STREAMS if one.expected.get("output_text") and one not in more_hosts.PARTS],
    ids=lambda one: one.name,
)
def test_the_first_token_is_dated(example):
    """The time to first token is that of the chunk with the first generated content, not of the first chunk."""
    body = example.body
    step = len(body) // 60 + 1  # later than the 64th chunk there is no clock
    call = read(example.exchange(chunks=[body[at : at + step] for at in range(0, len(body), step)]))
    first = min((body.find(mark) for mark in (b"Hm.", b"Hel", b"SGV") if mark in body), default=0)
    last = (end_of_first_text(example) or len(body)) - 1
    assert first // step < call.time_to_first_token_ms * 1e6 <= last // step + 1


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:countTokens"),
        ("POST", "https://api.openai.com/v1/files"),
        ("GET", "https://api.openai.com/v1/models"),
        ("POST", "https://api.openai.com/v1/batches"),
        ("POST", "https://api.openai.com/v1/responses/input_tokens"),
        ("POST", "https://api.cohere.com/v1/tokenize"),
        ("GET", "https://api.openai.com/v1/chat/completions"),
        ("POST", "https://example.com/v1/messages/archive"),
    ],
)
def test_what_is_no_model_call_has_no_route(method, url):
    """Counting, files, models and batches are not calls of a model."""
    host, _, path = url.partition("://")[2].partition("/")
    assert route(method, host, "/" + path) is None


@pytest.mark.parametrize(
    ("url", "model", "provider"),
    [
        ("https://gateway.ai.cloudflare.com/v1/acct/gw/openai/chat/completions", "gpt-4o", "openai"),
        ("https://gateway.ai.cloudflare.com/v1/acct/gw/groq/chat/completions", "llama", "groq"),
        ("https://gateway.ai.cloudflare.com/v1/acct/gw/compat/chat/completions", "anthropic/claude", "anthropic"),
        ("https://ai-gateway.vercel.sh/v1/chat/completions", "xai/grok-4", "xai"),
        ("https://oai.helicone.ai/v1/chat/completions", "gpt-4o", "openai"),
        ("https://api.portkey.ai/v1/chat/completions", "@openai/gpt-4o", "openai"),
        ("https://api.portkey.ai/v1/chat/completions", "gpt-4o", "portkey"),
        ("https://openrouter.ai/api/v1/chat/completions", "openai/gpt-4o", "openrouter"),
    ],
)
def test_gateways(url, model, provider):
    """Who answered is the provider, who was called the host; OpenRouter sells and bills itself."""
    answer = {"model": model, "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    example = openai.Example("gateway", url, {"model": model, "messages": []}, answer, {})
    call = read(example.exchange())
    assert (call.provider, call.host) == (provider, url.split("/")[2])


@pytest.mark.parametrize(
    ("url", "provider", "wire"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai", "openai.chat"),
        ("https://acme.openai.azure.com/openai/deployments/d/chat/completions", "azure", "openai.chat"),
        ("https://acme.services.ai.azure.com/anthropic/v1/messages", "azure", "anthropic.messages"),
        ("https://api.anthropic.com/v1/messages", "anthropic", "anthropic.messages"),
        ("https://generativelanguage.googleapis.com/v1beta/models/g:generateContent", "google", "google.generate"),
        (
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google/models/g:generateContent",
            "vertex",
            "google.generate",
        ),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse", "bedrock", "bedrock.converse"),
        ("https://api.groq.com/openai/v1/chat/completions", "groq", "openai.chat"),
        ("https://api.deepseek.com/chat/completions", "deepseek", "openai.chat"),
        ("https://api.x.ai/v1/chat/completions", "xai", "openai.chat"),
        ("https://openrouter.ai/api/v1/chat/completions", "openrouter", "openai.chat"),
        ("https://api.perplexity.ai/chat/completions", "perplexity", "openai.chat"),
        ("https://api.mistral.ai/v1/chat/completions", "mistral", "openai.chat"),
        ("https://api.cohere.com/v2/chat", "cohere", "cohere.chat"),
        ("https://api.together.xyz/v1/chat/completions", "together", "openai.chat"),
        ("https://api.fireworks.ai/inference/v1/chat/completions", "fireworks", "openai.chat"),
        ("https://api.cerebras.ai/v1/chat/completions", "cerebras", "openai.chat"),
        ("https://router.huggingface.co/v1/chat/completions", "huggingface", "openai.chat"),
        ("https://models.github.ai/inference/chat/completions", "github", "openai.chat"),
        ("https://integrate.api.nvidia.com/v1/chat/completions", "nvidia", "openai.chat"),
        ("https://dbc-1.cloud.databricks.com/serving-endpoints/e/invocations", "databricks", "databricks.invoke"),
        ("https://a-b.snowflakecomputing.com/api/v2/cortex/inference:complete", "snowflake", "openai.chat"),
        ("https://api.z.ai/api/paas/v4/chat/completions", "zai", "openai.chat"),
        ("https://api.moonshot.ai/v1/chat/completions", "moonshot", "openai.chat"),
        ("https://ai-gateway.vercel.sh/v1/chat/completions", "vercel", "openai.chat"),
        ("http://localhost:11434/api/chat", "ollama", "ollama.chat"),
        ("http://localhost:8000/v1/messages", "anthropic", "anthropic.messages"),
        ("https://llm.acme.example/v1/chat/completions", "openai", "openai.chat"),
    ],
)
def test_hosts_and_paths(url, provider, wire):
    """The path names the format, the host who answered; a host nobody knows speaks for its format's owner."""
    host, _, path = url.partition("://")[2].partition("/")
    found = route("POST", host.partition(":")[0], "/" + path)
    assert (found.provider, found.format) == (provider, wire)
