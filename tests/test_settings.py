"""What a request asks for, in each format's own words: temperature, limit of tokens, top_p, and whom it is for."""

import pytest

from amplitude_ai.parsers._read import read

from .fixtures._wire import Example

OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
TURNS = [{"role": "user", "content": "Hi"}]
PARTS = [{"role": "user", "parts": [{"text": "Hi"}]}]
BLOCKS = [{"role": "user", "content": [{"text": "Hi"}]}]
WARM = {"temperature": 0.25, "top_p": 0.75}

#: What it is -> (URL, request). Each asks for 0.25, 9 tokens and 0.75.
ASKED = {
    "chat": (f"{OPENAI}/chat/completions", {"messages": TURNS, **WARM, "max_completion_tokens": 9}),
    "chat of old": (f"{OPENAI}/chat/completions", {"messages": TURNS, **WARM, "max_tokens": 9}),
    "chat, both limits": (
        f"{OPENAI}/chat/completions",
        {"messages": TURNS, **WARM, "max_completion_tokens": 9, "max_tokens": 100},
    ),
    "responses": (f"{OPENAI}/responses", {"input": "Hi", **WARM, "max_output_tokens": 9}),
    "completions": (f"{OPENAI}/completions", {"prompt": "Hi", **WARM, "max_tokens": 9}),
    "a run": (f"{OPENAI}/threads/t1/runs", {"assistant_id": "a1", **WARM, "max_completion_tokens": 9}),
    "messages": ("https://api.anthropic.com/v1/messages", {"messages": TURNS, **WARM, "max_tokens": 9}),
    "text completions": (
        "https://api.anthropic.com/v1/complete",
        {"prompt": "Hi", **WARM, "max_tokens_to_sample": 9},
    ),
    "gemini": (
        f"{GOOGLE}/models/gemini-2.5-flash:generateContent",
        {"contents": PARTS, "generationConfig": {"temperature": 0.25, "topP": 0.75, "maxOutputTokens": 9}},
    ),
    "gemini, snake_case": (
        f"{GOOGLE}/models/gemini-2.5-flash:generateContent",
        {"contents": PARTS, "generation_config": {"temperature": 0.25, "top_p": 0.75, "max_output_tokens": 9}},
    ),
    "interactions": (
        f"{GOOGLE}/interactions",
        {"model": "gemini-2.5-flash", "input": "Hi", "generation_config": {**WARM, "max_output_tokens": 9}},
    ),
    "converse": (
        f"{BEDROCK}/m/converse",
        {"messages": BLOCKS, "inferenceConfig": {"temperature": 0.25, "topP": 0.75, "maxTokens": 9}},
    ),
    "invoke, Claude": (
        f"{BEDROCK}/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
        {"anthropic_version": "bedrock-2023-05-31", "messages": TURNS, **WARM, "max_tokens": 9},
    ),
    "invoke, Nova": (
        f"{BEDROCK}/amazon.nova-micro-v1%3A0/invoke",
        {"messages": BLOCKS, "inferenceConfig": {"temperature": 0.25, "topP": 0.75, "maxTokens": 9}},
    ),
    "invoke, Llama": (f"{BEDROCK}/meta.llama3-8b/invoke", {"prompt": "Hi", **WARM, "max_gen_len": 9}),
    "invoke, Mistral": (f"{BEDROCK}/mistral.mistral-7b/invoke", {"prompt": "Hi", **WARM, "max_tokens": 9}),
    "invoke, Titan": (
        f"{BEDROCK}/amazon.titan-text-express-v1/invoke",
        {
            "inputText": "Hi",
            "textGenerationConfig": {"temperature": 0.25, "topP": 0.75, "maxTokenCount": 9},
        },
    ),
    "invoke, AI21": (
        f"{BEDROCK}/ai21.j2-mid-v1/invoke",
        {"prompt": "Hi", "temperature": 0.25, "topP": 0.75, "maxTokens": 9},
    ),
    "cohere": (
        "https://api.cohere.com/v2/chat",
        {"messages": TURNS, "temperature": 0.25, "p": 0.75, "max_tokens": 9},
    ),
    "cohere, generate": (
        "https://api.cohere.com/v1/generate",
        {"prompt": "Hi", "temperature": 0.25, "p": 0.75, "max_tokens": 9},
    ),
    "ollama": ("http://localhost:11434/api/chat", {"messages": TURNS, "options": {**WARM, "num_predict": 9}}),
    "ollama, generate": (
        "http://localhost:11434/api/generate",
        {"prompt": "Hi", "options": {**WARM, "num_predict": 9}},
    ),
    "fill in the middle": ("https://api.mistral.ai/v1/fim/completions", {"prompt": "Hi", **WARM, "max_tokens": 9}),
    "a conversation": (
        "https://api.mistral.ai/v1/conversations",
        {"inputs": "Hi", "completion_args": {**WARM, "max_tokens": 9}},
    ),
    "TGI": ("http://localhost:3000/generate", {"inputs": "Hi", "parameters": {**WARM, "max_new_tokens": 9}}),
    "replicate": (
        "https://api.replicate.com/v1/predictions",
        {"version": "v", "input": {"prompt": "Hi", **WARM, "max_tokens": 9}},
    ),
    "replicate, older models": (
        "https://api.replicate.com/v1/predictions",
        {"version": "v", "input": {"prompt": "Hi", **WARM, "max_new_tokens": 9}},
    ),
    "watsonx": (
        "https://us-south.ml.cloud.ibm.com/ml/v1/text/generation",
        {"input": "Hi", "parameters": {**WARM, "max_new_tokens": 9}},
    ),
    "watsonx, chat": (
        "https://us-south.ml.cloud.ibm.com/ml/v1/text/chat",
        {"messages": TURNS, **WARM, "max_tokens": 9},
    ),
    "aleph alpha": ("https://api.aleph-alpha.com/complete", {"prompt": "Hi", **WARM, "maximum_tokens": 9}),
    "llama.cpp": ("http://localhost:8080/completion", {"prompt": "Hi", **WARM, "n_predict": 9, "cache_prompt": True}),
    "dashscope": (
        "https://dashscope.aliyuncs.com/api/v1/services/aigc/text-generation/generation",
        {"input": {"messages": TURNS}, "parameters": {**WARM, "max_tokens": 9}},
    ),
    "lm studio": ("http://localhost:1234/api/v1/chat", {"input": "Hi", **WARM, "max_output_tokens": 9}),
    "sagemaker": (
        "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations",
        {"inputs": "Hi", "parameters": {**WARM, "max_new_tokens": 9}},
    ),
}


