"""vLLM's own doors: scores of pairs, vectors as they are, classes. (Reranking is Cohere's and Jina's API.)

vllm ``entrypoints/pooling/{scoring,pooling,classify}/protocol.py``. Usage and errors are as in OpenAI's API. The paths
are common, so that the answer must be one of these: the request may leave out the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_list, as_str, dicts
from ._openai import base_call, find_error, prompt_text
from ._paths import PathRow

_OPERATIONS = {"score": "rerank", "pooling": "embeddings", "classify": "classification"}
#: What the two sides of a pair are called.
_FIRST = ("text_1", "queries", "data_1")
_SECOND = ("text_2", "documents", "items", "data_2")


class _Pooling:
    name = "vllm.pooling"

    def looks_like_exchange(self, request: WireRequest, answer: Mapping[str, Any]) -> bool:
        """Whether what is asked and what is answered are both these."""
        last = request.last_segment
        if last == "score":
            asked = any(name in request.body for name in _FIRST) and any(name in request.body for name in _SECOND)
        else:
            asked = "input" in request.body or "messages" in request.body
        if not asked:
            return False
        if request.status is None:
            return last == "score" and as_str(request.body.get("model")) is not None
        if request.refused:
            return _is_error(answer)
        first: Mapping[str, Any] = next(iter(dicts(answer.get("data"))), {})
        is_one = {"label", "probs"} <= set(first) if last == "classify" else first.get("object") == last
        return answer.get("object") == "list" and is_one

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        call = base_call(request, body, _OPERATIONS.get(request.last_segment, "embeddings"), find_error(request, body))
        usage = call.usage
        if usage.input_tokens is None:  # all is read, nothing written
            usage = replace(usage, input_tokens=usage.total_tokens)
        return replace(call, usage=replace(usage, output_tokens=None), messages=tuple(_messages(request.body)))


FORMATS = (_Pooling(),)
PATHS = (PathRow(r"(?:/v1)?/score|/pooling|/classify", "vllm.pooling", "vllm"),)


def _is_error(answer: Mapping[str, Any]) -> bool:
    """Whether it is vLLM's error, nested or flat (``entrypoints/openai/protocol.py``, ErrorResponse)."""
    return {"message", "type", "code"} <= set(as_dict(answer.get("error")) or answer)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    """What is asked about; of a pair, the first. A text, texts, or parts."""
    given = next((asked[name] for name in (*_FIRST, "input") if asked.get(name) is not None), None)
    for one in [given] if isinstance(given, str | Mapping) else as_list(given):
        if isinstance(one, str | Mapping):
            yield Message("user", one if isinstance(one, str) else prompt_text(one.get("content") or [one]))
    for turn in dicts(asked.get("messages")):
        yield Message(as_str(turn.get("role")) or "user", prompt_text(turn.get("content")))
