"""Cohere v2: chat, embed, rerank. What is billed and what was counted are two figures; the simulator makes them equal.

https://docs.cohere.com/reference/chat, https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import Answer, Ask, Tokens, Turn, text_of
from ._wire import JSON, Format, Frame, Request, StreamingFormat, routes, sse
from .openai import halves, tools

_FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool": "TOOL_CALL"}


class _Cohere(Format):
    def error(self, status: int, message: str) -> JSON:
        """https://docs.cohere.com/reference/errors"""
        return {"id": "err-simulator", "message": message}

    def headers(self, request: Request) -> Mapping[str, str]:
        return {"x-debug-trace-id": f"{request.number:032x}"}


class Chat(_Cohere, StreamingFormat):
    """``/v2/chat``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        return Ask(
            model=body["model"],
            turns=[Turn(message["role"], text_of(message.get("content"))) for message in body["messages"]],
            tools=tools(body.get("tools")),
            stream=bool(body.get("stream")),
            max_tokens=body.get("max_tokens"),
            schema=(body.get("response_format") or {}).get("json_schema"),
        )

    def whole(self, request: Request, answer: Answer) -> JSON:
        message: dict[str, Any] = {"role": "assistant"}
        if answer.calls:
            message |= {"tool_plan": "I will look.", "tool_calls": _calls(answer)}
        else:
            message["content"] = [{"type": "text", "text": answer.text}]
        finish = _FINISH[answer.finish]
        return {"id": answer.id, "finish_reason": finish, "message": message, "usage": _usage(answer.tokens)}

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        def event(kind: str, message: JSON = None, **fields: Any) -> Frame:
            delta = {} if message is None else {"delta": {"message": message}}
            return sse({"type": kind, **fields, **delta}, event=kind)

        start = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield event("message-start", start, id=answer.id)
        if answer.pieces:
            yield event("content-start", {"content": {"type": "text", "text": ""}}, index=0)
            for piece in answer.pieces:
                yield event("content-delta", {"content": {"text": piece}}, index=0)
            yield event("content-end", index=0)
        for index, call in enumerate(_calls(answer)):
            text = call["function"]["arguments"]
            begun = {**call, "function": {**call["function"], "arguments": ""}}
            yield event("tool-call-start", {"tool_calls": begun}, index=index)
            for part in halves(text):
                yield event("tool-call-delta", {"tool_calls": {"function": {"arguments": part}}}, index=index)
            yield event("tool-call-end", index=index)
        end = {"finish_reason": _FINISH[answer.finish], "usage": _usage(answer.tokens)}
        yield sse({"type": "message-end", "delta": end}, answer.tokens, "message-end")

    def broken(self, request: Request) -> Frame:
        delta = {"finish_reason": "ERROR", "error": "internal server error"}
        return sse({"type": "message-end", "delta": delta}, event="message-end")


class Embed(_Cohere):
    """``/v2/embed``"""

    def ask(self, request: Request) -> Ask:
        return Ask(request.json["model"], [Turn("user", text_of(request.json["texts"]))])

    def whole(self, request: Request, answer: Answer) -> JSON:
        texts = request.json["texts"]
        billed = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": answer.tokens.input}}
        vectors = {"float": [[0.25, -0.5, 0.125] for _ in texts]}
        return {
            "id": answer.id,
            "embeddings": vectors,
            "texts": texts,
            "meta": billed,
            "response_type": "embeddings_by_type",
        }

    def told(self, answer: Answer) -> Tokens:
        return Tokens(input=answer.tokens.input)


class Rerank(_Cohere):
    """``/v2/rerank``, billed by the search."""

    def ask(self, request: Request) -> Ask:
        return Ask(request.json["model"], [Turn("user", request.json["query"])])

    def whole(self, request: Request, answer: Answer) -> JSON:
        count = len(request.json["documents"])
        results = [{"index": index, "relevance_score": 1 / (index + 1)} for index in range(count)]
        meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
        return {"id": answer.id, "results": results[: request.json.get("top_n") or count], "meta": meta}

    def told(self, answer: Answer) -> None:
        return None


def _calls(answer: Answer) -> list[Any]:
    return [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}
        for call in answer.calls
    ]


def _usage(tokens: Tokens) -> JSON:
    counts = {"input_tokens": tokens.input, "output_tokens": tokens.output}
    return {"billed_units": counts, "tokens": counts, "cached_tokens": tokens.cached}


ROUTES = routes(
    (r"/v2/chat$", Chat()),
    (r"/v2/embed$", Embed()),
    (r"/v2/rerank$", Rerank()),
)