def asked(url, body, **changes):
    """The call such a request is, answered with nothing but a status."""
    return read(Example("x", url, {"model": "m", **body}, {}, {}, **changes).exchange())


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("status", [200, 500])
def test_settings(name, status):
    """They are told whether the call succeeded or not."""
    call = asked(*ASKED[name], status=status)
    assert (call.temperature, call.max_tokens, call.top_p) == (0.25, 9, 0.75)


@pytest.mark.parametrize("name", ASKED)
def test_settings_that_were_not_given(name):
    """Are unknown, not a default of ours."""
    url, body = ASKED[name]
    inner = {"generationConfig", "generation_config", "inferenceConfig", "textGenerationConfig", "options"}
    inner |= {"parameters", "completion_args"}
    plain = {
        key: value
        for key, value in body.items()
        if key not in inner and key not in {"p", "n_predict"} and not key.startswith(("temperature", "top", "max"))
    }
    if "replicate" in url:
        plain["input"] = {"prompt": "Hi"}
    call = asked(url, plain)
    assert (call.temperature, call.max_tokens, call.top_p) == (None, None, None)


def test_a_setting_of_nought_is_one():
    """0 is a temperature, and not the absence of one."""
    call = asked(f"{OPENAI}/chat/completions", {"messages": TURNS, "temperature": 0, "top_p": 0, "max_tokens": 0})
    assert (call.temperature, call.max_tokens, call.top_p) == (0.0, 0, 0.0)


CHAT, CLAUDE = ASKED["chat"], ASKED["messages"]


@pytest.mark.parametrize(
    ("where", "more", "expected"),
    [
        (CHAT, {"user": "u-1"}, "u-1"),
        (CHAT, {"safety_identifier": "s-1"}, "s-1"),
        (CHAT, {"user": "u-1", "safety_identifier": "s-1"}, "u-1"),
        (CHAT, {"user": "", "safety_identifier": "s-1"}, "s-1"),
        (CHAT, {"user": "  "}, None),
        (CHAT, {"user": 7}, None),
        (CHAT, {"user": "x" * 512}, "x" * 512),
        (CHAT, {"user": "x" * 513}, None),
        (CHAT, {"metadata": {"user_id": "the application's"}}, None),
        (CHAT, {}, None),
        (ASKED["responses"], {"safety_identifier": "s-1"}, "s-1"),
        (CLAUDE, {"metadata": {"user_id": "u-1"}}, "u-1"),
        (CLAUDE, {"metadata": {"user_id": None}}, None),
        (ASKED["invoke, Claude"], {"metadata": {"user_id": "u-1"}}, "u-1"),
    ],
    ids=repr,
)
def test_whom_it_is_for(where, more, expected):
    """The provider's own field, one that can be an id; OpenAI's ``metadata`` are the application's."""
    url, body = where
    assert asked(url, {**body, **more}).end_user == expected
