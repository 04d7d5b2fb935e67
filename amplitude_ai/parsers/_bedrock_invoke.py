"""The bodies of Bedrock's ``invoke``: each model family's own.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html. Anthropic's and the chat-shaped ones are
read by their own parsers, Cohere's Command R too; here are the rest: Llama, Titan, Mistral's and Cohere's text models,
Pegasus, embeddings, reranking, images.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message, Usage
from . import cohere, openai_chat
from ._anthropic_fold import fold_message
from ._bedrock_converse import fold_converse
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ._media import describe_base64
from .anthropic import read_message

#: Where the families put what they wrote, in a body or in a piece of a stream.
_TEXT_FIELDS = ("generation", "outputText", "completion", "text", "message")
_REASON_FIELDS = ("stop_reason", "completionReason", "finish_reason", "finishReason")
#: What only a stream's last piece has: Titan gives no reason where a guardrail stepped in.
_LAST = ("amazon-bedrock-invocationMetrics", "totalOutputTextTokenCount", "amazon-bedrock-guardrailAction")
_PROMPT_FIELDS = ("prompt", "inputText", "message", "inputPrompt")
#: What images are asked with (Titan, Nova Canvas, Stability's), and answered.
_IMAGE_TASKS = frozenset(
    ("TEXT_IMAGE", "COLOR_GUIDED_GENERATION", "IMAGE_VARIATION", "INPAINTING", "OUTPAINTING", "BACKGROUND_REMOVAL")
)
_IMAGES = ("images", "artifacts")
#: What embeddings are asked with: Titan's, Cohere's, TwelveLabs'.
_EMBEDDED = ("embeddingTypes", "input_type", "inputType")


def fold_invoke(frames: Iterable[Frame], request: WireRequest) -> Folded:
    """Fold the pieces by the family of the first one."""
    pieces = iter(frames)
    first = next(pieces, None)
    if first is None:
        return Folded({}, False)
    every = chain((first,), pieces)
    opening = as_dict(first.data)
    if "anthropic_version" in request.body or opening.get("type") == "message_start":
        return fold_message(every)
    if "messageStart" in opening:  # Nova: each piece is one Converse event
        return fold_converse(_converse_events(every))
    if "choices" in opening and "messages" in request.body:
        return openai_chat.FORMAT.fold(every, request)
    if "event_type" in opening:
        return cohere.fold_v1(every)
    return _fold_text(every)


def _converse_events(frames: Iterable[Frame]) -> Iterator[Frame]:
    for frame in frames:
        for name, value in as_dict(frame.data).items():
            yield Frame(name, {"error": value} if name == "error" else value, frame.end)


def _fold_text(frames: Iterable[Frame]) -> Folded:
    """Pieces of text, flat or in ``outputs``, ``generations``, ``choices``; the last one has reason and counts."""
    body: dict[str, Any] = {}
    texts: list[str] = []
    first = None
    for frame in frames:
        piece = as_dict(frame.data)
        body.update({name: value for name, value in piece.items() if value is not None})
        text = _text(piece)
        if text:
            texts.append(text)
            first = frame.end if first is None else first
    reason = _reason(body)
    complete = reason is not None or any(name in body for name in _LAST)
    body = {name: value for name, value in body.items() if name not in ("outputs", "choices", "generations")}
    return Folded({**body, "generation": "".join(texts), "stop_reason": reason}, complete, first)


def read_invoke(request: WireRequest, body: Mapping[str, Any]) -> LLMCall:
    """One call, by the shape of its bodies. Model, error and Bedrock's own counts are the caller's to add."""
    asked = as_dict(request.body)
    if "anthropic_version" in asked:
        return read_message(request, body)
    if "messages" in asked:
        call = openai_chat.FORMAT.parse(request, body)
        if call is not None:  # Mistral's chat has ``stop_reason`` where all others have ``finish_reason``
            return replace(call, finish_reason=call.finish_reason or _reason(body))
    if "message" in asked and "embeddings" not in body:  # Command R
        call = cohere.CHAT.parse(request, body)
        if call is not None:  # Bedrock bills what its own metrics say, not what Cohere counts with its own prompt
            return replace(call, model=None, usage=_usage(body), price_usage=None)
    other = _other_operation(asked, body)
    if other is not None:
        said = tuple(Message("user", text) for text in _said(asked))
        shown = _shown(body) if other == "image" else None
        why = _filtered(body) if other == "image" else None
        return LLMCall(request.provider, other, usage=_usage(body), messages=said, output_text=shown, finish_reason=why)
    settings = as_dict(asked.get("textGenerationConfig")) or asked
    prompt = _first_text(asked, _PROMPT_FIELDS)
    return LLMCall(
        provider=request.provider,
        operation="completion",
        usage=_usage(body),
        messages=(Message("user", prompt),) if prompt else (),
        output_text=_text(body),
        finish_reason=_reason(body),
        temperature=as_float(settings.get("temperature")),
        max_tokens=next(
            (
                n
                for key in ("max_tokens", "max_gen_len", "maxTokenCount", "maxTokens")
                if (n := as_count(settings.get(key)))
            ),
            None,
        ),
        top_p=as_float(settings.get("top_p", settings.get("topP"))),
    )


def _other_operation(asked: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """What it is where no text is written."""
    if "query" in asked and "documents" in asked:
        return "rerank"
    task = as_str(asked.get("taskType")) or ""
    if task in _IMAGE_TASKS or any(name in body for name in _IMAGES) or "text_prompts" in asked:
        return "image"
    embeds = "embedding" in body or "embeddings" in body or any(name in asked for name in _EMBEDDED)
    return "embeddings" if embeds or task.endswith("_EMBEDDING") else None


def _said(asked: Mapping[str, Any]) -> Iterator[str]:
    """The texts that are embedded, compared or drawn."""
    nested = ("textToImageParams", "inPaintingParams", "outPaintingParams", "colorGuidedGenerationParams")
    texts = [*as_list(asked.get("texts")), *(asked.get(name) for name in ("inputText", "query", "prompt"))]
    texts += [as_dict(asked.get(name)).get("text") for name in nested]
    texts += [one.get("text") for one in dicts(asked.get("text_prompts"))]
    texts.append(as_dict(as_dict(asked.get("singleEmbeddingParams")).get("text")).get("value"))
    texts.append(as_dict(asked.get("text")).get("inputText"))
    return (text for text in texts if isinstance(text, str) and text)


def _shown(body: Mapping[str, Any]) -> str | None:
    data = [*as_list(body.get("images")), *(one.get("base64") for one in dicts(body.get("artifacts")))]
    return "\n".join(describe_base64("image", None, image) for image in data if image) or None


def _filtered(body: Mapping[str, Any]) -> str | None:
    """Why there is no image: Stability's say it for each, null where there is one."""
    reasons = [*as_list(body.get("finish_reasons")), *(one.get("finishReason") for one in dicts(body.get("artifacts")))]
    return next((reason for reason in reasons if isinstance(reason, str)), None)


