"""SAP's orchestration: a template, what fills it, and a model, whosever it is, behind filters.

generative-ai-hub-sdk ``orchestration_v2/models`` and ``orchestration/models``. What the model answered is OpenAI's
chat, as ``final_result`` (of old ``orchestration_result``); what it was asked is told beside it, the template filled
(``templating``). A stream's events have a chunk of it each. An error lies flat in an event of old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_dict, as_list, as_str, dicts
from ._openai import base_call
from ._paths import PathRow, on
from .openai_chat import FORMAT as CHAT

_RESULTS = ("final_result", "orchestration_result")
_MODULES = ("intermediate_results", "module_results")


class _Orchestration:
    name = "sap.orchestration"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        kept: dict[str, Any] = {}
        folded = CHAT.fold(_inner(frames, kept), request)
        body = {**kept, _RESULTS[0]: folded.body}
        if folded.body.get("error"):
            body["error"] = folded.body["error"]
        return replace(folded, body=body)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        wanted = _wanted(as_dict(request.body))
        asked = {"model": wanted.get("name"), **as_dict(wanted.get("params")), "messages": _turns(request.body, body)}
        inner = replace(request, body=asked)
        answer = {} if request.refused else _first(body, _RESULTS)
        if request.path.endswith("/embeddings"):
            given = as_dict(request.body.get("input")).get("text")
            texts = [given] if isinstance(given, str) else as_list(given)
            call: LLMCall | None = replace(
                base_call(inner, answer, "embeddings", None),
                messages=tuple(Message("user", text) for text in texts if isinstance(text, str)),
            )
        else:
            call = CHAT.parse(inner, answer)
        # The deployment in the path is the orchestration's, and no model.
        named = as_str(wanted.get("name"))
        return None if call is None else replace(call, requested_model=named, error=error_of(request, body))


FORMATS = (_Orchestration(),)
PATHS = (
    PathRow(
        r"/v2/inference/deployments/[^/]+/(?:completion|v2/(?:completion|embeddings))",
        "sap.orchestration",
        "sap",
        on("sap"),
    ),
)


def _inner(frames: Iterable[Frame], kept: dict[str, Any]) -> Iterator[Frame]:
    """The chunks inside; what stands beside them is ``kept``."""
    for frame in frames:
        event = as_dict(frame.data)
        if not event or event.get("error"):
            yield frame
            continue
        if "code" in event and as_str(event.get("message")):
            yield Frame(frame.event, {"error": event}, frame.end)
            continue
        modules = _first(event, _MODULES)
        if modules.get("templating"):
            kept[_MODULES[0]] = {"templating": modules["templating"]}
        yield Frame(frame.event, _first(event, _RESULTS), frame.end)


def _first(body: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    return next((found for name in names if (found := as_dict(body.get(name)))), {})


def _config(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The modules of the request: one set, or the first of several that are tried in turn."""
    modules = as_dict(asked.get("config")).get("modules")
    return as_dict(modules) or next(iter(dicts(modules)), {})


def _wanted(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The model, as ``name`` and ``params``."""
    modules = _config(asked)
    newer = as_dict(modules.get("prompt_templating")) or as_dict(modules.get("embeddings"))
    if newer:
        return as_dict(newer.get("model"))
    older = as_dict(as_dict(_older(asked)).get("llm_module_config"))
    return {"name": older.get("model_name"), "params": older.get("model_params")}


def _older(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_dict(as_dict(asked.get("orchestration_config")).get("module_configurations"))


def _turns(asked: Mapping[str, Any], body: Mapping[str, Any]) -> list[Any]:
    """What the model was asked; where nobody tells it, the history and the template as it stands."""
    filled = as_list(_first(body, _MODULES).get("templating"))
    if filled:
        return list(filled)
    prompt = as_dict(as_dict(_config(asked).get("prompt_templating")).get("prompt"))
    template = prompt.get("template") or as_dict(_older(asked).get("templating_module_config")).get("template")
    return [*as_list(asked.get("messages_history")), *as_list(template)]
