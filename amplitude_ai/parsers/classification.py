"""Classifiers: Mistral's (its own trained ones) and Jina's (labels given with the request).

https://docs.mistral.ai/api/#tag/classifiers (mistralai ``classificationresponse.py``) and https://jina.ai/classifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_list, as_str, dicts
from ._openai import base_call, find_error, prompt_text
from ._paths import PathRow, on


class _Classify:
    name = "classification.labels"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        call = base_call(request, body, "classification", find_error(request, body))
        usage = call.usage
        if usage.input_tokens is None:  # all is read, nothing written
            usage = replace(usage, input_tokens=usage.total_tokens)
        return replace(call, usage=usage, messages=tuple(_messages(as_dict(request.body).get("input"))))


FORMATS = (_Classify(),)
PATHS = (
    PathRow(r"/v1/(?:chat/)?classifications", "classification.labels", "mistral", on("mistral")),
    PathRow(r"/v1/classify", "classification.labels", "jina", on("jina")),
)


def _messages(given: object) -> Iterator[Message]:
    """A text, texts, or chats with their turns."""
    for one in as_list(given) if isinstance(given, list) else [given]:
        turns = list(dicts(as_dict(one).get("messages")))
        if isinstance(one, str):
            yield Message("user", one)
        elif turns:
            yield from (Message(as_str(turn.get("role")) or "user", prompt_text(turn.get("content"))) for turn in turns)
        elif isinstance(one, Mapping):
            yield Message("user", as_str(one.get("text")) or prompt_text([one]))
