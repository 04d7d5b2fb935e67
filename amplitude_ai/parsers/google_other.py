"""Google's other endpoints: embeddings, Vertex' ``predict`` (Imagen, Veo), and the Interactions API.

https://ai.google.dev/api/embeddings, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api,
and google-genai ``_gaos/types/interactions/`` (``Interaction``, ``Usage``, ``InteractionSSEEvent``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._models import CallError, LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._google import parts, pick, prompt_text, read_usage, requested_model
from ._google_interactions import fold_interaction, read_interaction
from ._json import add_counts, as_count, as_dict, as_str, dicts
from ._media import describe, describe_base64


@dataclass(frozen=True, slots=True)
class _Format:
    """A wire format of two functions."""

    name: str
    folder: Callable[[Iterable[Frame]], Folded]
    reader: Callable[[WireRequest, Mapping[str, Any], CallError | None], LLMCall]

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return self.folder(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        return self.reader(request, body, error_of(request, body))


def _one_object(frames: Iterable[Frame]) -> Folded:
    """These do not stream; should one, its objects are taken together."""
    return one_object(frames)


def _embed(request: WireRequest, body: Mapping[str, Any], error: CallError | None) -> LLMCall:
    asked = as_dict(request.body)
    usage = read_usage(as_dict(pick(body, "usageMetadata")))
    usage = replace(usage, output_tokens=None)
    if usage.input_tokens is None:
        usage = replace(usage, input_tokens=_predicted_tokens(body))
    return LLMCall(
        provider=request.provider,
        operation="embeddings",
        requested_model=requested_model(request),
        usage=usage,
        messages=tuple(_embedded(asked)),
        error=error,
    )


def _predicted_tokens(body: Mapping[str, Any]) -> int | None:
    """Vertex counts each text: ``predictions[].embeddings.statistics.token_count``."""
    return add_counts(
        *(
            as_count(as_dict(as_dict(prediction.get("embeddings")).get("statistics")).get("token_count"))
            for prediction in dicts(body.get("predictions"))
        )
    )


def _embedded(asked: Mapping[str, Any]) -> Iterator[Message]:
    for one in (asked, *dicts(asked.get("requests"))):
        if one.get("content"):
            yield Message("user", prompt_text(parts(one["content"])))
    for instance in dicts(asked.get("instances")):
        text = as_str(instance.get("content")) or as_str(instance.get("text"))
        if text is not None:
            yield Message("user", text)


def _predict(request: WireRequest, body: Mapping[str, Any], error: CallError | None) -> LLMCall:
    """Images come whole; a video's request is answered with an operation to poll."""
    prompts = (as_str(instance.get("prompt")) for instance in dicts(as_dict(request.body).get("instances")))
    return LLMCall(
        provider=request.provider,
        operation="video" if request.path.endswith("LongRunning") else "image",
        requested_model=requested_model(request),
        usage=Usage(),
        messages=tuple(Message("user", prompt) for prompt in prompts if prompt),
        output_text="\n".join(_media(prediction) for prediction in dicts(body.get("predictions"))) or None,
        response_id=as_str(body.get("name")),
        error=error,
    )


def _media(prediction: Mapping[str, Any]) -> str:
    media_type, data = as_str(pick(prediction, "mimeType")), pick(prediction, "bytesBase64Encoded")
    return describe_base64("image", media_type, data) if data else describe("prediction")


FORMATS = (
    _Format("google.embed", _one_object, _embed),
    _Format("google.predict", _one_object, _predict),
    _Format("google.interactions", fold_interaction, read_interaction),
)
