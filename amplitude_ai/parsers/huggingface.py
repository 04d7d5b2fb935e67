"""Text Generation Inference's own API: ``/generate`` and ``/generate_stream``.

https://huggingface.github.io/text-generation-inference/. The stream's last event has ``generated_text``. A server runs
one model, and names it in no body. The hosted inference API has the model in its path, for any task:
https://huggingface.co/docs/inference-providers/providers/hf-inference

SGLang's own door has the same path, and other bodies: https://docs.sglang.ai/basic_usage/native_api.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, Usage
from .._pattern import lazy_pattern
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import add_counts, as_count, as_dict, as_float, as_list, as_str, dicts, header_count, texts

_MODEL_IN_PATH = lazy_pattern(r"/models/(.+?)(?:/pipeline/[^/]+|/generate(?:_stream)?)?/?$")
#: Where the tasks' answers have their text.
_TEXTS = ("generated_text", "summary_text", "translation_text", "answer", "text")
#: What a task is, where it writes no text: by its name in the path.
_TASKS = {
    "feature-extraction": "embeddings",
    "sentence-similarity": "rerank",
    "text-ranking": "rerank",
    "text-classification": "classification",
    "token-classification": "classification",
    "zero-shot-classification": "classification",
    "text-to-image": "image",
    "text-to-speech": "audio",
    "automatic-speech-recognition": "audio",
}
_TASK_IN_PATH = lazy_pattern(r"/pipeline/([^/]+)")
_MEDIA = ("image", "audio", "video")
#: What is asked where the inputs are no text: of similar sentences, and of a text.
_QUESTIONS = ("source_sentence", "question")


class _Generate:
    name = "huggingface.generate"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        said: list[str] = []
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            token = as_dict(event.get("token"))
            if "meta_info" in event:  # SGLang repeats the answer so far
                complete = complete or as_dict(event["meta_info"]).get("finish_reason") is not None
                first = frame.end if first is None and event.get("text") else first
            text = as_str(token.get("text"))
            if text is not None and token.get("special") is not True:
                said.append(text)
                first = frame.end if first is None else first
            complete = complete or isinstance(event.get("generated_text"), str)
            body.update({name: value for name, value in event.items() if value is not None and name != "token"})
        if "meta_info" not in body:
            body.setdefault("generated_text", "".join(said))
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        settings = as_dict(asked.get("parameters") or asked.get("sampling_params"))
        # The hosted inference API wraps the answer in a list, which `read` gives as ``data``.
        found = next(iter(dicts(body.get("data"))), None) or body
        details = as_dict(found.get("details"))
        text = next((found[name] for name in _TEXTS if name in found), None)
        model = _MODEL_IN_PATH.search(request.path)
        told = as_dict(found.get("meta_info"))
        return LLMCall(
            provider="sglang" if told or "sampling_params" in asked else request.provider,
            operation=_operation(request, body),
            requested_model=as_str(asked.get("model")) or (model.group(1) if model else None),
            usage=_told_usage(body) if told else _usage(details, request.response_headers),
            messages=tuple(_messages(asked.get("inputs") or asked.get("text"))),
            output_text=text if isinstance(text, str) else None,
            finish_reason=as_str(details.get("finish_reason"))
            or as_str(as_dict(told.get("finish_reason")).get("type")),
            response_id=as_str(told.get("id")),
            error=error_of(request, body),
            temperature=as_float(settings.get("temperature")),
            max_tokens=as_count(settings.get("max_new_tokens")),
            top_p=as_float(settings.get("top_p")),
        )


FORMATS = (_Generate(),)


def _messages(given: object) -> Iterator[Message]:
    if isinstance(given, Mapping):
        given = next((given[name] for name in _QUESTIONS if name in given), None)
    for text in texts(given):
        yield Message("user", text)


def _operation(request: WireRequest, body: Mapping[str, Any]) -> str:
    """By the task, else by the answer: a medium, labels, nothing but numbers (a vector, one a text, or one a token)."""
    task = _TASK_IN_PATH.search(request.path)
    if task:
        return _TASKS.get(task.group(1), "completion")
    medium = request.response_headers.get("content-type", "").partition("/")[0]
    if medium in _MEDIA:
        return medium
    answer = body.get("data")
    while isinstance(answer, list | tuple) and answer:
        answer = answer[0]
    if isinstance(answer, float):
        return "embeddings"
    found = as_dict(answer) or body
    if "labels" in found or ("label" in found and "score" in found):
        return "classification"
    return "audio" if "text" in found and not request.body else "completion"


def _usage(details: Mapping[str, Any], headers: Mapping[str, str]) -> Usage:
    """``input_length`` comes with streams; a plain answer lists the prompt's tokens when it was asked to.

    Where no details were asked for, its headers count (``router/src/server.rs``).
    """
    inputs, outputs = as_count(details.get("input_length")), as_count(details.get("generated_tokens"))
    if inputs is None and details.get("prefill"):
        inputs = len(as_list(details["prefill"]))
    return Usage(
        header_count(headers, "x-prompt-tokens") if inputs is None else inputs,
        header_count(headers, "x-generated-tokens") if outputs is None else outputs,
    )


def _told_usage(body: Mapping[str, Any]) -> Usage:
    """SGLang's counts, of each of the texts that were asked for together."""
    told = [as_dict(one.get("meta_info")) for one in list(dicts(body.get("data"))) or [body]]
    counts = ("prompt_tokens", "completion_tokens", "cached_tokens")
    read, written, cached = (add_counts(*(as_count(one.get(name)) for one in told)) for name in counts)
    return Usage(read, written, cached_input_tokens=cached)
