"""Replicate: predictions. https://replicate.com/docs/reference/http#predictions.create

The answer to a POST is a prediction that has started; with ``Prefer: wait`` it has ended and holds its output, of any
shape. Language models count their tokens in ``metrics``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, Usage
from .._pattern import lazy_pattern
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_count, as_dict, as_float, as_str
from ._paths import HostRow, PathRow, on

_MODEL_IN_PATH = lazy_pattern(r"/(?:models|deployments)/([^/]+/[^/]+)/predictions$")


class _Prediction:
    name = "replicate.prediction"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        given = as_dict(asked.get("input"))
        matched = _MODEL_IN_PATH.search(request.path)
        metrics = as_dict(body.get("metrics"))
        prompt = as_str(given.get("prompt")) or as_str(given.get("text"))
        system = as_str(given.get("system_prompt"))
        said = (("system", system), ("user", prompt))
        failure = as_str(body.get("error")) if request.status is not None and not request.refused else None
        return LLMCall(
            provider=request.provider,
            operation="completion",
            requested_model=matched.group(1) if matched else as_str(asked.get("version")),
            model=as_str(body.get("model")),
            usage=Usage(as_count(metrics.get("input_token_count")), as_count(metrics.get("output_token_count"))),
            messages=tuple(Message(role, text) for role, text in said if text),
            output_text=_output(body.get("output")),
            finish_reason=as_str(body.get("status")),
            response_id=as_str(body.get("id")),
            error=CallError(as_str(body.get("status")), failure) if failure else error_of(request, body),
            temperature=as_float(given.get("temperature")),
            max_tokens=as_count(given.get("max_tokens")) or as_count(given.get("max_new_tokens")),
            top_p=as_float(given.get("top_p")),
        )


FORMATS = (_Prediction(),)
HOSTS = (HostRow(r"api\.replicate\.com", "replicate"),)
PATHS = (
    PathRow(
        r"/v1/(?:predictions|(?:models|deployments)/[^/]+/[^/]+/predictions)",
        "replicate.prediction",
        "replicate",
        on("replicate"),
    ),
)


def _output(output: object) -> str | None:
    """A text, or a language model's list of its pieces. Media are addresses."""
    if isinstance(output, list) and output and all(isinstance(piece, str) for piece in output):
        output = "".join(output)
    return output if isinstance(output, str) and not output.startswith(("http://", "https://", "data:")) else None
