"""AI21's own door to its Jurassic models. https://docs.ai21.com/reference/j2-complete-ref

The bodies are those that Bedrock passes on; the model is in the path, and behind it one of
one's own (``ai21`` 1.3, ``modules/completion.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Usage
from .._pattern import lazy_pattern
from ._bedrock_invoke import read_invoke
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_list, as_str, dicts
from ._paths import PathRow, on

_MODEL_IN_PATH = lazy_pattern(r"/([^/]+)/complete$")


class _Complete:
    name = "ai21.complete"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        matched = _MODEL_IN_PATH.search(request.path)
        return replace(
            read_invoke(request, {} if request.refused else body),
            requested_model=matched.group(1) if matched else None,
            usage=_usage(body),
            response_id=as_str(body.get("id")),
            error=error_of(request, body),
        )


FORMATS = (_Complete(),)
PATHS = (PathRow(r"/studio/v1/.+/complete", "ai21.complete", "ai21", on("ai21")),)


def _usage(body: Mapping[str, Any]) -> Usage:
    """It counts nothing, and lists each token: of the prompt, and of each answer (``completion_response.py``)."""
    written = [as_dict(one.get("data")) for one in dicts(body.get("completions"))]
    read = len(as_list(as_dict(body.get("prompt")).get("tokens")))
    return Usage(read or None, sum(len(as_list(one.get("tokens"))) for one in written) or None)
