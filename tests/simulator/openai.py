"""OpenAI chat completions and legacy completions, and Azure's spelling of them.

Shapes: ``openai.types.chat.ChatCompletion``, ``ChatCompletionChunk``, ``openai.types.Completion``;
https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import Answer, Ask, Call, Tokens, Tool, Turn, text_of
from ._wire import JSON, Frame, Request, StreamingFormat, routes, sse

CREATED = 1_760_000_000
DONE = Frame(b"data: [DONE]\n\n")
_ROLES = {"developer": "system", "function": "tool"}
_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls"}
_ERROR_TYPES = {
    401: "authentication_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}
_ERROR_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def error(status: int, message: str) -> JSON:
    """https://platform.openai.com/docs/guides/error-codes"""
    kind = _ERROR_TYPES.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": _ERROR_CODES.get(status)}}


def headers(request: Request) -> Mapping[str, str]:
    """https://platform.openai.com/docs/api-reference/debugging-requests"""
    return {
        "x-request-id": f"req_{request.number:08x}",
        "openai-processing-ms": "5",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-remaining-tokens": "29990",
    }


def tools(offered: Any) -> list[Tool]:
    """The caller's functions; chat nests them, Responses does not."""
    functions = [tool.get("function", tool) for tool in offered or () if tool.get("type") == "function"]
    return [Tool(function["name"], function.get("parameters") or {}) for function in functions]


def usage(tokens: Tokens) -> JSON:
    """``openai.types.CompletionUsage``"""
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


class _OpenAI(StreamingFormat):
    def error(self, status: int, message: str) -> JSON:
        return error(status, message)

    def headers(self, request: Request) -> Mapping[str, str]:
        return headers(request)

    def broken(self, request: Request) -> Frame:
        return sse(error(500, "The server had an error while processing your request"))


class Chat(_OpenAI):
    """``/chat/completions``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        wanted = (body.get("response_format") or {}).get("json_schema") or {}
        return Ask(
            model=body.get("model") or request.captured.get("model", ""),
            turns=[
                Turn(_ROLES.get(message["role"], message["role"]), text_of(message.get("content")))
                for message in body["messages"]
            ],
            tools=tools(body.get("tools")),
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            schema=wanted.get("schema"),
        )

    def whole(self, request: Request, answer: Answer) -> JSON:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
        if answer.calls:
            message["tool_calls"] = [_call(call) for call in answer.calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH[answer.finish]}
        return {**_head(answer, "chat.completion"), "choices": [choice], "usage": usage(answer.tokens)}

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        head = _head(answer, "chat.completion.chunk")
        asked = (request.json.get("stream_options") or {}).get("include_usage") or answer.usage
        rest = {"usage": None} if asked else {}

        def chunk(delta: JSON, finish: str | None = None) -> Frame:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return sse({**head, "choices": [choice], **rest})

        yield chunk({"role": "assistant", "content": None if answer.calls else "", "refusal": None})
        for piece in answer.pieces:
            yield chunk({"content": piece})
        for index, call in enumerate(answer.calls):
            function = {"name": call.name, "arguments": ""}
            yield chunk({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
            for part in halves(call.json):
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        yield chunk({}, _FINISH[answer.finish])
        if asked:
            yield sse({**head, "choices": [], "usage": usage(answer.tokens)}, answer.tokens)
        yield DONE


class AzureChat(Chat):
    """The same behind a deployment, with Azure's content filters: an extra first chunk without choices.

    https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
    """

    def headers(self, request: Request) -> Mapping[str, str]:
        return {"apim-request-id": f"{request.number:08x}-apim", "x-ms-region": "Simulated", **headers(request)}

    def whole(self, request: Request, answer: Answer) -> JSON:
        body = super().whole(request, answer)
        body["choices"][0]["content_filter_results"] = _FILTERS
        return {**body, "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _FILTERS}]}

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        results = [{"prompt_index": 0, "content_filter_results": _FILTERS}]
        yield sse({**_head(answer, ""), "id": "", "created": 0, "choices": [], "prompt_filter_results": results})
        yield from super().stream(request, answer)


class Completions(_OpenAI):
    """``/completions``, the legacy text endpoint."""

    def ask(self, request: Request) -> Ask:
        body = request.json
        return Ask(
            model=body.get("model") or request.captured.get("model", ""),
            turns=[Turn("user", text_of(body["prompt"]))],
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_tokens"),
        )

    def whole(self, request: Request, answer: Answer) -> JSON:
        return {
            **_head(answer, "text_completion"),
            "choices": [_text_choice(answer.text, answer.finish)],
            "usage": usage(answer.tokens),
        }

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        head = _head(answer, "text_completion")
        for piece in answer.pieces:
            yield sse({**head, "choices": [_text_choice(piece, None)]})
        yield sse({**head, "choices": [_text_choice("", answer.finish)]})
        if (request.json.get("stream_options") or {}).get("include_usage") or answer.usage:
            yield sse({**head, "choices": [], "usage": usage(answer.tokens)}, answer.tokens)
        yield DONE


_FILTERS = {"hate": {"filtered": False, "severity": "safe"}}


def _head(answer: Answer, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": kind,
        "created": CREATED,
        "model": answer.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulator",
    }


def _call(call: Call) -> JSON:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}


def _text_choice(text: str, finish: str | None) -> JSON:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def halves(text: str) -> tuple[str, str]:
    """A text cut in two, as arguments are when they are streamed."""
    middle = len(text) // 2
    return text[:middle], text[middle:]


ROUTES = routes(
    (r"/openai/deployments/(?P<model>[^/]+)/chat/completions$", AzureChat()),
    (r"/openai/deployments/(?P<model>[^/]+)/completions$", Completions()),
    (r"/chat/completions$", Chat()),
    (r"(?<!fim)(?<!chat)/completions$", Completions()),
)
