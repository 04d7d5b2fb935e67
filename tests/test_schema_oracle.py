"""Bodies built from the providers' own response types, read by us and by the provider's SDK: both must say the same."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplitude_ai.parsers._read import read

from .fixtures._wire import Example
from .schema import Builder

TURNS = [{"role": "user", "content": "Hi"}]
bodies = settings(max_examples=150, deadline=None)
streams = settings(max_examples=60, deadline=None)
seeds = given(st.integers(0, 2**32))


def told(url, answer, kind="json", request=None):
    """The call that an answer is read as; the parser must need no fence."""
    body = request or {"model": "m", "messages": TURNS, "stream": kind != "json"}
    call = read(Example("x", url, body, answer, {}, kind=kind).exchange())
    assert call.parse_error is None
    return call


def loaded(text):
    """Arguments as a value."""
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, AttributeError):
        return text


def own_tools(call):
    """The caller's tools: (name, arguments)."""
    return [(tool.name, tool.arguments) for tool in call.tool_calls if not tool.executed]


CHAT = "https://api.openai.com/v1/chat/completions"


def chat_facts(completion):
    """What openai's object says."""
    choice = min(completion.choices, key=lambda one: one.index) if completion.choices else None
    usage = completion.usage
    inputs, outputs = (usage and usage.prompt_tokens_details), (usage and usage.completion_tokens_details)
    message = choice.message if choice else None
    tools = [
        (one.function.name, loaded(one.function.arguments))
        if one.type == "function"
        else (one.custom.name, one.custom.input)
        for one in (message and message.tool_calls) or ()
    ]
    return {
        "model": completion.model,
        "response_id": completion.id or None,
        "input_tokens": usage and usage.prompt_tokens,
        "output_tokens": usage and usage.completion_tokens,
        "cached_input_tokens": inputs and inputs.cached_tokens,
        "reasoning_tokens": outputs and outputs.reasoning_tokens,
        "output_text": (message and (message.content or message.refusal)) or "",
        "tools": [one for one in tools if one[0]],
        "finish_reason": choice and choice.finish_reason,
    }


def facts(call, expected):
    """The same of a call of ours."""
    seen = {name: getattr(call, name, None) or getattr(call.usage, name, None) for name in expected}
    for name in ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens"):
        if name in expected:
            seen[name] = getattr(call.usage, name)
    seen["model"] = call.model
    seen["output_text"] = call.output_text or ""
    if "tools" in expected:
        seen["tools"] = own_tools(call)
    return seen


def chat_body(dice):
    """A chat completion; what no call of ours would have is left out: audio, the function call of old."""
    none = lambda builder, depth: None  # noqa: E731
    builder = Builder(
        dice, {"arguments": lambda b, _: b.arguments(), "audio": none, "function_call": none, "service_tier": none}
    )
    openai_types = pytest.importorskip("openai.types.chat")
    return builder, builder.model(openai_types.ChatCompletion)


@seeds
@bodies
def test_openai_chat(seed):
    """A chat completion of any fields."""
    openai_types = pytest.importorskip("openai.types.chat")
    _, body = chat_body(random.Random(seed))
    expected = chat_facts(openai_types.ChatCompletion.construct(**body))
    assert facts(told(CHAT, body), expected) == expected


