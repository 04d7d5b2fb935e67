"""SGLang's own door to vectors: ``/encode``. (Its ``/generate`` shares a path with Hugging Face's: ``huggingface.py``.)

https://docs.sglang.ai/basic_usage/native_api.html; the answer is made in ``managers/tokenizer_manager.py``. Its counts
are in ``meta_info``, of each text. The path is common, so that the answer must have them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._models import LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import add_counts, as_count, as_dict, as_str, dicts, texts
from ._paths import PathRow


class _Encode:
    name = "sglang.encode"

    def looks_like_exchange(self, request: WireRequest, answer: Mapping[str, Any]) -> bool:
        """Whether a text was asked about, and what came back is a vector with its counts."""
        return any(texts(request.body.get("text"))) and any(
            isinstance(one.get("embedding"), list | tuple) and as_count(_told(one).get("prompt_tokens")) is not None
            for one in _answers(answer)
        )

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        told = [_told(one) for one in _answers(body)]
        return LLMCall(
            provider=request.provider,
            operation="embeddings",
            requested_model=as_str(request.body.get("model")),
            usage=Usage(add_counts(*(as_count(one.get("prompt_tokens")) for one in told))),
            messages=tuple(Message("user", text) for text in texts(request.body.get("text"))),
            response_id=as_str(told[0].get("id")),
            error=error_of(request, body),
        )


FORMATS = (_Encode(),)
PATHS = (PathRow(r"/encode", "sglang.encode", "sglang"),)


def _answers(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One for each text; one alone where one was asked about."""
    return list(dicts(answer.get("data"))) or [answer]


def _told(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_dict(one.get("meta_info"))
