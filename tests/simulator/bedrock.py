"""Amazon Bedrock: converse and invoke, plain and as event streams.

Frames: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html (the same framing);
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from . import anthropic
from ._answers import Answer, Ask, Tokens, Tool, Turn, text_of
from ._wire import JSON, Frame, Request, StreamingFormat, dumps, routes
from .openai import halves

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}
_EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


class _Bedrock(StreamingFormat):
    def stream_type(self, request: Request) -> str:
        return "application/vnd.amazon.eventstream"

    def headers(self, request: Request) -> Mapping[str, str]:
        return {"x-amzn-requestid": f"{request.number:08x}-bedrock"}

    def error(self, status: int, message: str) -> JSON:
        return {"message": message}

    def error_headers(self, status: int) -> Mapping[str, str]:
        return {"x-amzn-errortype": f"{_EXCEPTIONS.get(status, 'InternalServerException')}:http://internal.amazon.com/"}

    def broken(self, request: Request) -> Frame:
        body = dumps({"message": "Too many requests, please wait before trying again."})
        return Frame(_frame("throttlingException", body, "exception"))


class Converse(_Bedrock):
    """``/model/{id}/converse`` and ``/converse-stream``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        specs = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools") or () if "toolSpec" in tool]
        return Ask(
            model=request.captured["model"],
            turns=[Turn("system", text_of(body.get("system"))), *map(_turn, body["messages"])],
            tools=[Tool(spec["name"], spec["inputSchema"]["json"]) for spec in specs],
            stream=request.path.endswith("/converse-stream"),
            max_tokens=(body.get("inferenceConfig") or {}).get("maxTokens"),
        )

    def whole(self, request: Request, answer: Answer) -> JSON:
        content: list[JSON] = [{"text": answer.text}] if answer.text else []
        for call in answer.calls:
            content.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}})
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": _STOP[answer.finish],
            **_metadata(answer.tokens),
        }

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        yield _event("messageStart", {"role": "assistant"})
        for piece in answer.pieces:
            yield _event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})
        if answer.pieces:
            yield _event("contentBlockStop", {"contentBlockIndex": 0})
        for index, call in enumerate(answer.calls):
            start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
            yield _event("contentBlockStart", {"contentBlockIndex": index, "start": start})
            for part in halves(call.json):
                yield _event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": part}}})
            yield _event("contentBlockStop", {"contentBlockIndex": index})
        yield _event("messageStop", {"stopReason": _STOP[answer.finish]})
        yield _event("metadata", _metadata(answer.tokens), answer.tokens)


class Invoke(_Bedrock):
    """``/model/{id}/invoke`` and ``/invoke-with-response-stream``, with Anthropic's bodies."""

    def ask(self, request: Request) -> Ask:
        return anthropic.ask(request, request.path.endswith("-with-response-stream"))

    def headers(self, request: Request) -> Mapping[str, str]:
        return {**super().headers(request), "x-amzn-bedrock-content-type": "application/json"}

    def whole(self, request: Request, answer: Answer) -> JSON:
        return anthropic.message(answer)

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        for event, told in anthropic.events(answer):
            yield _event("chunk", {"bytes": base64.b64encode(dumps(event)).decode()}, told)


def _turn(message: Mapping[str, Any]) -> Turn:
    content = message["content"]
    results = [block["toolResult"] for block in content if "toolResult" in block]
    return Turn("tool", text_of(results)) if results else Turn(message["role"], text_of(content))


def _metadata(tokens: Tokens) -> dict[str, Any]:
    """``inputTokens`` excludes what the cache read and wrote."""
    usage = {
        "inputTokens": tokens.input - tokens.cached - tokens.cache_write,
        "outputTokens": tokens.output,
        "totalTokens": tokens.input + tokens.output,
    }
    if tokens.cached or tokens.cache_write:
        usage |= {"cacheReadInputTokens": tokens.cached, "cacheWriteInputTokens": tokens.cache_write}
    return {"usage": usage, "metrics": {"latencyMs": 5}}


def _event(kind: str, value: JSON, told: Tokens | None = None) -> Frame:
    return Frame(_frame(kind, dumps(value), "event"), told)


def _frame(kind: str, payload: bytes, message_type: str) -> bytes:
    """One event-stream frame: lengths, their CRC, headers (type 7: a string), payload, the CRC of it all."""
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in {
            f":{message_type}-type": kind,
            ":content-type": "application/json",
            ":message-type": message_type,
        }.items()
    )
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


ROUTES = routes(
    (r"/model/(?P<model>.+)/converse(?:-stream)?$", Converse()),
    (r"/model/(?P<model>.+)/invoke(?:-with-response-stream)?$", Invoke()),
)
