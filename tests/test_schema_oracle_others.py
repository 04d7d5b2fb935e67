"""More of the providers' own response types, read as they say: streams, smaller endpoints, copies of OpenAI's API.

SDKs that are not installed are skipped; ``groq``, ``together``, ``cerebras`` and ``llama_api_client`` are nobody's
dependency here.
"""

import random
import typing

import pytest

from .schema import Builder
from .test_schema_oracle import bedrock, bodies, loaded, own_tools, seeds, streams, told

COHERE = "https://api.cohere.com"
MISTRAL = "https://api.mistral.ai/v1"
whole = lambda b, _: b.dice.choice((0, 1, 7, 100))  # noqa: E731
none = lambda b, _: None  # noqa: E731
nothing = lambda b, _: 0  # noqa: E731
COUNTS = dict.fromkeys(
    ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "search_units", "image_tokens"), whole
)


def total(*counts):
    """Their sum; nothing of nothing."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def cohere_usage(reported):
    """Tokens that were read and written; the billed ones where no others are told."""
    reported = reported or {}
    return reported.get("tokens") or reported.get("billed_units") or {}


def cohere_stream(builder, message, usage, finish):
    """The events that a v2 answer would have come in."""
    yield "message-start", {"type": "message-start", "id": "m1", "delta": {"message": {"role": "assistant"}}}
    for piece in builder.pieces(message.get("tool_plan") or ""):
        yield "tool-plan-delta", {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
    for index, part in enumerate(message.get("content") or ()):
        name = part["type"]
        opened = {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": name, name: ""}}}}
        yield "content-start", opened
        for piece in builder.pieces(part[name]):
            delta = {"message": {"content": {name: piece}}}
            yield "content-delta", {"type": "content-delta", "index": index, "delta": delta}
        yield "content-end", {"type": "content-end", "index": index}
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or {}
        head = {**call, "function": {**function, "arguments": ""}}
        start = {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": head}}}
        yield "tool-call-start", start
        for piece in builder.pieces(function.get("arguments") or ""):
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield "tool-call-delta", {"type": "tool-call-delta", "index": index, "delta": delta}
        yield "tool-call-end", {"type": "tool-call-end", "index": index}
    yield "message-end", {"type": "message-end", "delta": {"finish_reason": finish, "usage": usage}}


@seeds
@streams
def test_cohere_stream(seed):
    """A v2 chat, event by event."""
    cohere = pytest.importorskip("cohere")
    finish = lambda b, _: b.dice.choice(("COMPLETE", "TOOL_CALL", "MAX_TOKENS"))  # noqa: E731
    builder = Builder(
        random.Random(seed),
        COUNTS | {"arguments": lambda b, _: b.arguments(), "finish_reason": finish, "logprobs": none},
    )
    body = builder.model(cohere.V2ChatResponse)
    message, usage = body["message"], body.get("usage")
    call = told(f"{COHERE}/v2/chat", list(cohere_stream(builder, message, usage, body["finish_reason"])), "sse")
    counted = cohere_usage(usage)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (
        counted.get("input_tokens"),
        counted.get("output_tokens"),
    )
    texts = [part["text"] for part in message.get("content") or () if part["type"] == "text"]
    assert (call.output_text or "") == "".join(texts)
    functions = [one.get("function") or {} for one in message.get("tool_calls") or ()]
    tools = [(one["name"], loaded(one.get("arguments") or "")) for one in functions if one.get("name")]
    assert [(name, made or {}) for name, made in own_tools(call)] == tools
    assert (call.finish_reason, call.response_id, call.complete) == (body["finish_reason"], "m1", True)


@seeds
@bodies
def test_cohere_v1(seed):
    """The chat of the first API."""
    cohere = pytest.importorskip("cohere")
    body = Builder(random.Random(seed), COUNTS).model(cohere.NonStreamedChatResponse)
    call = told(f"{COHERE}/v1/chat", body, request={"model": "command", "message": "Hi"})
    counted = cohere_usage(body.get("meta"))
    assert (call.output_text or "") == (body.get("text") or "")
    assert own_tools(call) == [(one["name"], one["parameters"]) for one in body.get("tool_calls") or () if one["name"]]
    assert (call.usage.input_tokens, call.usage.output_tokens) == (
        counted.get("input_tokens"),
        counted.get("output_tokens"),
    )


SMALL = {
    "v2/embed": ("EmbedByTypeResponse", {"texts": ["Hi"], "model": "m"}),
    "v2/rerank": ("V2RerankResponse", {"query": "Hi", "documents": ["a"], "model": "m"}),
    "v1/rerank": ("RerankResponse", {"query": "Hi", "documents": ["a"], "model": "m"}),
    "v1/classify": ("ClassifyResponse", {"inputs": ["Hi"], "model": "m"}),
    "v1/summarize": ("SummarizeResponse", {"text": "Hi", "model": "m"}),
    "v1/generate": ("Generation", {"prompt": "Hi", "model": "m"}),
}


@pytest.mark.parametrize("path", SMALL)
@seeds
@streams
def test_cohere_others(path, seed):
    """The smaller endpoints: counts, ids, texts."""
    cohere = pytest.importorskip("cohere")
    name, asked = SMALL[path]
    body = Builder(random.Random(seed), COUNTS).model(getattr(cohere, name))
    call = told(f"{COHERE}/{path}", body, request=asked)
    counted = cohere_usage(body.get("meta"))
    assert (call.usage.input_tokens, call.usage.output_tokens) == (
        counted.get("input_tokens"),
        counted.get("output_tokens"),
    )
    units = ((body.get("meta") or {}).get("billed_units") or {}).get("search_units")
    assert call.usage.extra.get("rerank_searches") == (units or None)
    assert (call.response_id or "") == (body.get("id") or "")
    texts = {"v1/summarize": lambda: body.get("summary"), "v1/generate": lambda: first(body["generations"], "text")}
    assert (call.output_text or "") == (texts.get(path, lambda: None)() or "")


def first(items, name):
    """A member of the first one."""
    return items[0][name] if items else None


def mistral_builder(seed, **more):
    """Values of Mistral's models."""
    overrides = {"arguments": lambda b, _: b.arguments(), "index": nothing, **more}
    return pytest.importorskip("mistralai.client.models"), Builder(random.Random(seed), overrides)


