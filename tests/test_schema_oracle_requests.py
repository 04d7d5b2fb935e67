"""Requests built from the SDKs' own parameter types: settings, turns and tools' results are read as they were given."""

import random

import pytest

from amplitude_ai.parsers._read import read

from .fixtures._wire import Example
from .schema import Builder
from .test_schema_oracle import bedrock, bodies, seeds

part = lambda b, _: b.dice.choice((0.0, 0.5, 1.0))  # noqa: E731
few = lambda b, _: b.dice.choice((1, 7, 100))  # noqa: E731
said = lambda b, _: b.dice.choice(("Hi", "héllo", "a\nb"))  # noqa: E731
SETTINGS = {"temperature": part, "top_p": part, "max_tokens": few, "text": said, "model": lambda b, _: "m"}
ANSWER = {"error": {"message": "no"}}


def asked(url, body):
    """The call that a request is read as, whatever came of it; the parser must need no fence."""
    call = read(Example("x", url, body, ANSWER, {}, status=400).exchange())
    assert call.parse_error is None
    return call


def settings_of(call):
    """What both sides tell of the settings."""
    return call.requested_model, call.temperature, call.top_p, call.max_tokens


def roles(call):
    """The roles in order."""
    return [message.role for message in call.messages]


@seeds
@bodies
def test_openai_chat(seed):
    """Turns of any kind and content."""
    params = pytest.importorskip("openai.types.chat.completion_create_params").CompletionCreateParamsNonStreaming
    names = ("functions", "tools", "response_format", "audio", "prediction", "metadata", "stream")
    overrides = SETTINGS | dict.fromkeys(names, lambda b, _: None)
    overrides |= {"max_completion_tokens": lambda b, _: b.dice.choice((None, 5))}
    body = Builder(random.Random(seed), overrides).params(params)
    call = asked("https://api.openai.com/v1/chat/completions", body)
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    assert settings_of(call) == ("m", body.get("temperature"), body.get("top_p"), limit)
    shown = {"user": "user", "assistant": "assistant", "tool": "tool", "function": "tool"}
    assert roles(call) == [shown.get(turn["role"], "system") for turn in body["messages"]]
    results = [turn for turn in body["messages"] if turn["role"] in ("tool", "function")]
    assert [result.id for result in call.tool_results] == [turn.get("tool_call_id") or None for turn in results]
    for turn, message in zip(body["messages"], call.messages, strict=True):
        if isinstance(turn.get("content"), str):
            assert message.text == turn["content"]


@seeds
@bodies
def test_openai_responses(seed):
    """Input of a text, or of any items."""
    params = pytest.importorskip("openai.types.responses.response_create_params").ResponseCreateParamsNonStreaming
    names = ("tools", "tool_choice", "prompt", "metadata", "stream", "reasoning", "text", "context_management")
    overrides = SETTINGS | dict.fromkeys(names, lambda b, _: None) | {"max_output_tokens": few}
    body = Builder(random.Random(seed), overrides, depth=7).params(params)
    call = asked("https://api.openai.com/v1/responses", body)
    assert settings_of(call) == ("m", body.get("temperature"), body.get("top_p"), body.get("max_output_tokens"))
    given = body.get("input")
    items = given if isinstance(given, list) else []
    assert roles(call).count("user") == (
        1 if isinstance(given, str) else sum(one.get("role") == "user" for one in items)
    )
    results = [one for one in items if str(one.get("type")).endswith("_call_output")]
    assert [result.id for result in call.tool_results] == [one.get("call_id") or None for one in results]


