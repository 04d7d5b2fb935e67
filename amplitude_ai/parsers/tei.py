"""Hugging Face's Text Embeddings Inference: its own API. (Reranking is in ``cohere.py``, whose path it shares.)

https://huggingface.github.io/text-embeddings-inference/ (``docs/openapi.json``). A server runs one model, and names it
nowhere; its counts are in a header (``router/src/http/server.rs``). Paths as common as these need the answer: lists of
numbers, or labels with their scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_list, as_str, dicts, header_count, texts
from ._paths import PathRow

_OPERATIONS = {"predict": "classification", "similarity": "rerank"}
_ERRORS = frozenset({"unhealthy", "backend", "overloaded", "validation", "tokenizer"})


class _Embed:
    name = "tei.embed"

    def looks_like_exchange(self, request: WireRequest, answer: Mapping[str, Any]) -> bool:
        """Whether it was asked with ``inputs``, and answers as none but this server and its copies do."""
        if "inputs" not in request.body:
            return False
        if as_str(answer.get("error")) is not None:
            return (as_str(answer.get("error_type")) or "").lower() in _ERRORS
        last, answered = request.last_segment, answer.get("data")
        if last == "predict":
            return all("label" in one and "score" in one for one in _labels(answered)) and bool(_labels(answered))
        if last == "similarity":
            return "source_sentence" in as_dict(request.body["inputs"]) and _depth(answered) == 1
        return _depth(answered) >= 2

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        return LLMCall(
            provider=request.provider,
            operation=_OPERATIONS.get(request.last_segment, "embeddings"),
            usage=counted(request),
            messages=tuple(_messages(request.body.get("inputs"))),
            error=error_of(request, body),
        )


FORMATS = (_Embed(),)
PATHS = (PathRow(r"/(?:embed(?:_all|_sparse)?|predict|similarity)", "tei.embed", "huggingface"),)


def counted(request: WireRequest) -> Usage:
    """What the header tells."""
    return Usage(header_count(request.response_headers, "x-compute-tokens"))


def _messages(given: object) -> Iterator[Message]:
    """A text, texts, or pairs of them; of sentences that are compared, the one the others are compared with."""
    if isinstance(given, Mapping):
        given = given.get("source_sentence")
    for one in [given] if isinstance(given, str) else as_list(given):
        for text in texts(one):
            yield Message("user", text)


def _depth(value: object) -> int:
    """How many lists are around the first number, or the first place of a sparse vector; 0 where there is none."""
    depth = 0
    while isinstance(value, list | tuple) and value:
        depth, value = depth + 1, value[0]
    is_sparse = {"index", "value"} <= set(as_dict(value))
    return depth if is_sparse or (isinstance(value, int | float) and not isinstance(value, bool)) else 0


def _labels(answered: object) -> list[Mapping[str, Any]]:
    """The labels of the first text."""
    found = as_list(answered)
    return list(dicts(found[0] if found and isinstance(found[0], list | tuple) else found))
