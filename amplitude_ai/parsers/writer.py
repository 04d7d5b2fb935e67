"""Writer's own doors: applications without code, questions to graphs, pictures, translations.

writer-sdk ``types/{application_generate_content_*,question,vision_response,translation_response}.py``. None counts
tokens; an application names no model, a graph neither. Its chat and its completions are OpenAI's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_list, as_str, dicts, texts
from ._paths import PathRow, on
from ._repeats import together

#: Where an answer has its text, and where a request has its own.
_ANSWERED = ("suggestion", "answer", "data")
_ASKED = ("question", "prompt", "text")


class _Task:
    name = "writer.task"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        """No event is the last by what it says; of a graph, it is told nowhere whether the answer is repeated."""
        body: dict[str, Any] = {}
        said: list[str] = []
        first = None
        for frame in frames:
            event = as_dict(frame.data)
            body.update(event)
            delta, chunk = as_dict(event.get("delta")), as_dict(event.get("data"))
            text = as_str(delta.get("content")) or as_str(chunk.get("answer"))
            if text:
                said.append(text)
                first = frame.end if first is None else first
        body["answer"] = together(said)
        return Folded(body, bool(said), first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        settings = as_dict(asked.get("query_config"))
        return LLMCall(
            provider=request.provider,
            operation="completion",
            requested_model=as_str(asked.get("model")),
            messages=tuple(_messages(asked)),
            output_text=next((body[name] for name in _ANSWERED if isinstance(body.get(name), str)), None),
            error=error_of(request, body),
            max_tokens=as_count(settings.get("max_tokens")),
        )


FORMATS = (_Task(),)
PATHS = (
    PathRow(r"/v1/(?:applications/[^/]+|graphs/question|vision|translation)", "writer.task", "writer", on("writer")),
)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    """What was asked; of an application, what was put into each of its fields."""
    given = [asked.get(name) for name in _ASKED]
    for entry in dicts(asked.get("inputs")):
        given.extend(as_list(entry.get("value")))
    for text in texts(given):
        yield Message("user", text)
