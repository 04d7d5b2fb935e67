"""The simulator's formats whose SDKs are not among the test dependencies: their frames, byte by byte."""

import base64
import json
import struct
import zlib

import httpx2
import pytest

USER = [{"role": "user", "content": "Hello there"}]
WEATHER = [{"role": "user", "content": "The weather?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
TEXT = "You said «Hello there» — a simulated answer."


@pytest.fixture
def post(simulator):
    """POST JSON to a path."""

    def send(path, body, how=""):
        return httpx2.post(simulator.url + path, json=body, headers={"x-sim": how})

    return send


def events(data):
    """The frames of an AWS event stream as (headers, payload); both checksums are checked."""
    found = []
    while data:
        total, size, check = struct.unpack(">III", data[:12])
        assert zlib.crc32(data[:8]) == check
        assert zlib.crc32(data[: total - 4]) == struct.unpack(">I", data[total - 4 : total])[0]
        raw, headers = data[12 : 12 + size], {}
        while raw:
            name, rest = raw[1 : 1 + raw[0]], raw[1 + raw[0] :]
            assert rest[0] == 7
            length = struct.unpack(">H", rest[1:3])[0]
            headers[name.decode()] = rest[3 : 3 + length].decode()
            raw = rest[3 + length :]
        found.append((headers, json.loads(data[12 + size : total - 4])))
        data = data[total:]
    return found


def sse(answer):
    """The events of an SSE answer."""
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]


def test_bedrock_converse(post, simulator):
    """Converse, plain and as frames; input excludes the cache."""
    body = {"messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}
    plain = post("/model/amazon.nova-lite-v1%3A0/converse", body, "cached=5").json()
    assert plain["output"]["message"]["content"] == [{"text": TEXT}]
    assert (plain["usage"]["inputTokens"], plain["usage"]["cacheReadInputTokens"]) == (9, 5)
    frames = events(post("/model/amazon.nova-lite-v1%3A0/converse-stream", body).content)
    assert "".join(p["delta"]["text"] for h, p in frames if h[":event-type"] == "contentBlockDelta") == TEXT
    assert frames[-1][1]["usage"]["outputTokens"] == simulator.requests()[-1].told.output
    failed = post("/model/m/converse", body, "status=429")
    assert failed.headers["x-amzn-errortype"].startswith("ThrottlingException:")
    broken = events(post("/model/m/converse-stream", body, "error_in_stream=2").content)
    assert broken[-1][0][":exception-type"] == "throttlingException"


def test_bedrock_invoke(post):
    """Invoke carries Anthropic's events, base64 in each frame."""
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": USER}
    assert post("/model/anthropic.claude/invoke", body).json()["content"][0]["text"] == TEXT
    frames = events(post("/model/anthropic.claude/invoke-with-response-stream", body).content)
    inner = [json.loads(base64.b64decode(payload["bytes"])) for _, payload in frames]
    assert (inner[0]["type"], inner[-1]["type"]) == ("message_start", "message_stop")


def test_vertex_anthropic(post):
    """Anthropic under Vertex's path: the model is in the path."""
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict"
    body = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 50, "messages": USER, "stream": True}
    assert sse(post(path, body))[0]["message"]["model"] == "claude-haiku-4-5@20251001"


def test_cohere(post, simulator):
    """Cohere's chat plain, streamed and with a tool call; embed and rerank."""
    ask = {"model": "command-r", "messages": USER}
    assert post("/v2/chat", ask).json()["message"]["content"][0]["text"] == TEXT
    streamed = sse(post("/v2/chat", {**ask, "stream": True}))
    assert [streamed[0]["type"], streamed[-1]["type"]] == ["message-start", "message-end"]
    assert streamed[-1]["delta"]["usage"]["tokens"]["output_tokens"] == simulator.requests()[-1].told.output
    called = post("/v2/chat", {**ask, "messages": WEATHER, "tools": [TOOL]}).json()
    assert called["message"]["tool_calls"][0]["function"]["name"] == "get_weather"
    embed = post("/v2/embed", {"model": "embed-v4.0", "texts": ["a b"]}).json()
    assert embed["meta"]["billed_units"]["input_tokens"] == 9
    rerank = post("/v2/rerank", {"model": "rerank-v3.5", "query": "q", "documents": ["a", "b"]}).json()
    assert [result["index"] for result in rerank["results"]] == [0, 1]


def test_ollama(post, simulator):
    """Ollama streams unless told otherwise; its last line has the counts; arguments are objects."""
    lines = [json.loads(line) for line in post("/api/chat", {"model": "llama3", "messages": USER}).text.splitlines()]
    assert "".join(line["message"]["content"] for line in lines) == TEXT
    assert (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == (9, simulator.requests()[-1].told.output)
    called = post("/api/chat", {"model": "llama3", "messages": WEATHER, "tools": [TOOL], "stream": False}).json()
    assert called["message"]["tool_calls"][0]["function"]["arguments"] == {"city": "Paris"}
    assert post("/api/generate", {"model": "l", "prompt": "Hello there", "stream": False}).json()["response"] == TEXT
    assert len(post("/api/embed", {"model": "l", "input": ["a", "b"]}).json()["embeddings"]) == 2
    broken = post("/api/chat", {"model": "llama3", "messages": USER}, "error_in_stream=1").text.splitlines()
    assert "error" in json.loads(broken[-1])


def test_mistral(post):
    """Fill-in-the-middle tells usage in every stream; OCR tells pages."""
    fim = {"model": "codestral", "prompt": "def f(", "suffix": "return", "stream": True}
    assert sse(post("/v1/fim/completions", fim))[-1]["usage"]["prompt_tokens"] == 10
    ocr = post("/v1/ocr", {"model": "mistral-ocr-latest", "document": {"type": "document_url", "document_url": "x"}})
    assert ocr.json()["usage_info"]["pages_processed"] == 1


def test_huggingface(post):
    """Text Generation Inference: the last token carries the whole text."""
    assert post("/generate", {"inputs": "Hello there"}).json()["generated_text"] == TEXT
    streamed = sse(post("/generate_stream", {"inputs": "Hello there"}))
    assert "".join(event["token"]["text"] for event in streamed) == streamed[-1]["generated_text"] == TEXT