@pytest.mark.parametrize("beta", [False, True], ids=["", "beta"])
@seeds
@bodies
def test_anthropic(beta, seed):
    """Turns of any blocks."""
    module = "anthropic.types.beta.message_create_params" if beta else "anthropic.types.message_create_params"
    params = pytest.importorskip(module).MessageCreateParamsNonStreaming
    names = (
        "tools",
        "tool_choice",
        "stream",
        "mcp_servers",
        "container",
        "context_management",
        "betas",
        "output_format",
    )
    body = Builder(random.Random(seed), SETTINGS | dict.fromkeys(names, lambda b, _: None), depth=6).params(params)
    call = asked("https://api.anthropic.com/v1/messages", body)
    assert settings_of(call) == ("m", body.get("temperature"), body.get("top_p"), body["max_tokens"])
    turns = [content if isinstance(content := turn.get("content"), list) else [] for turn in body["messages"]]
    results = [one for blocks in turns for one in blocks if isinstance(one, dict) and one.get("type") == "tool_result"]
    assert [result.id for result in call.tool_results] == [one["tool_use_id"] or None for one in results]
    assert [result.success for result in call.tool_results] == [
        False if one.get("is_error") is True else None for one in results
    ]
    own = call.messages[len(call.messages) - len(body["messages"]) :]
    for turn, message in zip(body["messages"], own, strict=True):
        if isinstance(turn.get("content"), str):
            assert message.text == turn["content"]
    told = [turn["role"] for turn in body["messages"]]
    seen = [role for role in roles(call) if role != "system"] if body.get("system") else roles(call)
    assert len(seen) == len([role for role in told if not (body.get("system") and role == "system")])


@seeds
@bodies
def test_gemini(seed):
    """Contents of any parts, and the settings."""
    types = pytest.importorskip("google.genai.types")
    builder = Builder(random.Random(seed), {"temperature": part, "top_p": part, "max_output_tokens": few, "text": said})
    contents = [
        {**builder.model(types.Content), "role": builder.dice.choice(("user", "model"))}
        for _ in range(builder.dice.choice((1, 2, 3)))
    ]
    settings = {
        name: value
        for name, value in builder.model(types.GenerationConfig).items()
        if name in ("temperature", "topP", "maxOutputTokens") and value is not None
    }
    body = {"contents": contents, "generationConfig": settings}
    call = asked("https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", body)
    wanted = ("m", settings.get("temperature"), settings.get("topP"), settings.get("maxOutputTokens"))
    assert settings_of(call) == wanted
    assert len(call.messages) == len(contents)
    parts = [one for content in contents for one in content.get("parts") or ()]
    answers = [one["functionResponse"] for one in parts if one.get("functionResponse")]
    assert [result.name for result in call.tool_results] == [one["name"] for one in answers if one.get("name")]


@seeds
@bodies
def test_bedrock_converse(seed):
    """Converse's input, of any members."""
    shapes, model = bedrock(random.Random(seed))
    body = shapes.build(model.operation_model("Converse").input_shape)
    body.pop("modelId", None)
    turns = body.get("messages") or []
    call = asked("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse", body)
    settings = body.get("inferenceConfig") or {}
    assert settings_of(call) == ("m", settings.get("temperature"), settings.get("topP"), settings.get("maxTokens"))
    results = [block["toolResult"] for turn in turns for block in turn["content"] if "toolResult" in block]
    assert [result.id for result in call.tool_results] == [one["toolUseId"] for one in results]
    assert [result.success is False for result in call.tool_results] == [
        one.get("status") == "error" for one in results
    ]


@seeds
@bodies
def test_mistral(seed):
    """Mistral's requests are models."""
    models = pytest.importorskip("mistralai.client.models")
    names = ("tools", "tool_choice", "response_format", "prediction", "stream", "guardrails", "metadata")
    overrides = SETTINGS | dict.fromkeys(names, lambda b, _: None) | {"arguments": lambda b, _: b.arguments()}
    body = Builder(random.Random(seed), overrides).model(models.ChatCompletionRequest)
    body["messages"] = [turn for turn in body["messages"] if turn.get("role")]  # the SDK always sends it
    call = asked("https://api.mistral.ai/v1/chat/completions", body)
    assert settings_of(call) == ("m", body.get("temperature"), body.get("top_p"), body.get("max_tokens"))
    shown = {"user": "user", "assistant": "assistant", "tool": "tool"}
    assert roles(call) == [shown.get(turn["role"], "system") for turn in body["messages"]]
