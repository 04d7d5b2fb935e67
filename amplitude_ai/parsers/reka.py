"""Reka's own chat. reka-api ``types/chat_response.py``, ``chunk_chat_response.py``, ``usage.py``.

``responses`` has the answer as a ``message``, in a stream as a ``chunk`` that repeats what was said so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, ToolCall, ToolResult, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_str, dicts
from ._openai import USAGE, prompt_text, visible_text
from ._paths import PathRow, on
from ._repeats import together
from ._usage import later

_ROLES = {"user": "user", "assistant": "assistant", "tool_output": "tool"}


class _Chat:
    name = "reka.chat"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        texts: list[str] = []
        message: dict[str, Any] = {}
        reason, first = None, None
        for frame in frames:
            event = as_dict(frame.data)
            usage = later(body.get("usage"), event.get("usage"), USAGE)
            body.update({name: value for name, value in event.items() if value is not None})
            body["usage"] = usage
            answer = _response(event)
            chunk = as_dict(answer.get("chunk"))
            message.update({name: value for name, value in chunk.items() if value is not None})
            reason = as_str(answer.get("finish_reason")) or reason
            text = visible_text(chunk.get("content"))
            if text:
                texts.append(text)
                first = frame.end if first is None else first
        if texts:
            message["content"] = together(texts)
        body["responses"] = [{"message": message, "finish_reason": reason}]
        return Folded(body, reason is not None, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        answer = _response(body)
        message, usage = as_dict(answer.get("message")), as_dict(body.get("usage"))
        return LLMCall(
            provider=request.provider,
            operation="chat",
            requested_model=as_str(asked.get("model")),
            model=as_str(body.get("model")),
            usage=Usage(as_count(usage.get("input_tokens")), as_count(usage.get("output_tokens"))),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_results(asked)),
            output_text=visible_text(message.get("content")),
            tool_calls=tuple(_calls(message)),
            finish_reason=as_str(answer.get("finish_reason")),
            response_id=as_str(body.get("id")),
            error=error_of(request, body),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_tokens")),
            top_p=as_float(asked.get("top_p")),
        )


FORMATS = (_Chat(),)
PATHS = (PathRow(r"/v1/chat", "reka.chat", "reka", on("reka")),)


def _response(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(dicts(body.get("responses"))), {})


def _calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    for call in dicts(message.get("tool_calls")):
        name = as_str(call.get("name"))
        if name is not None:
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=call.get("parameters"))


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    for turn in dicts(asked.get("messages")):
        role = as_str(turn.get("role"))
        if role is not None:
            yield Message(_ROLES.get(role, "system"), prompt_text(turn.get("content")))


def _results(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    """A turn of the role ``tool_output``: what each of the tools gave."""
    for turn in dicts(asked.get("messages")):
        if turn.get("role") == "tool_output":
            for part in dicts(turn.get("content")):
                yield ToolResult(as_str(part.get("tool_call_id")), part.get("output"))
