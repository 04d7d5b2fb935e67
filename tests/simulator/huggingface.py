"""Text Generation Inference's own endpoints: ``/generate`` and ``/generate_stream``.

https://huggingface.github.io/text-generation-inference/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ._answers import Answer, Ask, Tokens, Turn
from ._wire import JSON, Frame, Request, StreamingFormat, routes, sse

_FINISH = {"stop": "eos_token", "length": "length", "tool": "eos_token"}


class Generate(StreamingFormat):
    """``/generate``, ``/generate_stream``; the answer tells its own tokens, not the prompt's."""

    def ask(self, request: Request) -> Ask:
        limit = (request.json.get("parameters") or {}).get("max_new_tokens")
        stream = request.path.endswith("_stream")
        return Ask("tgi", [Turn("user", request.json["inputs"])], stream=stream, max_tokens=limit)

    def whole(self, request: Request, answer: Answer) -> JSON:
        return {"generated_text": answer.text, "details": _details(answer)}

    def told(self, answer: Answer) -> Tokens:
        return replace(answer.tokens, input=0)

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        for index, piece in enumerate(answer.pieces, 1):
            body: dict[str, Any] = {
                "index": index,
                "token": {"id": index, "text": piece, "logprob": -0.1, "special": False},
                "generated_text": None,
                "details": None,
            }
            if index < len(answer.pieces):
                yield sse(body)
            else:
                yield sse({**body, "generated_text": answer.text, "details": _details(answer)}, self.told(answer))

    def error(self, status: int, message: str) -> JSON:
        return {"error": message, "error_type": "overloaded" if status == 429 else "generation"}

    def broken(self, request: Request) -> Frame:
        return sse(self.error(500, "Request failed during generation"), event="error")


def _details(answer: Answer) -> JSON:
    return {"finish_reason": _FINISH[answer.finish], "generated_tokens": answer.tokens.output, "seed": None}


ROUTES = routes((r"/generate(?:_stream)?$", Generate()))
