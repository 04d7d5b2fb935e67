"""Mistral's conversations (its agents API): entries in, entries out. https://docs.mistral.ai/api/#tag/beta.conversations

Types: mistralai ``conversationresponse.py``, ``conversationevents.py``. A stream names an entry by ``output_index``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message, ToolCall, ToolResult
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_count, as_dict, as_float, as_str, dicts
from ._openai import base_call, find_error, prompt_text, visible_text
from ._paths import PathRow, on


class _Conversation:
    name = "mistral.conversations"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        entries: dict[int, dict[str, Any]] = {}
        pieces: dict[int, list[str]] = {}
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            kind = as_str(event.get("type")) or frame.event or ""
            if event.get("error") or kind == "conversation.response.error":
                body["error"] = event.get("error") or {name: event.get(name) for name in ("message", "code")}
            elif kind == "conversation.response.done":
                complete = True
                body["usage"] = event.get("usage")
            elif kind == "conversation.response.started":
                body["conversation_id"] = event.get("conversation_id")
            elif kind in _ENTRIES:
                index = as_count(event.get("output_index")) or 0
                entry = entries.setdefault(index, {"type": _ENTRIES[kind]})
                entry.update({name: event[name] for name in _KEPT if event.get(name) is not None})
                text = visible_text(
                    [event["content"]] if isinstance(event.get("content"), Mapping) else event.get("content")
                )
                text = text if kind == "message.output.delta" else as_str(event.get("arguments"))
                if text:
                    pieces.setdefault(index, []).append(text)
                    first = frame.end if first is None else first
        for index, entry in entries.items():
            entry["content" if entry["type"] == "message.output" else "arguments"] = "".join(pieces.get(index, ()))
        body["outputs"] = [entries[index] for index in sorted(entries)]
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        settings = as_dict(asked.get("completion_args"))
        entries = list(dicts(body.get("outputs")))
        texts = [
            text
            for one in entries
            if one.get("type") == "message.output" and (text := visible_text(one.get("content")))
        ]
        return replace(
            base_call(request, body, "chat", find_error(request, body)),
            requested_model=as_str(asked.get("model")) or as_str(asked.get("agent_id")),
            model=next((named for one in reversed(entries) if (named := as_str(one.get("model")))), None),
            response_id=as_str(body.get("conversation_id")),
            messages=tuple(_messages(asked)),
            tool_results=tuple(
                ToolResult(as_str(one.get("tool_call_id")), one.get("result"))
                for one in dicts(asked.get("inputs"))
                if one.get("type") == "function.result"
            ),
            output_text="".join(texts) if texts else None,
            tool_calls=tuple(_tools(entries)),
            temperature=as_float(settings.get("temperature")),
            max_tokens=as_count(settings.get("max_tokens")),
            top_p=as_float(settings.get("top_p")),
        )


FORMATS = (_Conversation(),)
PATHS = (PathRow(r"/v1/conversations(?:/[^/]+(?:/restart)?)?", "mistral.conversations", "mistral", on("mistral")),)

#: Events of a stream -> the entry they make.
_ENTRIES = {
    "message.output.delta": "message.output",
    "function.call.delta": "function.call",
    "tool.execution.started": "tool.execution",
    "tool.execution.delta": "tool.execution",
    "tool.execution.done": "tool.execution",
}
_KEPT = ("id", "model", "name", "tool_call_id", "info")


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    if as_str(asked.get("instructions")):
        yield Message("system", asked["instructions"])
    given = asked.get("inputs")
    if isinstance(given, str):
        yield Message("user", given)
        return
    for one in dicts(given):
        kind = as_str(one.get("type")) or "message.input"
        if kind == "function.result":
            yield Message("tool", prompt_text(one.get("result")))
        elif kind.startswith("message."):
            is_user = kind == "message.input" and one.get("role", "user") == "user"
            yield Message("user" if is_user else "assistant", prompt_text(one.get("content")))


def _tools(entries: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    """``function.call`` waits for the caller; ``tool.execution`` was run by Mistral."""
    for one in entries:
        name, kind = as_str(one.get("name")), one.get("type")
        made = arguments(one.get("arguments"))
        if name is not None and kind == "function.call":
            yield ToolCall(name, as_str(one.get("tool_call_id")), made)
        elif name is not None and kind == "tool.execution":
            yield ToolCall(name, as_str(one.get("id")), made, name, True, one.get("info") or None)