def counts_of(call):
    """What was read and written."""
    return call.usage.input_tokens, call.usage.output_tokens


@seeds
@bodies
def test_mistral_conversation(seed):
    """A conversation of any entries."""
    models, builder = mistral_builder(seed)
    body = builder.model(models.ConversationResponse)
    call = told(f"{MISTRAL}/conversations", body, request={"model": "m", "inputs": "Hi"})
    usage, outputs = body["usage"], body["outputs"]
    texts = []
    for entry in outputs:
        if entry.get("type") == "message.output":
            content = entry["content"]
            chunks = [] if isinstance(content, str) else content
            texts.append(content if isinstance(content, str) else "")
            texts += [one["text"] for one in chunks if one.get("type", "text") == "text" and "text" in one]
    assert (call.output_text or "") == "".join(texts)
    assert counts_of(call) == (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    asked = [(one["name"], loaded(one["arguments"])) for one in outputs if one.get("type") == "function.call"]
    assert own_tools(call) == [one for one in asked if one[0]]
    assert (call.response_id or "") == body["conversation_id"]


@seeds
@streams
def test_mistral_stream(seed):
    """Chunks of a chat, contents in pieces, whole tool calls, the counts in the last."""
    ended = lambda b, _: b.dice.choice(("stop", "length", "tool_calls"))  # noqa: E731
    models, builder = mistral_builder(seed, id=lambda b, _: "x", finish_reason=ended)
    body = builder.model(models.ChatCompletionResponse)
    choice = next(iter(body["choices"]), None)
    if choice is None:
        return
    message, top = choice.get("message") or {}, {"id": "c1", "model": body["model"]}
    content = message.get("content") or ""
    parts = [] if isinstance(content, str) else [one for one in content if one.get("type", "text") == "text"]
    text = content if isinstance(content, str) else "".join(one.get("text", "") for one in parts)
    calls = [
        {**one, "index": index, "id": f"t{index}"}
        for index, one in enumerate(message.get("tool_calls") or ())
        if one["function"]["name"]
    ]
    deltas = [{"content": piece} for piece in builder.pieces(text)] + ([{"tool_calls": calls}] if calls else [])
    chunks = [{**top, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {"index": 0, "delta": {"content": ""}, "finish_reason": choice["finish_reason"]}
    chunks.append({**top, "choices": [last], "usage": body["usage"]})
    for chunk in chunks:
        models.CompletionChunk.model_validate(chunk)
    call = told(f"{MISTRAL}/chat/completions", [*chunks, "[DONE]"], "sse")
    assert (call.output_text or "") == text
    assert own_tools(call) == [(one["function"]["name"], loaded_or_made(one["function"]["arguments"])) for one in calls]
    assert counts_of(call) == (body["usage"].get("prompt_tokens"), body["usage"].get("completion_tokens"))
    assert call.finish_reason == choice["finish_reason"]


def loaded_or_made(arguments):
    """Mistral's arguments are a text or the object itself."""
    return loaded(arguments) if isinstance(arguments, str) else arguments


MISTRALS = {
    "ocr": ("OCRResponse", {"document": {"document_url": "https://x.example"}}),
    "embeddings": ("EmbeddingResponse", {"input": ["Hi"]}),
    "audio/transcriptions": ("TranscriptionResponse", {}),
    "fim/completions": ("FIMCompletionResponse", {"prompt": "Hi"}),
    "moderations": ("ModerationResponse", {"input": ["Hi"]}),
    "classifications": ("ClassificationResponse", {"input": ["Hi"]}),
}


@pytest.mark.parametrize("path", MISTRALS)
@seeds
@streams
def test_mistral_others(path, seed):
    """The smaller endpoints: models, counts, texts, pages, seconds."""
    name, asked = MISTRALS[path]
    models, builder = mistral_builder(seed, tool_calls=none)
    body = builder.model(getattr(models, name))
    if body.get("choices"):
        body["choices"] = body["choices"][:1]
    call = told(f"{MISTRAL}/{path}", body, request={"model": "m", **asked})
    usage = body.get("usage") or {}
    assert call.model == body["model"]
    read, wrote = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if path == "embeddings" and read is None and not wrote:
        read = usage.get("total_tokens")  # nothing is written
    assert counts_of(call) == (read, wrote)
    if path == "ocr":
        assert (call.output_text or "") == "\n\n".join(page["markdown"] for page in body["pages"])
        assert call.usage.extra.get("input_document_pages") == (body["usage_info"]["pages_processed"] or None)
    if path == "audio/transcriptions":
        assert call.output_text == body["text"]
        assert call.usage.extra.get("input_audio_seconds") == usage.get("prompt_audio_seconds")


@seeds
@bodies
def test_openai_runs(seed):
    """A run of an assistant, with what it waits for."""
    kind = pytest.importorskip("openai.types.beta.threads").Run
    ended = lambda b, _: b.dice.choice(("completed", "requires_action", "failed", "incomplete"))  # noqa: E731
    builder = Builder(random.Random(seed), {"arguments": lambda b, _: b.arguments(), "status": ended})
    body = builder.model(kind)
    call = told("https://api.openai.com/v1/threads/t/runs", body, request={"assistant_id": "a"})
    usage = body.get("usage") or {}
    assert counts_of(call) == (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    wanted = ((body.get("required_action") or {}).get("submit_tool_outputs") or {}).get("tool_calls") or ()
    tools = [(one["function"]["name"], loaded(one["function"]["arguments"])) for one in wanted]
    assert own_tools(call) == [one for one in tools if one[0]]
    failure = body.get("last_error")
    assert (call.error is None) == (failure is None)
    assert call.model == body["model"]


def item_events(builder, index, item):
    """The events of one output item, its text and arguments in pieces."""
    place = {"output_index": index, "item_id": item.get("id")}
    kind = item["type"]
    bare = {**item, "content": []} if kind == "message" else {**item, "arguments": ""} if "arguments" in item else item
    yield {"type": "response.output_item.added", **place, "item": bare}
    if kind == "message":
        for at, part in enumerate(item["content"]):
            name, field = ("output_text", "text") if part["type"] == "output_text" else ("refusal", "refusal")
            for piece in builder.pieces(part[field]):
                yield {"type": f"response.{name}.delta", **place, "content_index": at, "delta": piece}
    elif kind == "function_call":
        for piece in builder.pieces(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    elif kind == "custom_tool_call":
        for piece in builder.pieces(item["input"]):
            yield {"type": "response.custom_tool_call_input.delta", **place, "delta": piece}


@pytest.mark.parametrize("done", [False, True], ids=["cut before the items' ends", "cut before the end"])
@seeds
@streams
def test_openai_responses_cut(done, seed):
    """Of a stream without its last event the items are what their deltas made, or their ends say."""
    types = pytest.importorskip("openai.types.responses")
    builder = Builder(random.Random(seed), {"arguments": lambda b, _: b.arguments(), "input": lambda b, _: b.text()})
    item_types = (types.ResponseOutputMessage, types.ResponseFunctionToolCall, types.ResponseCustomToolCall)
    items = [builder.model(builder.dice.choice(item_types)) for _ in range(builder.dice.choice((1, 2, 3)))]
    events = [
        {"type": "response.created", "response": {"id": "r1", "model": "m", "output": [], "status": "in_progress"}}
    ]
    for index, item in enumerate(items):
        events += item_events(builder, index, item)
        if done:
            events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    asked = {"model": "m", "input": "Hi", "stream": True}
    call = told("https://api.openai.com/v1/responses", [(one["type"], one) for one in events], "sse", asked)
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    texts = "".join(part["text"] for part in parts if part["type"] == "output_text")
    refusals = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
    tools = [
        (item["name"], loaded(item["arguments"]) if item["type"] == "function_call" else item["input"])
        for item in items
        if item["type"] != "message" and item["name"]
    ]
    assert (call.output_text or "") == (texts or refusals)
    assert [(tool.name, tool.arguments) for tool in call.tool_calls] == tools
    assert (call.complete, call.usage_complete, call.finish_reason) == (False, None, None)


@seeds
@bodies
def test_bedrock_knowledge_base(seed):
    """RetrieveAndGenerate's output, of any members."""
    session = pytest.importorskip("botocore.session").get_session()
    model = session.get_service_model("bedrock-agent-runtime")
    shapes, _ = bedrock(random.Random(seed))
    body = shapes.build(model.operation_model("RetrieveAndGenerate").output_shape)
    url = "https://bedrock-agent-runtime.us-east-1.amazonaws.com/retrieveAndGenerate"
    call = told(url, body, request={"input": {"text": "Hi"}})
    assert (call.output_text or "") == (body.get("output") or {}).get("text", "")
    assert call.finish_reason == body.get("guardrailAction")


def copies(module, name, host):
    """One of the SDKs generated from an OpenAI-like specification."""
    return pytest.param(module, name, host, id=module.partition(".")[0])


@pytest.mark.parametrize(
    ("module", "name", "url"),
    [
        copies("groq.types.chat", "ChatCompletion", "https://api.groq.com/openai/v1/chat/completions"),
        copies("together.types.chat", "ChatCompletion", "https://api.together.xyz/v1/chat/completions"),
        copies("cerebras.cloud.sdk.types.chat", "ChatCompletion", "https://api.cerebras.ai/v1/chat/completions"),
        copies("writerai.types", "ChatCompletion", "https://api.writer.com/v1/chat"),
        copies("perplexity.types", "StreamChunk", "https://api.perplexity.ai/chat/completions"),
    ],
)
@seeds
@bodies
def test_copies_of_openais_chat(module, name, url, seed):
    """Bodies by their own types: texts, tools and counts are where OpenAI has them."""
    kind = getattr(pytest.importorskip(module), name, None)
    if kind is None:
        pytest.skip(f"no {name} in {module}")
    builder = Builder(random.Random(seed), {"arguments": lambda b, _: b.arguments(), "index": nothing, "cost": none})
    body = builder.model(next(iter(typing.get_args(kind)), kind))  # Cerebras: an answer, a chunk, or an error
    if not body.get("choices"):
        return
    body["choices"] = body["choices"][:1]
    message, usage = body["choices"][0].get("message") or {}, body.get("usage") or {}
    call = told(url, body)
    content = message.get("content")
    if isinstance(content, str) and content:
        assert call.output_text == content
    calls = message.get("tool_calls") or ()
    functions = [one.get("function") or {} for one in (*calls, {"function": message.get("function_call")})]
    tools = [(one.get("name"), loaded(one.get("arguments") or "")) for one in functions]
    assert own_tools(call) == [one for one in tools if one[0]]
    assert call.usage.input_tokens == usage.get("prompt_tokens")
    left_out = (
        sum(usage.get(name) or 0 for name in ("reasoning_tokens", "citation_tokens")) if "perplexity" in url else 0
    )
    written = usage.get("completion_tokens")
    assert call.usage.output_tokens == (written if written is None else written + left_out)
