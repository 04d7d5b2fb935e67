"""What a body must have to be a call on a host nobody knows: each format's own, and nothing without it."""

from dataclasses import replace

import pytest

from amplitude_ai._models import Binding, Scope
from amplitude_ai.parsers._read import read

from .fixtures._wire import Example

TURNS = [{"role": "user", "content": "hi"}]
BLOCKS = [{"role": "user", "content": [{"text": "hi"}]}]

#: Path, body, whether that is a call (which was refused, so that no answer can tell).
BODIES = [
    ("/v1/chat/completions", {"messages": TURNS}, True),
    ("/v1/chat/completions", {"model": "m", "messages": []}, True),
    ("/v1/chat/completions", {"messages": []}, False),
    ("/v1/chat/completions", {"messages": [{"role": "moderator", "content": "hi"}]}, False),
    ("/v1/chat/completions", {"model": "m"}, False),
    ("/v1/responses", {"model": "m", "input": "hi"}, True),
    ("/v1/responses", {"model": "m", "input": [{"type": "message"}]}, True),
    ("/v1/responses", {"model": "m", "previous_response_id": "r"}, True),
    ("/v1/responses", {"model": "m", "conversation": "c"}, True),
    ("/v1/responses", {"prompt": {"id": "p"}}, True),
    ("/v1/responses", {"input": "hi"}, False),
    ("/v1/responses", {"model": "m", "input": [1]}, False),
    ("/v1/responses", {"model": "m", "prompt": "p"}, False),
    ("/v1/completions", {"model": "m", "prompt": "hi"}, True),
    ("/v1/completions", {"model": "m", "prompt": ["hi"]}, True),
    *(("/v1/completions", {"prompt": "hi", name: 1}, True) for name in ("max_tokens", "temperature", "top_p", "stop")),
    ("/v1/completions", {"prompt": "hi", "stream": True}, True),
    ("/v1/completions", {"prompt": "hi"}, False),
    ("/v1/completions", {"model": "m", "prompt": []}, False),
    ("/v1/engines/e/completions", {"prompt": "hi"}, True),
    ("/v1/fim/completions", {"model": "m", "prompt": "hi"}, True),
    ("/v1/fim/completions", {"prompt": "hi"}, False),
    ("/v1/fim/completions", {"model": "m"}, False),
    ("/v1/embeddings", {"model": "m", "input": "hi"}, True),
    ("/v1/embeddings", {"model": "m", "inputs": []}, True),
    ("/v1/embeddings", {"input": "hi"}, False),
    ("/embed", {"inputs": "hi"}, False),
    ("/encode", {"text": "hi"}, False),
    ("/generate", {"text": "hi"}, False),
    ("/predict", {"inputs": "hi"}, False),
    ("/score", {"model": "m", "text_1": "a", "text_2": "b"}, False),
    ("/classify", {"model": "m", "input": "a"}, False),
    ("/rerank", {"query": "hi", "texts": ["a"]}, False),
    ("/v1/embeddings", {"model": "m"}, False),
    *(("/v1/images/generations", {"prompt": "cat", name: "x"}, True) for name in ("model", "size", "quality")),
    *(("/v1/images/generations", {"prompt": "cat", name: "x"}, True) for name in ("n", "response_format")),
    ("/v1/images/generations", {"prompt": "cat"}, False),
    ("/v1/images/generations", {"model": "m"}, False),
    ("/v1/audio/speech", {"model": "m", "input": "hi"}, True),
    ("/v1/audio/speech", {"model": "m"}, False),
    ("/v1/audio/speech", {"input": "hi"}, False),
    ("/v1/audio/transcriptions", {"model": "m"}, True),
    ("/v1/moderations", {"model": "m", "input": "hi"}, True),
    ("/v1/moderations", {"input": "hi"}, False),
    ("/v1/threads/t/runs", {"assistant_id": "a"}, True),
    ("/v1/threads/t/runs/run_1/submit_tool_outputs", {"tool_outputs": []}, True),
    ("/v1/threads/t/runs", {"thread": {}}, False),
    ("/v1/messages", {"model": "c", "messages": TURNS}, True),
    ("/v1/messages", {"max_tokens": 9, "anthropic_version": "v", "messages": TURNS}, True),
    ("/v1/messages", {"max_tokens": 9, "messages": TURNS}, False),
    ("/v1/messages", {"model": "c", "messages": [{"role": "user"}]}, False),
    ("/v1/complete", {"prompt": "hi", "max_tokens_to_sample": 9}, True),
    ("/v1/complete", {"prompt": "hi"}, False),
    ("/v1/complete", {"max_tokens_to_sample": 9}, False),
    ("/v1beta/models/g:generateContent", {"contents": [{"parts": []}]}, True),
    ("/v1beta/models/g:generateContent", {"contents": {"parts": []}}, True),
    ("/v1beta/models/g:generateContent", {"contents": "hi"}, True),
    ("/v1beta/models/g:generateContent", {"contents": ["hi"]}, True),
    ("/v1beta/models/g:generateContent", {"contents": [1]}, False),
    *(("/v1beta/models/g:embedContent", {name: {}}, True) for name in ("content", "requests", "instances")),
    ("/v1beta/models/g:embedContent", {"text": "hi"}, False),
    ("/model/m/converse", {"messages": BLOCKS}, True),
    ("/model/m/converse", {"messages": TURNS}, False),
    *(("/model/m/invoke", {name: "x"}, True) for name in ("anthropic_version", "prompt", "inputText", "message")),
    *(("/model/m/invoke", {name: "x"}, True) for name in ("messages", "texts", "input_type", "taskType")),
    ("/model/m/invoke", {"query": "q", "documents": []}, True),
    ("/model/m/invoke", {"query": "q"}, False),
    ("/v1/rerank", {"query": "q", "documents": ["a"]}, True),
    ("/v1/rerank", {"query": "q", "documents": []}, False),
    ("/v1/rerank", {"documents": ["a"]}, False),
    ("/v2/chat", {"model": "c", "messages": TURNS}, True),
    ("/v2/chat", {"model": "c", "message": "hi"}, True),
    ("/v2/chat", {"message": "hi", "chat_history": []}, True),
    ("/v2/chat", {"message": "hi"}, False),
    ("/api/chat", {"model": "m", "messages": TURNS}, True),
    ("/api/chat", {"messages": TURNS}, False),
    ("/api/chat", {"model": "m"}, False),
    ("/api/generate", {"model": "m", "prompt": "hi"}, True),
    ("/api/generate", {"prompt": "hi"}, False),
    ("/api/embed", {"model": "m", "input": "hi"}, True),
    ("/api/embed", {"input": "hi"}, False),
    ("/generate", {"inputs": "hi"}, True),
    ("/generate", {"inputs": ["hi"]}, True),
    ("/generate", {"inputs": [1]}, False),
]


