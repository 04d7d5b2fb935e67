"""Yandex' own API: YandexGPT's answers, embeddings, classification, images.

https://yandex.cloud/docs/foundation-models/text-generation/api-ref/. Counts are texts, as protobuf's JSON has them. A
stream is lines ``{"result": …}``, each with the answer so far. What is asked for with ``…Async`` is fetched as an
operation, which is the record. https://yandex.cloud/docs/foundation-models/operations/generation/async-request
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, ToolCall, ToolResult, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts, text_count
from ._media import describe_base64
from ._paths import PathRow, on
from ._repeats import together

_ROLES = {"user": "user", "assistant": "assistant"}
_PARTIAL = "ALTERNATIVE_STATUS_PARTIAL"


class _Completion:
    name = "yandex.completion"
    framing = "ndjson"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        texts: list[str] = []
        first = None
        for frame in frames:
            event = as_dict(frame.data)
            told = as_dict(event.get("result")) or event
            body.update({name: value for name, value in told.items() if value is not None})
            text = _message(told).get("text")
            if isinstance(text, str) and text:
                texts.append(text)
                first = frame.end if first is None else first
        alternative = dict(_alternative(body))
        if texts:
            alternative["message"] = {**_message(body), "text": together(texts)}
            body["alternatives"] = [alternative]
        return Folded(body, as_str(alternative.get("status")) not in (None, _PARTIAL), first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        error = error_of(request, body)
        accepted = request.status is not None and not request.refused
        if error is None and accepted and request.path.endswith("Async"):
            return None  # it has begun
        answer = as_dict(body.get("result")) or as_dict(body.get("response")) or body
        if request.method == "GET" and not _is_answer(answer):
            return None  # it has not ended, or it is another operation of the cloud's
        options = as_dict(asked.get("completionOptions"))
        return LLMCall(
            provider=request.provider,
            operation=_operation(request.path, answer),
            requested_model=as_str(asked.get("modelUri")),
            usage=_usage(answer),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_results(asked)),
            output_text=_text(answer),
            tool_calls=tuple(_calls(_message(answer))),
            finish_reason=as_str(_alternative(answer).get("status")),
            response_id=as_str(body.get("id")),
            error=error,
            temperature=as_float(options.get("temperature")),
            max_tokens=_count(options.get("maxTokens")),
        )


FORMATS = (_Completion(),)
PATHS = (
    PathRow(
        r"/foundationModels/v1/(?:completion(?:Async)?|textEmbedding|(?:fewShotT|t)extClassification"
        r"|imageGenerationAsync)",
        "yandex.completion",
        "yandex",
        on("yandex"),
    ),
    PathRow(r"/operations/[^/]+", "yandex.completion", "yandex", on("yandex"), frozenset({"GET"})),
)


def _operation(path: str, answer: Mapping[str, Any]) -> str:
    if "image" in answer or "image" in path:
        return "image"
    if path.endswith("Embedding"):
        return "embeddings"
    return "classification" if path.endswith("Classification") else "chat"


def _is_answer(answer: Mapping[str, Any]) -> bool:
    return bool(_alternative(answer)) or as_str(answer.get("image")) is not None


def _alternative(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(dicts(answer.get("alternatives"))), {})


def _message(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_dict(_alternative(answer).get("message"))


def _text(answer: Mapping[str, Any]) -> str | None:
    if answer.get("image"):
        return describe_base64("image", None, answer["image"])
    text = _message(answer).get("text")
    return text if isinstance(text, str) else None


def _count(value: object) -> int | None:
    """A count, as protobuf's JSON has it or as people write it."""
    return text_count(value) if isinstance(value, str) else as_count(value)


def _usage(answer: Mapping[str, Any]) -> Usage:
    told = as_dict(answer.get("usage"))
    read = _count(told.get("inputTextTokens"))
    return Usage(
        input_tokens=_count(answer.get("numTokens")) if read is None else read,  # of embeddings
        output_tokens=_count(told.get("completionTokens")),
        total_tokens=_count(told.get("totalTokens")),
        reasoning_tokens=_count(as_dict(told.get("completionTokensDetails")).get("reasoningTokens")),
    )


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    for turn in dicts(asked.get("messages")):
        role, text = as_str(turn.get("role")), turn.get("text")
        if isinstance(text, str):
            # A description of an image has no role.
            yield Message("user" if role is None else _ROLES.get(role, "system"), text)
    if as_str(asked.get("text")):
        yield Message("user", asked["text"])


def _calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    for one in dicts(as_dict(message.get("toolCallList")).get("toolCalls")):
        function = as_dict(one.get("functionCall"))
        name = as_str(function.get("name"))
        if name is not None:
            yield ToolCall(name=name, arguments=function.get("arguments"))


def _results(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    for turn in dicts(asked.get("messages")):
        for one in as_list(as_dict(turn.get("toolResultList")).get("toolResults")):
            found = as_dict(as_dict(one).get("functionResult"))
            if as_str(found.get("name")):
                yield ToolResult(None, found.get("content"), as_str(found.get("name")))
