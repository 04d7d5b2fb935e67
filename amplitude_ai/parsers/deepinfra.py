"""DeepInfra's own door: each model at a path of its own, for any task. https://deepinfra.com/docs/inference

Text answers ``results``, embeddings ``embeddings``, a reranker ``scores``, speech ``text``; all have an
``inference_status`` with what was counted and what it cost in USD (deepinfra-node ``types/common/status.ts``). A text's
stream is tokens, then ``[DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, Usage
from .._pattern import lazy_pattern
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts, texts
from ._media import describe
from ._paths import PathRow, on

_MODEL_IN_PATH = lazy_pattern(r"/v1/inference/(.+)$")


class _Inference:
    name = "deepinfra.inference"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        said: list[str] = []
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            body.update({name: value for name, value in event.items() if value is not None and name != "token"})
            text = as_str(as_dict(event.get("token")).get("text"))
            if text is not None:
                said.append(text)
                first = frame.end if first is None else first
            complete = complete or frame.data == "[DONE]" or isinstance(event.get("generated_text"), str)
        if said:
            body["results"] = [{"generated_text": "".join(said)}]
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        status = as_dict(body.get("inference_status"))
        matched = _MODEL_IN_PATH.search(request.path)
        result: Mapping[str, Any] = next(iter(dicts(body.get("results"))), {})
        text = result.get("generated_text", body.get("text"))
        cost = as_float(status.get("cost"))
        return LLMCall(
            provider=request.provider,
            operation=_operation(body),
            requested_model=matched.group(1) if matched else None,
            usage=_usage(body, status),
            messages=tuple(_messages(asked)),
            output_text=text if isinstance(text, str) else _shown(body),
            response_id=as_str(body.get("request_id")),
            error=_error(request, body),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_new_tokens")),
            top_p=as_float(asked.get("top_p")),
            reported_cost_usd=cost if cost is None or cost >= 0 else None,
        )


FORMATS = (_Inference(),)
PATHS = (PathRow(r"/v1/inference/[^/]+(?:/[^/]+)?", "deepinfra.inference", "deepinfra", on("deepinfra")),)


def _operation(body: Mapping[str, Any]) -> str:
    if "embeddings" in body:
        return "embeddings"
    if "images" in body:
        return "image"
    if "scores" in body:
        return "rerank"
    return "audio" if "segments" in body or "input_length_ms" in body else "completion"


def _usage(body: Mapping[str, Any], status: Mapping[str, Any]) -> Usage:
    counts = (as_count(body.get("num_input_tokens")), as_count(body.get("input_tokens")))
    read = next((count for count in counts if count is not None), as_count(status.get("tokens_input")))
    written = as_count(body.get("num_tokens"))
    length = as_float(body.get("input_length_ms"))
    return Usage(
        input_tokens=read,
        output_tokens=as_count(status.get("tokens_generated")) if written is None else written,
        extra={"input_audio_seconds": length / 1000} if length is not None and length >= 0 else {},
    )


def _shown(body: Mapping[str, Any]) -> str | None:
    return "\n".join(describe("image") for _ in as_list(body.get("images"))) or None


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """``{"error_type", "error_message"}`` in a stream (langchain-community ``llms/deepinfra.py``)."""
    message = as_str(body.get("error_message"))
    return CallError(as_str(body.get("error_type")), message) if message else error_of(request, body)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    for text in texts((asked.get("input"), *as_list(asked.get("inputs")), asked.get("prompt"), asked.get("query"))):
        yield Message("user", text)
