"""SageMaker's and Databricks' endpoints: whatever runs there, told by the body. What is no model call stays unread.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and
https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference: ``inputs`` is Text Generation
Inference's, ``messages`` OpenAI's chat (TGI's too), ``prompt`` its completions (vLLM, LMI), ``input`` its embeddings.
Tables and images are nobody's words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from .._models import LLMCall
from .._pattern import lazy_pattern
from . import huggingface, openai_chat, openai_other
from ._evidence import has_turns
from ._format import Folded, Frame, WireFormat, WireRequest
from ._frames import ndjson_frames, sse_frames
from ._json import as_dict, as_list, as_str
from ._paths import HostRow, PathRow, on

_NAME_IN_PATH = lazy_pattern(r"/endpoints/([^/]+)/")
_OTHERS = {form.name: form for form in openai_other.FORMATS}


class _Invoke(Struct, frozen=True):
    name: str

    def looks_like(self, request: WireRequest) -> bool:
        """Whether it is a language model that is asked."""
        return _spoken(request.body) is not None

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        wire = _spoken(request.body)
        return Folded({}, False) if wire is None else wire.fold(_inner(frames), request)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        wire = _spoken(request.body)
        call = None if wire is None else wire.parse(request, body)
        if call is None:
            return None
        matched = _NAME_IN_PATH.search(request.path)
        return replace(call, requested_model=call.requested_model or (unquote(matched.group(1)) if matched else None))


FORMATS = (_Invoke("sagemaker.invoke"), _Invoke("databricks.invoke"))
HOSTS = (HostRow(r"runtime\.sagemaker(?:-fips)?\..*amazonaws\.com(?:\.cn)?", "sagemaker", runs_anything=True),)
PATHS = (
    PathRow(
        r"/endpoints/[^/]+/(?:async-)?invocations(?:-response-stream)?",
        "sagemaker.invoke",
        "sagemaker",
        on("sagemaker"),
    ),
    PathRow(r".*/serving-endpoints/[^/]+/invocations", "databricks.invoke", "databricks", on("all")),
)


def _spoken(body: Mapping[str, Any]) -> WireFormat | None:
    given = body.get("inputs")
    if has_turns(body):
        return openai_chat.FORMAT
    if isinstance(given, str) or any(isinstance(text, str) for text in as_list(given)[:1]):
        return huggingface.FORMATS[0]
    if as_str(body.get("prompt")) is not None:
        return _OTHERS["openai.completions"]
    asked = body.get("input")
    is_texts = isinstance(asked, str) or any(isinstance(text, str) for text in as_list(asked)[:1])
    return _OTHERS["openai.embeddings"] if is_texts else None


def _inner(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The container's own stream inside AWS's: each ``PayloadPart`` is a stretch of its bytes, cut anywhere."""
    pieces: list[bytes] = []
    sizes: list[int] = []  # bytes of the container's stream up to the end of each part
    ends: list[int] = []
    for frame in frames:
        if as_dict(frame.data).get("error"):
            yield frame
        elif frame.event == "PayloadPart":
            pieces.append(frame.data.encode("latin-1", "replace") if isinstance(frame.data, str) else b"")
            sizes.append(len(pieces[-1]) + (sizes[-1] if sizes else 0))
            ends.append(frame.end)
        else:
            yield frame
    data = b"".join(pieces)
    if data:
        for inner in sse_frames(data) if data.lstrip().startswith(b"data:") else ndjson_frames(data):
            yield replace(inner, end=ends[bisect_left(sizes, inner.end)])  # when its last byte came
