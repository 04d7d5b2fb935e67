"""Ollama's own API: chat, generate, embed; newline-delimited JSON, streamed unless told otherwise.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from ._answers import Answer, Ask, Tokens, Turn, text_of
from ._wire import JSON, Format, Frame, Request, StreamingFormat, dumps, routes
from .openai import tools

_CREATED = "2025-10-09T08:53:20.000000Z"
_DONE = {"stop": "stop", "length": "length", "tool": "stop"}


class _Ollama(Format):
    def error(self, status: int, message: str) -> JSON:
        return {"error": message}


class _Generating(_Ollama, StreamingFormat):
    """What chat and generate share: one object, or a line for each piece and a last one with the counts."""

    @abstractmethod
    def said(self, text: str, calls: list[JSON]) -> JSON:
        """The part of a line that holds the answer."""

    def whole(self, request: Request, answer: Answer) -> JSON:
        return {**_head(answer), **self.said(answer.text, _calls(answer)), **_end(answer)}

    def stream_type(self, request: Request) -> str:
        return "application/x-ndjson"

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        for piece in answer.pieces:
            yield _line({**_head(answer), **self.said(piece, []), "done": False})
        if answer.calls:
            yield _line({**_head(answer), **self.said("", _calls(answer)), "done": False})
        yield _line({**_head(answer), **self.said("", []), **_end(answer)}, answer.tokens)

    def broken(self, request: Request) -> Frame:
        return _line(self.error(500, "an error was encountered while running the model"))


class Chat(_Generating):
    """``/api/chat``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        schema = body.get("format")
        return Ask(
            model=body["model"],
            turns=[Turn(message["role"], text_of(message.get("content"))) for message in body["messages"]],
            tools=tools(body.get("tools")),
            stream=body.get("stream", True),
            max_tokens=(body.get("options") or {}).get("num_predict"),
            schema=schema if isinstance(schema, dict) else None,
        )

    def said(self, text: str, calls: list[JSON]) -> JSON:
        return {"message": {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}}


class Generate(_Generating):
    """``/api/generate``"""

    def ask(self, request: Request) -> Ask:
        body = request.json
        system = [Turn("system", body["system"])] if body.get("system") else []
        limit = (body.get("options") or {}).get("num_predict")
        return Ask(
            body["model"], [*system, Turn("user", body["prompt"])], stream=body.get("stream", True), max_tokens=limit
        )

    def said(self, text: str, calls: list[JSON]) -> JSON:
        return {"response": text}


class Embed(_Ollama):
    """``/api/embed``"""

    def ask(self, request: Request) -> Ask:
        return Ask(request.json["model"], [Turn("user", text_of(request.json["input"]))])

    def whole(self, request: Request, answer: Answer) -> JSON:
        given = request.json["input"]
        vectors = [[0.25, -0.5, 0.125] for _ in (given if isinstance(given, list) else [given])]
        counts = {"total_duration": 5_000_000, "load_duration": 1_000_000, "prompt_eval_count": answer.tokens.input}
        return {"model": answer.model, "embeddings": vectors, **counts}

    def told(self, answer: Answer) -> Tokens:
        return Tokens(input=answer.tokens.input)


def _head(answer: Answer) -> dict[str, Any]:
    return {"model": answer.model, "created_at": _CREATED}


def _calls(answer: Answer) -> list[JSON]:
    return [{"function": {"name": call.name, "arguments": call.arguments}} for call in answer.calls]


def _end(answer: Answer) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": _DONE[answer.finish],
        "total_duration": 5_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": answer.tokens.input,
        "prompt_eval_duration": 1_000_000,
        "eval_count": answer.tokens.output,
        "eval_duration": 3_000_000,
    }


def _line(value: Mapping[str, Any], told: Tokens | None = None) -> Frame:
    return Frame(dumps(value) + b"\n", told)


ROUTES = routes(
    (r"/api/chat$", Chat()),
    (r"/api/generate$", Generate()),
    (r"/api/embed$", Embed()),
)
