"""Mistral's own endpoints: fill-in-the-middle and OCR. Its chat is OpenAI's, with usage in every stream (``usage``).

https://docs.mistral.ai/api/#tag/fim, https://docs.mistral.ai/api/#tag/ocr
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ._answers import Answer, Ask, Turn
from ._wire import JSON, Format, Frame, Request, routes
from .openai import Chat


def _error(status: int, message: str) -> JSON:
    """``mistralai.models.SDKError`` reads ``message``."""
    return {"object": "error", "message": message, "type": "invalid_request_error", "param": None, "code": str(status)}


class Fim(Chat):
    """``/fim/completions``: a prompt in, a chat completion out."""

    def ask(self, request: Request) -> Ask:
        body = request.json
        turns = [Turn("user", body["prompt"]), Turn("user", body.get("suffix") or "")]
        return Ask(body["model"], turns, stream=bool(body.get("stream")), max_tokens=body.get("max_tokens"))

    def error(self, status: int, message: str) -> JSON:
        return _error(status, message)

    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        return super().stream(request, replace(answer, usage=True))


class Ocr(Format):
    """``/ocr``, billed by the page."""

    def ask(self, request: Request) -> Ask:
        return Ask(request.json["model"])

    def whole(self, request: Request, answer: Answer) -> JSON:
        page = {
            "index": 0,
            "markdown": answer.text,
            "images": [],
            "dimensions": {"dpi": 200, "height": 10, "width": 10},
        }
        return {"pages": [page], "model": answer.model, "usage_info": {"pages_processed": 1, "doc_size_bytes": 1000}}

    def error(self, status: int, message: str) -> JSON:
        return _error(status, message)

    def told(self, answer: Answer) -> None:
        return None


ROUTES = routes((r"/fim/completions$", Fim()), (r"/ocr$", Ocr()))