def chat_chunks(builder, body):
    """The chunks that a completion would have come in."""
    top = {"id": body["id"], "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    for position, choice in enumerate(body["choices"]):
        message = choice["message"]
        deltas = [{"role": "assistant"}]
        deltas += [{"content": piece} for piece in builder.pieces(message.get("content") or "")]
        deltas += [{"refusal": piece} for piece in builder.pieces(message.get("refusal") or "")]
        for index, call in enumerate(message.get("tool_calls") or ()):
            if call["type"] != "function":
                continue
            head = {"name": call["function"]["name"], "arguments": ""}
            deltas.append({"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": head}]})
            for piece in builder.pieces(call["function"]["arguments"]):
                deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        for delta in deltas:
            yield {**top, "choices": [{"index": position, "delta": delta, "finish_reason": None}]}
        yield {**top, "choices": [{"index": position, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if body.get("usage"):
        yield {**top, "choices": [], "usage": body["usage"]}


@seeds
@streams
def test_openai_chat_stream(seed):
    """The same in chunks, put together by openai's own accumulator."""
    openai = pytest.importorskip("openai")
    streaming = pytest.importorskip("openai.lib.streaming.chat")
    chunk_type = pytest.importorskip("openai.types.chat").ChatCompletionChunk
    builder, body = chat_body(random.Random(seed))
    for choice in body["choices"]:
        calls = [one for one in choice["message"].get("tool_calls") or () if one["type"] == "function"]
        for number, one in enumerate(calls):
            one["id"], one["function"]["name"] = f"call_{number}", one["function"]["name"] or "look"
        choice["message"]["tool_calls"] = calls
        choice["finish_reason"] = "tool_calls" if calls else "stop"  # openai's raises for a length
    chunks = list(chat_chunks(builder, body))
    state = streaming.ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk_type.construct(**chunk))
    if not body["choices"]:
        return
    assert openai
    expected = chat_facts(state.get_final_completion())
    assert facts(told(CHAT, [*chunks, "[DONE]"], "sse"), expected) == expected


RESPONSES = "https://api.openai.com/v1/responses"
FAILED = "failed"


def response_body(dice):
    """A response of any items."""
    types = pytest.importorskip("openai.types.responses")
    none = lambda builder, depth: None  # noqa: E731
    builder = Builder(dice, {"arguments": lambda b, _: b.arguments(), "error": none, "instructions": none})
    body = builder.model(types.Response)
    return builder, {**body, "status": dice.choice(("completed", "incomplete"))}


def response_facts(response):
    """What openai's object says."""
    usage = response.usage
    tools = [
        (item.name, loaded(item.arguments) if item.type == "function_call" else item.input)
        for item in response.output
        if item.type in ("function_call", "custom_tool_call") and item.name
    ]
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    refusals = "".join(part.refusal for part in parts if part.type == "refusal")
    return {
        "model": response.model,
        "response_id": response.id or None,
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cached_input_tokens": usage and usage.input_tokens_details.cached_tokens,
        "reasoning_tokens": usage and usage.output_tokens_details.reasoning_tokens,
        "output_text": response.output_text or refusals,
        "tools": tools,
    }


def response_view(call, expected):
    """The same of a call of ours."""
    seen = facts(call, expected)
    seen["tools"] = [(t.name, t.arguments) for t in call.tool_calls if t.type == "function"]
    return seen


@seeds
@bodies
def test_openai_responses(seed):
    """A response of any fields and items."""
    types = pytest.importorskip("openai.types.responses")
    _, body = response_body(random.Random(seed))
    expected = response_facts(types.Response.construct(**body))
    call = told(RESPONSES, body, request={"model": "m", "input": "Hi"})
    assert response_view(call, expected) == expected


@seeds
@streams
def test_openai_responses_stream(seed):
    """The same in a stream, whose last event holds it."""
    types = pytest.importorskip("openai.types.responses")
    _, body = response_body(random.Random(seed))
    expected = response_facts(types.Response.construct(**body))
    events = [
        ("response.created", {"type": "response.created", "response": {**body, "output": [], "usage": None}}),
        ("response.completed", {"type": "response.completed", "response": body}),
    ]
    call = told(RESPONSES, events, "sse", {"model": "m", "input": "Hi", "stream": True})
    assert response_view(call, expected) == expected


CLAUDE = "https://api.anthropic.com/v1/messages"


def claude_body(dice, beta):
    """A message of any blocks."""
    types = pytest.importorskip("anthropic.types.beta" if beta else "anthropic.types")
    builder = Builder(dice, {"iterations": lambda b, _: None})
    body = builder.model(types.BetaMessage if beta else types.Message)
    for block in body["content"]:
        if block["type"].endswith("tool_use"):
            block["input"] = loaded(builder.arguments())
    return builder, body, types.BetaMessage if beta else types.Message


def claude_facts(message):
    """What anthropic's object says; its counts are added as its documentation has it."""
    usage = message.usage
    cached = [n for n in (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) if n is not None]
    thinking = getattr(getattr(usage, "output_tokens_details", None), "thinking_tokens", None)
    return {
        "model": message.model or None,
        "response_id": message.id or None,
        "input_tokens": usage.input_tokens + sum(cached),
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cache_read_input_tokens,
        "cache_write_tokens": usage.cache_creation_input_tokens,
        "reasoning_tokens": thinking,
        "output_text": "".join(block.text for block in message.content if block.type == "text"),
        "tools": [(block.name, block.input) for block in message.content if block.type == "tool_use" and block.name],
        "finish_reason": message.stop_reason,
    }


@pytest.mark.parametrize("beta", [False, True], ids=["", "beta"])
@seeds
@bodies
def test_anthropic(beta, seed):
    """A message of any fields and blocks."""
    _, body, kind = claude_body(random.Random(seed), beta)
    expected = claude_facts(kind.construct(**body))
    assert facts(told(CLAUDE, body), expected) == expected


def claude_events(builder, body):
    """The events that a message would have come in."""
    usage = body["usage"]
    start = {**usage, "output_tokens": min(usage["output_tokens"], 1)}
    yield {"type": "message_start", "message": {**body, "content": [], "stop_reason": None, "usage": start}}
    for index, block in enumerate(body["content"]):
        if block["type"] == "text":
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "text": ""}}
            for piece in builder.pieces(block["text"]):
                yield {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": piece}}
        elif block["type"] in ("tool_use", "server_tool_use"):
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}
            for piece in builder.pieces(json.dumps(block["input"]) if block["input"] else ""):
                delta = {"type": "input_json_delta", "partial_json": piece}
                yield {"type": "content_block_delta", "index": index, "delta": delta}
        else:
            yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": body.get("stop_reason"), "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


