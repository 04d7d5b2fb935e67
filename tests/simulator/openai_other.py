"""OpenAI's other endpoints: embeddings, images, audio, moderations, and the list of models.

Shapes: ``openai.types.CreateEmbeddingResponse``, ``ImagesResponse``, ``audio.Transcription``,
``ModerationCreateResponse``; https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping

from ._answers import Answer, Ask, Tokens, Turn, text_of
from ._wire import JSON, Format, Request, Route, routes
from .anthropic import headers as anthropic_headers
from .openai import CREATED, error, headers

_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


class _Plain(Format):
    prompt_key = "input"

    def ask(self, request: Request) -> Ask:
        body = request.json
        model = body.get("model") or request.form("model") or request.captured.get("model", "")
        prompt = body.get(self.prompt_key) or request.form(self.prompt_key) or ""
        return Ask(model, [Turn("user", text_of(prompt))])

    def error(self, status: int, message: str) -> JSON:
        return error(status, message)

    def headers(self, request: Request) -> Mapping[str, str]:
        return headers(request)


class _Unmetered(_Plain):
    """A kind of call whose answer tells no usage."""

    def told(self, answer: Answer) -> None:
        return None


class Embeddings(_Plain):
    """``/embeddings``; the SDK asks for base64 unless told otherwise."""

    def whole(self, request: Request, answer: Answer) -> JSON:
        given = request.json["input"]
        vector: JSON = [0.25, -0.5, 0.125]
        if request.json.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack("<3f", *vector)).decode()
        inputs = given if isinstance(given, list) else [given]
        data = [{"object": "embedding", "index": index, "embedding": vector} for index, _ in enumerate(inputs)]
        tokens = answer.tokens.input
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": answer.model, "usage": usage}

    def told(self, answer: Answer) -> Tokens:
        return Tokens(input=answer.tokens.input)


class Images(_Plain):
    """``/images/generations``, ``/images/edits``"""

    prompt_key = "prompt"

    def whole(self, request: Request, answer: Answer) -> JSON:
        tokens = answer.tokens
        usage = {
            "input_tokens": tokens.input,
            "input_tokens_details": {"text_tokens": tokens.input, "image_tokens": 0},
            "output_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
        }
        return {"created": CREATED, "data": [{"b64_json": _PNG}], "usage": usage}


class Transcriptions(_Plain):
    """``/audio/transcriptions``, ``/audio/translations``"""

    prompt_key = "prompt"

    def whole(self, request: Request, answer: Answer) -> JSON:
        tokens = answer.tokens
        details = {"text_tokens": 0, "audio_tokens": tokens.input}
        counts = {"input_tokens": tokens.input, "output_tokens": tokens.output, "input_token_details": details}
        usage = {"type": "tokens", **counts, "total_tokens": tokens.input + tokens.output}
        return {"text": answer.text, "usage": usage}


class Speech(_Unmetered):
    """``/audio/speech``: bytes."""

    content_type = "audio/mpeg"

    def whole(self, request: Request, answer: Answer) -> bytes:
        return b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 64


class Moderations(_Unmetered):
    """``/moderations``"""

    def whole(self, request: Request, answer: Answer) -> JSON:
        names = ("harassment", "hate", "self-harm", "sexual", "violence")
        scores = dict.fromkeys(names, 0.001)
        result = {"flagged": False, "categories": dict.fromkeys(names, False), "category_scores": scores}
        return {"id": f"modr-{answer.id}", "model": answer.model or "omni-moderation-latest", "results": [result]}


class Models(_Unmetered):
    """``GET /v1/models``: no model call; Anthropic's spelling when its version header is there."""

    def whole(self, request: Request, answer: Answer) -> JSON:
        if "anthropic-version" in request.headers:
            one = {
                "type": "model",
                "id": "claude-sonnet-4-5",
                "display_name": "Claude",
                "created_at": "2025-09-29T00:00:00Z",
            }
            return {"data": [one], "has_more": False, "first_id": one["id"], "last_id": one["id"]}
        model = {"id": "gpt-4o-mini", "object": "model", "created": CREATED, "owned_by": "simulator"}
        return {"object": "list", "data": [model]}

    def headers(self, request: Request) -> Mapping[str, str]:
        return anthropic_headers(request) if "anthropic-version" in request.headers else headers(request)


_AZURE = r"(?:/openai/deployments/(?P<model>[^/]+))?"
ROUTES = [
    *routes(
        (rf"{_AZURE}/embeddings$", Embeddings()),
        (rf"{_AZURE}/images/(?:generations|edits|variations)$", Images()),
        (rf"{_AZURE}/audio/(?:transcriptions|translations)$", Transcriptions()),
        (rf"{_AZURE}/audio/speech$", Speech()),
        (r"/moderations$", Moderations()),
    ),
    Route(re.compile(r"/v1/models$"), Models(), "GET"),
]
