"""Google's other endpoints: embeddings, Vertex' ``predict`` (Imagen, Veo), and the Interactions API.

https://ai.google.dev/api/embeddings, https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text (PaLM's text by ``predict``),
and google-genai ``_gaos/types/interactions/`` (``Interaction``, ``Usage``, ``InteractionSSEEvent``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, Usage
from .._pattern import lazy_pattern
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._google import parts, pick, prompt_text, read_usage, requested_model
from ._google_interactions import fold_interaction, read_interaction
from ._json import add_counts, as_count, as_dict, as_float, as_str, dicts
from ._media import describe, describe_base64
from ._openai import is_pending


class _Format(Struct, frozen=True):
    """A wire format of two functions."""

    name: str
    folder: Callable[[Iterable[Frame]], Folded]
    reader: Callable[[WireRequest, Mapping[str, Any], CallError | None], LLMCall]

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return self.folder(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        if is_pending(request, body):  # an interaction in the background, which is asked after
            return None
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
    """Images come whole; a video's request is answered with an operation to poll. PaLM's text has the same door."""
    if _is_palm(request, body):
        return _palm(request, body, error)
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


_PALM = lazy_pattern(r"/models/(?:text|chat|code|codechat)-(?:bison|unicorn|gecko)[^/]*:predict$")


def _is_palm(request: WireRequest, body: Mapping[str, Any]) -> bool:
    """Whether text is asked for: by the model's name or, where it was tuned and has another, by how tokens are told."""
    return _PALM.search(request.path) is not None or "tokenMetadata" in as_dict(body.get("metadata"))


def _palm(request: WireRequest, body: Mapping[str, Any], error: CallError | None) -> LLMCall:
    """Text, code (``prefix``) and chat (``candidates`` in a prediction)."""
    asked = as_dict(request.body)
    settings = as_dict(asked.get("parameters"))
    instances = list(dicts(asked.get("instances")))
    tokens = as_dict(as_dict(body.get("metadata")).get("tokenMetadata"))
    counts = (as_dict(tokens.get(name)) for name in ("inputTokenCount", "outputTokenCount"))
    spent, made = (as_count(count.get("totalTokens")) for count in counts)
    answers = [one for found in dicts(body.get("predictions")) for one in (found, *dicts(found.get("candidates")))]
    said = (as_str(one.get("content")) for one in answers)
    return LLMCall(
        provider=request.provider,
        operation="chat" if any("messages" in instance for instance in instances) else "completion",
        requested_model=requested_model(request),
        usage=Usage(spent, made),
        messages=tuple(message for instance in instances for message in _palm_messages(instance)),
        output_text="\n".join(text for text in said if text) or None,
        error=error,
        temperature=as_float(settings.get("temperature")),
        max_tokens=as_count(settings.get("maxOutputTokens")),
        top_p=as_float(settings.get("topP")),
    )


def _palm_messages(instance: Mapping[str, Any]) -> Iterator[Message]:
    system = as_str(instance.get("context"))
    if system:
        yield Message("system", system)
    turns = list(dicts(instance.get("messages")))
    text = as_str(instance.get("prompt")) or as_str(instance.get("prefix"))
    if text:
        yield Message("user", text)
    for at, turn in enumerate(turns):
        # Authors have any name; the turns alternate, and the last one is the user's.
        yield Message("user" if (len(turns) - at) % 2 else "assistant", as_str(turn.get("content")) or "")


def _media(prediction: Mapping[str, Any]) -> str:
    media_type, data = as_str(pick(prediction, "mimeType")), pick(prediction, "bytesBase64Encoded")
    return describe_base64("image", media_type, data) if data else describe("prediction")


FORMATS = (
    _Format("google.embed", _one_object, _embed),
    _Format("google.predict", _one_object, _predict),
    _Format("google.interactions", fold_interaction, read_interaction),
)
