"""Anthropic Messages, also under Vertex's path, and ``count_tokens``.

Shapes: ``anthropic.types.Message``, ``RawMessageStreamEvent``; https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ._answers import Answer, Ask, Tokens, Tool, Turn, count, text_of
from ._wire import JSON, Format, Frame, Request, StreamingFormat, routes, sse
from .openai import halves

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use"}
_ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    529: "overloaded_error",
}


def error(status: int, message: str) -> JSON:
    """https://docs.anthropic.com/en/api/errors"""
    kind = _ERROR_TYPES.get(status, "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_sim"}


def headers(request: Request) -> Mapping[str, str]:
    """https://docs.anthropic.com/en/api/rate-limits#response-headers"""
    return {
        "request-id": f"req_{request.number:08x}",
        "anthropic-organization-id": "org-simulator",
        "anthropic-ratelimit-requests-remaining": "999",
        "anthropic-ratelimit-tokens-remaining": "79000",
    }


def ask(request: Request, stream: bool) -> Ask:
    """What a Messages body wants; on Bedrock and Vertex the model is in the path."""
    body = request.json
    system = [Turn("system", text_of(body["system"]))] if body.get("system") else []
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return Ask(
        model=body.get("model") or request.captured.get("model", ""),
        turns=system + [_turn(message) for message in body["messages"]],
        tools=[Tool(tool["name"], tool["input_schema"]) for tool in body.get("tools") or () if "input_schema" in tool],
        stream=stream,
        max_tokens=body.get("max_tokens"),
        schema=wanted.get("schema"),
    )


def message(answer: Answer) -> JSON:
    """``anthropic.types.Message``"""
    content: list[JSON] = [{"type": "text", "text": answer.text}] if answer.text else []
    for call in answer.calls:
        content.append({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
    return {**_head(answer), "content": content, "stop_reason": _STOP[answer.finish], "usage": _usage(answer.tokens)}


def events(answer: Answer) -> Iterator[tuple[JSON, Tokens | None]]:
    """The events of a stream, each with the usage it tells; Bedrock frames the same ones in its own way."""
    begun = replace(answer.tokens, output=1, reasoning=0)
    yield {"type": "message_start", "message": {**_head(answer), "content": [], "usage": _usage(begun)}}, begun
    yield {"type": "ping"}, None
    blocks: list[tuple[JSON, list[JSON]]] = []
    if answer.pieces:
        deltas: list[JSON] = [{"type": "text_delta", "text": piece} for piece in answer.pieces]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for call in answer.calls:
        parts: list[JSON] = [{"type": "input_json_delta", "partial_json": part} for part in halves(call.json)]
        blocks.append(({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, parts))
    for index, (block, deltas) in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": block}, None
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}, None
        yield {"type": "content_block_stop", "index": index}, None
    # Cumulative, and without the input side: what message_start said of it still holds.
    last = {"output_tokens": answer.tokens.output}
    if answer.tokens.reasoning:
        last |= _details(answer.tokens)
    delta = {"stop_reason": _STOP[answer.finish], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": last}, answer.tokens
    yield {"type": "message_stop"}, None


def failure() -> JSON:
    """The event of an error after HTTP 200."""
    return error(529, "Overloaded")


class Messages(StreamingFormat):
    """``/v1/messages`` and ``…:rawPredict``, ``…:streamRawPredict``"""

    def ask(self, request: Request) -> Ask:
        return ask(request, bool(request.json.get("stream")))

    def error(self, status: int, message: str) -> JSON:
        return error(status, message)

    def headers(self, request: Request) -> Mapping[str, str]:
        return headers(request)

    def whole(self, request: Request, answer: Answer) -> JSON:
        return message(answer)

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        for event, told in events(answer):
            yield sse(event, told, event["type"])

    def broken(self, request: Request) -> Frame:
        return sse(failure(), event="error")


class CountTokens(Format):
    """``/v1/messages/count_tokens``: no model call."""

    def ask(self, request: Request) -> Ask:
        return ask(request, False)

    def error(self, status: int, message: str) -> JSON:
        return error(status, message)

    def whole(self, request: Request, answer: Answer) -> JSON:
        return {"input_tokens": count(self.ask(request).turns)}

    def told(self, answer: Answer) -> None:
        return None


def _turn(given: Mapping[str, Any]) -> Turn:
    content = given["content"]
    is_result = isinstance(content, list) and any(block.get("type") == "tool_result" for block in content)
    return Turn("tool" if is_result else given["role"], text_of(content))


def _head(answer: Answer) -> dict[str, Any]:
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "stop_reason": None,
        "stop_sequence": None,
    }


def _details(tokens: Tokens) -> dict[str, Any]:
    return {"output_tokens_details": {"thinking_tokens": tokens.reasoning}}


def _usage(tokens: Tokens) -> JSON:
    """``anthropic.types.Usage``: input_tokens excludes what the cache read and wrote."""
    return {
        "input_tokens": tokens.input - tokens.cached - tokens.cache_write,
        "cache_creation_input_tokens": tokens.cache_write,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": tokens.output,
        "service_tier": "standard",
        **(_details(tokens) if tokens.reasoning else {}),
    }


ROUTES = routes(
    (r"/messages/count_tokens$", CountTokens()),
    (r"/messages$", Messages()),
    (r"/publishers/anthropic/models/(?P<model>[^/:]+):(?:streamRawPredict|rawPredict)$", Messages()),
)
