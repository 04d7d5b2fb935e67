"""Aleph Alpha: completions and embeddings. https://docs.aleph-alpha.com/ (``CompletionResponse``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ._media import describe
from ._paths import HostRow, PathRow, on


class _Complete:
    name = "aleph_alpha.complete"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        """``stream_chunk`` events with a piece of text, ``stream_summary``, then ``completion_summary``."""
        body: dict[str, Any] = {}
        texts: list[str] = []
        done: dict[str, Any] = {}
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            text = as_str(event.get("completion"))
            if event.get("type") == "stream_chunk" and text is not None:
                texts.append(text)
                first = frame.end if first is None else first
            elif event.get("type") == "stream_summary":
                done.update(event)
            else:
                complete = complete or event.get("type") == "completion_summary"
                body.update(event)
        body["completions"] = [{**done, "completion": "".join(texts)}]
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        written = next(iter(dicts(body.get("completions"))), {})
        text = written.get("completion")
        embeds = "embed" in request.path
        return LLMCall(
            provider=request.provider,
            operation="embeddings" if embeds else "completion",
            requested_model=as_str(asked.get("model")),
            model=as_str(body.get("model_version"))
            and (as_str(asked.get("model")) or as_str(body.get("model_version"))),
            usage=Usage(
                as_count(body.get("num_tokens_prompt_total")),
                None if embeds else as_count(body.get("num_tokens_generated")),
            ),
            messages=tuple(_messages(asked.get("prompt"))),
            output_text=text if isinstance(text, str) else None,
            finish_reason=as_str(written.get("finish_reason")),
            error=error_of(request, body),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("maximum_tokens")),
            top_p=as_float(asked.get("top_p")),
        )


FORMATS = (_Complete(),)
HOSTS = (HostRow(r"api(?:\.[a-z]+)?\.aleph-alpha\.com|inference-api\.[a-z0-9.-]*aleph-alpha\.com", "aleph_alpha"),)
PATHS = (
    PathRow(
        r"/(?:complete|evaluate|(?:semantic_|batch_semantic_)?embed)",
        "aleph_alpha.complete",
        "aleph_alpha",
        on("aleph_alpha"),
    ),
)


def _messages(prompt: object) -> Iterator[Message]:
    """A text, or items of type ``text``, ``image`` and ``token_ids``."""
    if isinstance(prompt, str):
        yield Message("user", prompt)
        return
    parts = [
        str(item.get("data")) if item.get("type") == "text" else describe(as_str(item.get("type")) or "item")
        for item in dicts(as_list(prompt))
    ]
    if parts:
        yield Message("user", "\n".join(parts))