@seeds
@streams
def test_anthropic_stream(seed):
    """The same in events, put together by anthropic's own accumulator."""
    streaming = pytest.importorskip("anthropic.lib.streaming._messages")
    event_type = pytest.importorskip("anthropic.types").RawMessageStreamEvent
    from pydantic import TypeAdapter

    builder, body, _ = claude_body(random.Random(seed), beta=False)
    events = list(claude_events(builder, body))
    snapshot, cut = None, {}
    for event in events:
        made = TypeAdapter(event_type).validate_python(event)
        snapshot = streaming.accumulate_event(event=made, current_snapshot=snapshot, json_bufs=cut)
    expected = claude_facts(snapshot)
    assert facts(told(CLAUDE, [(event["type"], event) for event in events], "sse"), expected) == expected


GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/m:"
ASKED = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def gemini_body(dice):
    """A response of any parts."""
    types = pytest.importorskip("google.genai.types")
    none = lambda builder, depth: None  # noqa: E731
    names = (
        "sdk_http_response",
        "parsed",
        "automatic_function_calling_history",
        "will_continue",
        "partial_args",
        "media_resolution",
    )
    overrides = dict.fromkeys(names, none) | {"index": none, "args": lambda b, _: loaded(b.arguments())}
    builder = Builder(dice, overrides, depth=8)
    body = builder.model(types.GenerateContentResponse)
    for candidate in body.get("candidates") or ():
        content = candidate.get("content")
        for position, part in enumerate((content and content.get("parts")) or ()):
            kept = builder.dice.choice(("text", "functionCall", "executableCode", "inlineData"))
            content["parts"][position] = {k: v for k, v in part.items() if k in (kept, "thought")}
    return builder, body, types


