"""IBM watsonx.ai: text generation, chat, embeddings, rerank. https://cloud.ibm.com/apidocs/watsonx-ai

Chat is OpenAI's, with ``model_id``; generation answers ``results``, each with its counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import add_counts, as_count, as_dict, as_float, as_list, as_str, dicts
from ._paths import HostRow, PathRow, on
from .openai_chat import FORMAT as CHAT


class _Text:
    name = "watsonx.text"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        if "messages" in request.body:
            return CHAT.fold(frames, request)
        body: dict[str, Any] = {}
        texts: list[str] = []
        last: dict[str, Any] = {}
        first = None
        for frame in frames:
            event = as_dict(frame.data)
            body.update({name: value for name, value in event.items() if name != "results"})
            for result in dicts(event.get("results")):
                text = as_str(result.get("generated_text"))
                if text is not None:
                    texts.append(text)
                    first = frame.end if first is None else first
                # The counts of a stream's pieces grow; its first has the input's, later ones say 0.
                for name, value in result.items():
                    if not isinstance(value, int) or value >= (as_count(last.get(name)) or 0):
                        last[name] = value
        body["results"] = [{**last, "generated_text": "".join(texts)}]
        ended = as_str(last.get("stop_reason")) not in (None, "not_finished", "NOT_FINISHED")
        return Folded(body, ended, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        model = as_str(asked.get("model_id"))
        if "messages" in asked:
            call = CHAT.parse(request, body)
            named = as_str(body.get("model_id")) or as_str(body.get("model"))
            return None if call is None else replace(call, requested_model=model or call.requested_model, model=named)
        settings = as_dict(asked.get("parameters"))
        results = list(dicts(body.get("results")))
        written: Mapping[str, Any] = results[0] if results else {}
        text = written.get("generated_text")
        last = request.path.rpartition("/")[2]
        given = [asked.get("input"), *as_list(asked.get("inputs")), asked.get("query")]
        inputs = [as_count(result.get("input_token_count")) for result in results]
        usage = Usage(
            add_counts(*inputs, as_count(body.get("input_token_count"))),
            add_counts(*(as_count(result.get("generated_token_count")) for result in results)),
        )
        return LLMCall(
            provider=request.provider,
            operation=last if last in ("embeddings", "rerank") else "completion",
            requested_model=model,
            model=as_str(body.get("model_id")),
            usage=usage,
            messages=tuple(Message("user", text) for text in given if isinstance(text, str)),
            output_text=text if isinstance(text, str) else None,
            finish_reason=as_str(written.get("stop_reason")),
            error=error_of(request, body),
            temperature=as_float(settings.get("temperature")),
            max_tokens=as_count(settings.get("max_new_tokens")),
            top_p=as_float(settings.get("top_p")),
        )


FORMATS = (_Text(),)
HOSTS = (HostRow(r".*\.ml\.cloud\.ibm\.com", "watsonx"),)
PATHS = (
    PathRow(
        r"/ml/v1[^/]*/(?:deployments/[^/]+/)?"
        r"(?:generation/text|text/(?:generation|chat|embeddings|rerank))(?:_stream)?",
        "watsonx.text",
        "watsonx",
        on("watsonx"),
    ),
)
