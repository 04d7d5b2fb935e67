"""Cloudflare's Workers AI: ``/ai/run/{model}``. https://developers.cloudflare.com/workers-ai/models/

Chats, prompts, embeddings and images by one door; the answer is in ``result``, a stream's pieces in ``response``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._models import CallError, LLMCall, Message, ToolCall
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_dict, as_list, as_str, dicts
from ._openai import base_call, find_error, prompt_text
from ._paths import PathRow, on

_MODEL_IN_PATH = re.compile(r"/(@[^/]+/.+)$")


class _Run:
    name = "cloudflare.run"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        result: dict[str, Any] = {}
        body: dict[str, Any] = {"result": result}
        texts: list[str] = []
        done, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            done = done or frame.data == "[DONE]"
            if event.get("error"):
                body["error"] = event["error"]
            text = as_str(event.get("response"))
            if text is not None:
                texts.append(text)
                first = frame.end if first is None else first
            result.update({name: event[name] for name in ("usage", "tool_calls") if event.get(name)})
        if texts:
            result["response"] = "".join(texts)
        return Folded(body, done, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        result = as_dict(body.get("result"))
        text, matched = result.get("response"), _MODEL_IN_PATH.search(request.path)
        made = ((as_str(one.get("name")), one) for one in dicts(result.get("tool_calls")))
        return replace(
            base_call(request, {**body, "usage": result.get("usage")}, _operation(asked), _error(request, body)),
            requested_model=matched.group(1) if matched else None,
            messages=tuple(_messages(asked)),
            output_text=text if isinstance(text, str) else None,
            tool_calls=tuple(ToolCall(name, None, arguments(one.get("arguments"))) for name, one in made if name),
        )


FORMATS = (_Run(),)
PATHS = (
    PathRow(r".*/(?:ai/run|workers-ai)/@.+", "cloudflare.run", "cloudflare", on("cloudflare", "cloudflare_gateway")),
)


def _operation(asked: Mapping[str, Any]) -> str:
    if "messages" in asked:
        return "chat"
    return "embeddings" if "text" in asked else "completion"


def _messages(asked: Mapping[str, Any]) -> Iterable[Message]:
    for turn in dicts(asked.get("messages")):
        role = as_str(turn.get("role")) or "user"
        yield Message(role if role in ("user", "assistant", "tool") else "system", prompt_text(turn.get("content")))
    given = [
        asked.get("prompt"),
        *([asked["text"]] if isinstance(asked.get("text"), str) else as_list(asked.get("text"))),
    ]
    for text in given:
        if isinstance(text, str):
            yield Message("user", text)


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """``{"success": false, "errors": [{"code", "message"}]}``."""
    told = next(iter(dicts(body.get("errors"))), None)
    if told is None:
        return find_error(request, body)
    code = told.get("code")
    return CallError(None if code is None else str(code), as_str(told.get("message")))