def gemini_facts(responses):
    """What google-genai's objects say: texts and calls of all, the counts and words of the last that has them."""
    last = next((one.usage_metadata for one in reversed(responses) if one.usage_metadata), None)
    count = lambda *names: [n for n in (getattr(last, name, None) for name in names) if n is not None]  # noqa: E731
    first = [one.candidates[0] for one in responses if one.candidates]
    parts = [part for one in first if one.content for part in one.content.parts or ()]
    total = lambda found: sum(found) if found else None  # noqa: E731
    return {
        "input_tokens": total(count("prompt_token_count", "tool_use_prompt_token_count")),
        "output_tokens": total(count("candidates_token_count", "thoughts_token_count")),
        "cached_input_tokens": getattr(last, "cached_content_token_count", None),
        "reasoning_tokens": getattr(last, "thoughts_token_count", None),
        "output_text": "".join(part.text for part in parts if part.text and not part.thought),
        "tools": [
            (part.function_call.name, part.function_call.args)
            for part in parts
            if part.function_call and part.function_call.name
        ],
    }


def gemini_view(call, expected):
    """The same of a call of ours."""
    seen = facts(call, expected)
    del seen["model"]
    return seen


@seeds
@bodies
def test_gemini(seed):
    """A response of any fields and parts."""
    _, body, types = gemini_body(random.Random(seed))
    expected = gemini_facts([types.GenerateContentResponse.model_validate(body)])
    assert gemini_view(told(GEMINI + "generateContent", body, request=ASKED), expected) == expected


@pytest.mark.parametrize("kind", ["sse", "array"])
@seeds
@streams
def test_gemini_stream(kind, seed):
    """Several of them, the last with the counts."""
    dice = random.Random(seed)
    made = [gemini_body(dice) for _ in range(dice.choice((1, 2, 4)))]
    answers = [body for _, body, _ in made]
    for body in answers[:-1]:
        body.pop("usageMetadata", None)
    for body in answers:
        body["candidates"] = (body.get("candidates") or [])[:1]
    types = made[0][2]
    expected = gemini_facts([types.GenerateContentResponse.model_validate(body) for body in answers])
    url = GEMINI + "streamGenerateContent" + ("?alt=sse" if kind == "sse" else "")
    assert gemini_view(told(url, answers, kind, ASKED), expected) == expected


INTERACTIONS = "https://generativelanguage.googleapis.com/v1beta/interactions"


@seeds
@bodies
def test_gemini_interactions(seed):
    """An interaction of any steps."""
    types = pytest.importorskip("google.genai._gaos.types.interactions")
    ended = lambda b, _: b.dice.choice(("completed", "incomplete"))  # noqa: E731
    overrides = {"arguments": lambda b, _: loaded(b.arguments()), "input": lambda b, _: None}
    builder = Builder(random.Random(seed), overrides)
    body = {**builder.model(types.Interaction), "status": ended(builder, 0)}
    usage, steps = body.get("usage") or {}, body.get("steps") or []
    outputs = [step for step in steps if step["type"] == "model_output"]
    parts = [part for step in outputs for part in step.get("content") or ()]
    known = lambda *names: [usage[n] for n in names if usage.get(n) is not None]  # noqa: E731
    total = lambda found: sum(found) if found else None  # noqa: E731
    call = told(INTERACTIONS, body, request={"model": "m", "input": "Hi"})
    assert call.usage.input_tokens == total(known("total_input_tokens", "total_tool_use_tokens"))
    assert call.usage.output_tokens == total(known("total_output_tokens", "total_thought_tokens"))
    assert call.usage.cached_input_tokens == usage.get("total_cached_tokens")
    assert (call.output_text or "") == "".join(part["text"] for part in parts if part["type"] == "text")
    asked = [(step["name"], step["arguments"]) for step in steps if step["type"] == "function_call"]
    assert own_tools(call) == [one for one in asked if one[0]]


SMALL = {
    "completions": ("openai.types", "Completion", {"prompt": "Hi"}, "prompt_tokens", "completion_tokens"),
    "embeddings": ("openai.types", "CreateEmbeddingResponse", {"input": "Hi"}, "prompt_tokens", None),
    "images/generations": ("openai.types", "ImagesResponse", {"prompt": "Hi"}, "input_tokens", "output_tokens"),
    "audio/transcriptions": ("openai.types.audio", "Transcription", {}, "input_tokens", "output_tokens"),
    "moderations": ("openai.types", "ModerationCreateResponse", {"input": "Hi"}, None, None),
    "videos": ("openai.types", "Video", {"prompt": "Hi"}, None, None),
}


