"""OpenAI's Responses API.

Shapes: ``openai.types.responses.Response`` and ``ResponseStreamEvent``; https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import Answer, Ask, Call, Tokens, Turn, text_of
from ._wire import JSON, Frame, Request, StreamingFormat, routes, sse
from .openai import CREATED, error, halves, headers, tools


class Responses(StreamingFormat):
    """``/responses``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        given = body.get("input") or ""
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        system = [Turn("system", body["instructions"])] if body.get("instructions") else []
        return Ask(
            model=body.get("model") or "",
            turns=system + [_turn(item) for item in items],
            tools=tools(body.get("tools")),
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_output_tokens"),
            schema=((body.get("text") or {}).get("format") or {}).get("schema"),
        )

    def error(self, status: int, message: str) -> JSON:
        return error(status, message)

    def headers(self, request: Request) -> Mapping[str, str]:
        return headers(request)

    def whole(self, request: Request, answer: Answer) -> JSON:
        return _response(request, answer, "incomplete" if answer.finish == "length" else "completed", _output(answer))

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        status = "incomplete" if answer.finish == "length" else "completed"
        number = -1

        def event(kind: str, told: Tokens | None = None, **fields: Any) -> Frame:
            nonlocal number
            number += 1
            return sse({"type": kind, **fields, "sequence_number": number}, told, kind)

        started = _response(request, answer, "in_progress", [])
        yield event("response.created", response=started)
        yield event("response.in_progress", response=started)
        for index, item in enumerate(_output(answer)):
            place = {"output_index": index, "item_id": item["id"]}
            if item["type"] == "message":
                yield event("response.output_item.added", output_index=index, item=_begun(item, content=[]))
                yield event("response.content_part.added", **place, content_index=0, part=_text(""))
                for piece in answer.pieces:
                    yield event("response.output_text.delta", **place, content_index=0, delta=piece, logprobs=[])
                yield event("response.output_text.done", **place, content_index=0, text=answer.text, logprobs=[])
                yield event("response.content_part.done", **place, content_index=0, part=_text(answer.text))
            else:
                yield event("response.output_item.added", output_index=index, item=_begun(item, arguments=""))
                for part in halves(item["arguments"]):
                    yield event("response.function_call_arguments.delta", **place, delta=part)
                done = {"name": item["name"], "arguments": item["arguments"]}
                yield event("response.function_call_arguments.done", **place, **done)
            yield event("response.output_item.done", output_index=index, item=item)
        final = _response(request, answer, status, _output(answer))
        yield event(f"response.{status}", answer.tokens, response=final)

    def broken(self, request: Request) -> Frame:
        failure = {"code": "server_error", "message": "The server had an error", "param": None, "sequence_number": 99}
        return sse({"type": "error", **failure}, event="error")


def _turn(item: Mapping[str, Any]) -> Turn:
    kind = item.get("type", "message")
    if kind == "function_call_output":
        return Turn("tool", text_of(item["output"]))
    if kind != "message":
        return Turn("assistant", "")
    role = item.get("role", "user")
    return Turn("system" if role == "developer" else role, text_of(item.get("content")))


def _usage(tokens: Tokens) -> JSON:
    """``openai.types.responses.ResponseUsage``"""
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }


def _response(request: Request, answer: Answer, status: str, output: list[JSON]) -> JSON:
    body = request.json
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "service_tier": "default",
        "temperature": body.get("temperature", 1.0),
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": "disabled",
        "usage": None if status == "in_progress" else _usage(answer.tokens),
        "metadata": body.get("metadata") or {},
    }


def _output(answer: Answer) -> list[JSON]:
    if answer.calls:
        return [_call(call) for call in answer.calls]
    message = {"id": f"msg_{answer.id}", "type": "message", "status": "completed", "role": "assistant"}
    return [{**message, "content": [_text(answer.text)]}]


def _call(call: Call) -> JSON:
    return {
        "id": f"fc_{call.id}",
        "type": "function_call",
        "status": "completed",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.json,
    }


def _begun(item: Mapping[str, Any], **empty: Any) -> JSON:
    return {**item, "status": "in_progress", **empty}


def _text(text: str) -> JSON:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


ROUTES = routes((r"/responses$", Responses()))
