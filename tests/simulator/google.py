"""Gemini: generateContent, streamGenerateContent (SSE, or one JSON array), embedContent, countTokens.

Shapes: ``google.genai.types.GenerateContentResponse``; https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ._answers import Answer, Ask, Tokens, Tool, Turn, count, text_of
from ._wire import JSON, Format, Frame, Request, StreamingFormat, dumps, routes, sse

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP"}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class _Gemini(Format):
    def error(self, status: int, message: str) -> JSON:
        """https://cloud.google.com/apis/design/errors#http_mapping"""
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}}

    def headers(self, request: Request) -> Mapping[str, str]:
        return {"server-timing": "gfet4t7; dur=5"}

    def ask(self, request: Request) -> Ask:
        body = request.json
        contents = body.get("contents") or [body.get("content") or {}]
        system = _get(body, "systemInstruction")
        config = _get(body, "generationConfig") or {}
        return Ask(
            model=request.captured["model"],
            turns=([Turn("system", text_of(system))] if system else []) + [_turn(content) for content in contents],
            tools=list(_tools(body.get("tools"))),
            stream=request.path.endswith(":streamGenerateContent"),
            max_tokens=_get(config, "maxOutputTokens"),
            schema=_get(config, "responseJsonSchema", "responseSchema"),
        )


class Generate(_Gemini, StreamingFormat):
    """``:generateContent`` and ``:streamGenerateContent``: SSE with ``alt=sse``, else one JSON array."""

    def whole(self, request: Request, answer: Answer) -> JSON:
        return _response(answer, _parts(answer), answer.tokens, _FINISH[answer.finish])

    def stream_type(self, request: Request) -> str:
        return super().stream_type(request) if _is_sse(request) else "application/json; charset=UTF-8"

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        if _is_sse(request):
            yield from (sse(body, told) for body, told in _responses(answer))
            return
        before = b"["
        for body, told in _responses(answer):
            yield Frame(before + dumps(body), told)
            before = b",\r\n"
        yield Frame(b"]")

    def broken(self, request: Request) -> Frame:
        body = self.error(503, "The model is overloaded. Please try again later.")
        return sse(body) if _is_sse(request) else Frame(b",\r\n" + dumps(body) + b"]")


class CountTokens(_Gemini):
    """``:countTokens``: no model call."""

    def whole(self, request: Request, answer: Answer) -> JSON:
        return {"totalTokens": count(self.ask(request).turns)}

    def told(self, answer: Answer) -> None:
        return None


class Embed(_Gemini):
    """``:embedContent`` and ``:batchEmbedContents``; neither tells usage."""

    def ask(self, request: Request) -> Ask:
        contents = [part["content"] for part in request.json.get("requests") or [request.json]]
        return Ask(request.captured["model"], [Turn("user", text_of(content)) for content in contents])

    def whole(self, request: Request, answer: Answer) -> JSON:
        if "requests" in request.json:
            return {"embeddings": [{"values": [0.1, 0.2, 0.3]} for _ in request.json["requests"]]}
        return {"embedding": {"values": [0.1, 0.2, 0.3]}}

    def told(self, answer: Answer) -> None:
        return None


def _get(message: Mapping[str, Any], *names: str) -> Any:
    """A field of a message. Proto JSON takes both spellings, and google-genai 3 uses both in one body."""
    for name in names:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        if value := message.get(name) or message.get(snake):
            return value
    return None


def _is_sse(request: Request) -> bool:
    return request.query.get("alt") == "sse"


def _turn(content: Mapping[str, Any]) -> Turn:
    parts = content.get("parts") or []
    results = [result for part in parts if (result := _get(part, "functionResponse"))]
    if results:
        return Turn("tool", text_of(results))
    return Turn("assistant" if content.get("role") == "model" else "user", text_of(parts))


def _tools(offered: Any) -> Iterator[Tool]:
    for tool in offered or ():
        for function in _get(tool, "functionDeclarations") or ():
            schema = _get(function, "parametersJsonSchema", "parameters") or {}
            yield Tool(function["name"], schema)


def _parts(answer: Answer) -> list[JSON]:
    if answer.calls:
        return [{"functionCall": {"name": call.name, "args": call.arguments}} for call in answer.calls]
    return [{"text": answer.text}]


def _usage(tokens: Tokens) -> JSON:
    """``UsageMetadata``: the prompt includes what was cached; candidates exclude the thoughts."""
    usage: dict[str, Any] = {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "totalTokenCount": tokens.input + tokens.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.input}],
    }
    if tokens.cached:
        usage["cachedContentTokenCount"] = tokens.cached
    if tokens.reasoning:
        usage["thoughtsTokenCount"] = tokens.reasoning
    return usage


def _response(answer: Answer, parts: list[JSON], told: Tokens, finish: str | None) -> JSON:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(told),
        "modelVersion": answer.model,
        "responseId": f"gemini-{answer.id}",
    }


def _responses(answer: Answer) -> Iterator[tuple[JSON, Tokens]]:
    """A stream: every element is a response of its own and tells the usage so far."""
    parts = [{"text": piece} for piece in answer.pieces] or _parts(answer)
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        so_far = replace(answer.tokens, output=number, reasoning=0)
        told = answer.tokens if last else so_far
        yield _response(answer, [part], told, _FINISH[answer.finish] if last else None), told


_MODEL = r"/models/(?P<model>[^/:]+)"
ROUTES = routes(
    (rf"{_MODEL}:(?:generateContent|streamGenerateContent)$", Generate()),
    (rf"{_MODEL}:(?:embedContent|batchEmbedContents)$", Embed()),
    (rf"{_MODEL}:countTokens$", CountTokens()),
)