@pytest.mark.parametrize("path", SMALL)
@seeds
@bodies
def test_openai_others(path, seed):
    """The smaller endpoints: counts, ids, texts."""
    module, name, asked, inputs, outputs = SMALL[path]
    kind = getattr(pytest.importorskip(module), name)
    builder = Builder(random.Random(seed), {"error": lambda b, _: None, "index": lambda b, _: 0})
    body = builder.model(kind)
    usage = body.get("usage") or {}
    call = told(f"https://api.openai.com/v1/{path}", body, request={"model": "m", **asked})
    assert call.usage.input_tokens == (usage.get(inputs) if inputs else None)
    assert call.usage.output_tokens == (usage.get(outputs) if outputs else None)
    assert (call.response_id or "") == (body.get("id") or "")
    if path == "completions":
        assert (call.output_text or "") == (body["choices"][0]["text"] if body["choices"] else "")
    if path == "audio/transcriptions":
        assert call.output_text == body["text"]
        assert call.usage.extra.get("input_audio_seconds") == usage.get("seconds")


@seeds
@bodies
def test_mistral(seed):
    """Mistral's chat completion, whose content may be a list of chunks."""
    models = pytest.importorskip("mistralai.client.models")
    builder = Builder(random.Random(seed), {"arguments": lambda b, _: b.arguments(), "index": lambda b, _: 0})
    body = builder.model(models.ChatCompletionResponse)
    body["choices"] = body["choices"][:1]
    usage, choice = body["usage"], next(iter(body["choices"]), None)
    message = (choice or {}).get("message") or {}
    content = message.get("content") or ""
    text = (
        content
        if isinstance(content, str)
        else "".join(p["text"] for p in content if p.get("type", "text") == "text" and "text" in p)
    )
    call = told("https://api.mistral.ai/v1/chat/completions", body)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
    )
    assert (call.output_text or "") == text
    tools = [(t["function"]["name"], loaded(t["function"]["arguments"])) for t in message.get("tool_calls") or ()]
    assert own_tools(call) == [one for one in tools if one[0]]


@seeds
@bodies
def test_cohere(seed):
    """Cohere's v2 chat response."""
    cohere = pytest.importorskip("cohere")
    whole = lambda b, _: b.dice.choice((0, 1, 7, 100))  # noqa: E731
    names = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
    overrides = dict.fromkeys(names, whole) | {"arguments": lambda b, _: b.arguments()}
    finish = lambda b, _: b.dice.choice(("COMPLETE", "TOOL_CALL", "MAX_TOKENS"))  # noqa: E731
    body = Builder(random.Random(seed), overrides | {"finish_reason": finish}).model(cohere.V2ChatResponse)
    usage, message = body.get("usage") or {}, body["message"]
    counted = usage.get("tokens") or usage.get("billed_units") or {}
    call = told("https://api.cohere.com/v2/chat", body)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (
        counted.get("input_tokens"),
        counted.get("output_tokens"),
    )
    assert (call.output_text or "") == "".join(p["text"] for p in message.get("content") or () if p["type"] == "text")
    functions = [one.get("function") or {} for one in message.get("tool_calls") or ()]
    tools = [(one["name"], loaded(one.get("arguments") or "")) for one in functions if one.get("name")]
    assert [(name, made or {}) for name, made in own_tools(call)] == tools
    assert (call.finish_reason, call.response_id) == (body["finish_reason"], body["id"] or None)