def _usage(body: Mapping[str, Any]) -> Usage:
    """Llama's and Titan's counts, under the names each uses, plain or streamed."""
    written = [as_count(result.get("tokenCount")) for result in dicts(body.get("results"))]
    counts = [count for count in written if count is not None]
    inputs, outputs = as_count(body.get("prompt_token_count")), as_count(body.get("generation_token_count"))
    if outputs is None:
        outputs = sum(counts) if counts else as_count(body.get("totalOutputTextTokenCount"))
    return Usage(as_count(body.get("inputTextTokenCount")) if inputs is None else inputs, outputs)


def _places(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield body
    for name in ("outputs", "results", "generations", "choices"):  # Mistral, Titan, Cohere, DeepSeek
        yield from dicts(body.get(name))
    for one in dicts(body.get("completions")):  # AI21's J2: the reason is an object beside the text
        yield {**as_dict(one.get("data")), "finishReason": as_dict(one.get("finishReason")).get("reason")}


def _text(body: Mapping[str, Any]) -> str | None:
    return next((text for place in _places(body) if (text := _first_text(place, _TEXT_FIELDS)) is not None), None)


def _first_text(place: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((place[name] for name in names if isinstance(place.get(name), str)), None)


def _reason(body: Mapping[str, Any]) -> str | None:
    return next(
        (reason for place in _places(body) for name in _REASON_FIELDS if (reason := as_str(place.get(name)))), None
    )