@pytest.mark.parametrize(("path", "body", "expected"), BODIES, ids=repr)
def test_bodies(path, body, expected):
    """What was asked is all there is to go by when the answer is an error."""
    example = Example("x", f"http://llm.acme.example{path}", body, {"error": "no"}, {}, status=500)
    assert (read(example.exchange()) is not None) is expected


#: Path, body, an answer, whether that is a call.
ANSWERS = [
    ("/v1/moderations", {"input": "hi"}, {"results": [{"flagged": False}]}, True),
    ("/v1/moderations", {"input": "hi"}, {"results": []}, False),
    ("/v1/moderations", {"input": "hi"}, {"results": [{"score": 1}]}, False),
    *(
        (path, {"text": "hi"}, {"embedding": [0.5], "meta_info": told}, sure)
        for path in ("/encode", "/generate")
        for told, sure in (({"prompt_tokens": 7}, True), ({}, False), ("x", False))
    ),
    ("/generate", {"input_ids": [1]}, {"meta_info": {"prompt_tokens": 7}}, True),
    ("/generate", {"prompt": "hi"}, {"meta_info": {"prompt_tokens": 7}}, False),
    ("/encode", {"text": "hi"}, {"meta_info": {"prompt_tokens": 7}}, False),
    ("/encode", {"text": [4]}, {"embedding": [0.5], "meta_info": {"prompt_tokens": 7}}, False),
    ("/encode", {"inputs": "hi"}, {"embedding": [0.5], "meta_info": {"prompt_tokens": 7}}, False),
    ("/embed", {"inputs": "hi"}, [[0.5]], True),
    ("/embed", {"inputs": "hi"}, [0.5], False),
    ("/embed", {"inputs": "hi"}, [[True]], False),
    ("/embed", {"inputs": "hi"}, {"error": "no", "error_type": "Tokenizer"}, True),
    ("/embed", {"inputs": "hi"}, {"error": "no", "error_type": "sorry"}, False),
    ("/embed", {"text": "hi"}, [[0.5]], False),
    ("/embed_sparse", {"inputs": "hi"}, [[{"index": 1, "value": 0.5}]], True),
    ("/embed_sparse", {"inputs": "hi"}, [[{"index": 1}]], False),
    ("/predict", {"inputs": "hi"}, [{"label": "a", "score": 0.5}], True),
    ("/predict", {"inputs": "hi"}, [[{"label": "a", "score": 0.5}]], True),
    ("/predict", {"inputs": "hi"}, [[0.5]], False),
    ("/predict", {"inputs": "hi"}, [], False),
    ("/similarity", {"inputs": {"source_sentence": "hi", "sentences": ["yo"]}}, [0.5], True),
    ("/similarity", {"inputs": "hi"}, [0.5], False),
    ("/rerank", {"query": "hi", "texts": ["a"]}, [{"index": 0, "score": 0.5}], True),
    ("/rerank", {"query": "hi", "texts": ["a"]}, [{"index": 0}], False),
    ("/rerank", {"texts": ["a"]}, [{"index": 0, "score": 0.5}], False),
    ("/crm/embed", {"inputs": "hi"}, [[0.5]], False),
    ("/score", {"text_1": "a", "text_2": "b"}, {"object": "list", "data": [{"object": "score"}]}, True),
    ("/score", {"data_1": "a", "data_2": "b"}, {"object": "list", "data": [{"object": "score"}]}, True),
    ("/score", {"text_1": "a"}, {"object": "list", "data": [{"object": "score"}]}, False),
    ("/score", {"text_1": "a", "text_2": "b"}, {"object": "list", "data": [{"object": "point"}]}, False),
    ("/score", {"text_1": "a", "text_2": "b"}, {"data": [{"object": "score"}]}, False),
    ("/classify", {"input": "a"}, {"object": "list", "data": [{"label": "a", "probs": [0.5]}]}, True),
    ("/classify", {"input": "a"}, {"object": "list", "data": [{"label": "a"}]}, False),
    ("/pooling", {"input": "a"}, {"object": "list", "data": [{"object": "pooling"}]}, True),
    ("/pooling", {"text": "a"}, {"object": "list", "data": [{"object": "pooling"}]}, False),
    ("/generate", {"inputs": "hi"}, {"id": 1}, False),
    ("/generate", {"inputs": "hi"}, {"generated_text": "Hello"}, True),
    ("/generate", {"inputs": "hi", "parameters": {"max_new_tokens": 9}}, {"id": 1}, True),
    ("/v1/chat/completions", {}, {"object": "chat.completion", "choices": [{"message": {"content": "Hello"}}]}, True),
    ("/v1/chat/completions", {}, {"id": 1}, False),
    ("/model/m/converse", {}, {"stopReason": "end_turn", "usage": {"inputTokens": 1}}, True),
    ("/model/m/converse", {}, {"usage": {"inputTokens": 1}}, False),
    ("/model/m/converse", {}, {"stopReason": "end_turn"}, False),
    ("/model/m/invoke", {}, {"stop_reason": "stop"}, True),
    ("/v1/messages", {}, {"type": "message", "stop_reason": "end_turn"}, True),
    ("/v1/messages", {}, {"type": "message"}, False),
    ("/v1beta/models/g:generateContent", {}, {"candidates": []}, True),
    ("/api/chat", {}, {"done": True, "model": "m"}, True),
    ("/api/chat", {}, {"done": True}, False),
    *(
        ("/api/embed", {"model": "m", "input": "hi"}, {name: [[0.5]]}, True)
        for name in ("embedding", "embeddings", "data")
    ),
    ("/api/embed", {"model": "m", "input": "hi"}, {"vectors": [[0.5]]}, False),
]