class Shapes:
    """Random values of botocore's service model: what Bedrock itself publishes."""

    def __init__(self, dice, model):
        self.dice, self.model = dice, model

    def build(self, shape, depth=0):
        """A JSON value of a shape."""
        kind = shape.type_name
        if kind == "structure":
            members = list(shape.members.items())
            if getattr(shape, "is_tagged_union", False):
                members = [self.dice.choice(members)]
            chosen = [
                (n, s)
                for n, s in members
                if n in shape.required_members or len(members) == 1 or self.dice.random() < 0.6
            ]
            return {name: self.build(inner, depth + 1) for name, inner in chosen} if depth < 9 else {}
        if kind == "list":
            return (
                [self.build(shape.member, depth + 1) for _ in range(self.dice.choice((0, 1, 2)))] if depth < 9 else []
            )
        if kind == "map":
            return {"k": self.build(shape.value, depth + 1)} if depth < 9 else {}
        plain = {
            "string": lambda: self.dice.choice(getattr(shape, "enum", None) or ["a", "Hello", "é"]),
            "integer": lambda: self.dice.choice((0, 1, 7, 100)),
            "long": lambda: self.dice.choice((0, 1, 7, 100)),
            "boolean": lambda: self.dice.random() < 0.5,
            "blob": lambda: "AAAA",
        }
        return plain.get(kind, lambda: 0.5)()


def bedrock(dice):
    """Shapes of the runtime."""
    session = pytest.importorskip("botocore.session")
    model = session.get_session().get_service_model("bedrock-runtime")
    return Shapes(dice, model), model


def converse_facts(blocks, usage):
    """What the documented members say."""
    text = "".join(
        part.get("text", "")
        for block in blocks
        for part in (block, *((block.get("citationsContent") or {}).get("content") or ()))
    )
    results = {block["toolResult"].get("toolUseId") for block in blocks if "toolResult" in block}
    tools = [
        (block["toolUse"]["name"], block["toolUse"].get("input"))
        for block in blocks
        if "toolUse" in block
        and block["toolUse"].get("type") != "server_tool_use"
        and block["toolUse"]["toolUseId"] not in results
    ]
    known = [usage[n] for n in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens") if n in usage]
    return {
        "input_tokens": sum(known) if "inputTokens" in usage else None,
        "output_tokens": usage.get("outputTokens"),
        "output_text": text,
        "tools": tools,
    }


@seeds
@bodies
def test_bedrock_converse(seed):
    """Converse's output, of any members."""
    shapes, model = bedrock(random.Random(seed))
    body = shapes.build(model.operation_model("Converse").output_shape)
    blocks = ((body.get("output") or {}).get("message") or {}).get("content") or []
    expected = converse_facts(blocks, body.get("usage") or {})
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"
    call = told(url, body, request={"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
    assert gemini_view(call, expected) == expected
    assert call.finish_reason == body.get("stopReason")


def converse_events(builder, body):
    """The events that Converse's output would have come in."""
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(body):
        (kind, value), *_ = [*block.items(), (None, None)]
        if kind == "text":
            for piece in builder.pieces(value):
                yield "contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": piece}}
        elif kind == "toolUse":
            start = {name: value[name] for name in ("toolUseId", "name", "type") if name in value}
            yield "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": start}}
            for piece in builder.pieces(json.dumps(value.get("input"))):
                yield "contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}
        yield "contentBlockStop", {"contentBlockIndex": index}


@seeds
@streams
def test_bedrock_converse_stream(seed):
    """The same in events."""
    shapes, model = bedrock(random.Random(seed))
    output = shapes.build(model.operation_model("Converse").output_shape)
    blocks = ((output.get("output") or {}).get("message") or {}).get("content") or []
    blocks = [block for block in blocks if next(iter(block), None) in ("text", "toolUse")]
    usage = output.get("usage") or {}
    events = list(converse_events(Builder(shapes.dice), blocks))
    events += [("messageStop", {"stopReason": "end_turn"}), ("metadata", {"usage": usage})]
    expected = converse_facts(blocks, usage)
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream"
    call = told(url, events, "aws", {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]})
    assert gemini_view(call, expected) == expected


@seeds
@streams
def test_a_cut_stream_of_any_schema_says_so(seed):
    """Of a stream without its end nothing is claimed: neither that it is complete nor, of its counts, that they are."""
    builder, body, _ = claude_body(random.Random(seed), beta=False)
    events = list(claude_events(builder, body))[:-2]
    call = told(CLAUDE, [(event["type"], event) for event in events], "sse")
    assert (call.complete, call.usage.output_tokens, call.usage_complete) == (False, None, False)
    assert replace(call).streaming