@pytest.mark.parametrize(("path", "body", "answer", "expected"), ANSWERS, ids=repr)
def test_answers(path, body, answer, expected):
    """Where the request might be somebody else's, the answer tells."""
    example = Example("x", f"http://llm.acme.example{path}", body, answer, {})
    exchange = example.exchange() if body else replace(example.exchange(), request_body=b"")
    assert (read(exchange) is not None) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com/v1/chat/completions", True),
        ("https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations", False),
    ],
)
def test_a_known_host_needs_none(url, expected):
    """But one that runs whatever its customers put there does."""
    assert (read(Example("x", url, {"else": 1}, {"id": 1}, {}).exchange()) is not None) is expected


#: Body, (operation, provider) of the call it is on a path nobody knows, of a client that was instrumented by hand.
SHAPES = [
    ({"contents": [{"parts": [{"text": "hi"}]}]}, ("chat", "google")),
    ({"contents": [{"parts": [{"text": "hi"}]}], "model": "m"}, None),
    ({"messages": TURNS, "model": "m"}, ("chat", "openai")),
    ({"messages": TURNS, "stream": False}, ("chat", "openai")),
    ({"messages": TURNS}, None),
    *(
        ({"messages": TURNS, "model": "c", "max_tokens": 9, name: "x"}, ("chat", "anthropic"))
        for name in ("system", "anthropic_version", "stop_sequences")
    ),
    ({"messages": TURNS, "model": "c", "max_tokens": 9}, ("chat", "openai")),
    ({"model": "m", "input": "hi", "instructions": "x"}, ("responses", "openai")),
    ({"model": "m", "input": [{"role": "user"}], "stream": False}, ("responses", "openai")),
    ({"model": "m", "input": "hi"}, None),
    ({"model": 7, "input": "hi", "stream": False}, None),
    ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "look"}}, ("mcp", "mcp")),
    ({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"name": "look"}}, None),
    ({"jsonrpc": "1.0", "id": 1, "method": "tools/call", "params": {"name": "look"}}, None),
    ({"model": "car", "year": 3}, None),
]


@pytest.mark.parametrize(("body", "expected"), SHAPES, ids=repr)
def test_shapes(body, expected):
    """By hand any path may be a model's, if the body says so; by the global hook none is."""
    example = Example("x", "http://llm.acme.example/anything", body, {"error": "no"}, {}, status=500)
    call = read(example.exchange())
    assert (call and (call.operation, call.provider)) == expected
    assert read(replace(example.exchange(), context=Scope(Binding()))) is None
    assert read(replace(example.exchange(), url="https://api.openai.com/anything")) is None


def test_scores_that_nobody_answered():
    """A pair and a model say enough where no answer came; texts to embed do not."""
    for path, body, expected in (
        ("/score", {"model": "m", "text_1": "a", "text_2": "b"}, True),
        ("/score", {"text_1": "a", "text_2": "b"}, False),
        ("/classify", {"model": "m", "input": "a"}, False),
        ("/embed", {"inputs": "a"}, False),
    ):
        found = Example("x", f"http://llm.acme.example{path}", body, {}, {}).exchange()
        assert (read(replace(found, status=None, response_chunks=())) is not None) is expected
