"""LM Studio's own API: ``/api/v1/chat``. https://lmstudio.ai/docs/developer/rest/chat

``input`` in, ``output`` items and ``stats`` out; a stream's ``chat.end`` has the whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, ToolCall, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_count, as_dict, as_float, as_str, dicts
from ._media import describe_url
from ._paths import PathRow


class _Chat:
    name = "lmstudio.chat"

    def looks_like(self, request: WireRequest) -> bool:
        """A model and an input."""
        return as_str(request.body.get("model")) is not None and isinstance(request.body.get("input"), str | list)

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        texts: list[str] = []
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            kind = as_str(event.get("type")) or frame.event or ""
            if kind == "chat.end":
                complete = True
                body.update(as_dict(event.get("result")))
            elif event.get("error"):
                body["error"] = event["error"]
            elif kind.endswith(".delta"):
                text = as_str(event.get("content"))
                first = frame.end if first is None and text else first
                if kind == "message.delta" and text is not None:
                    texts.append(text)
            elif kind == "chat.start" and event.get("model_instance_id"):
                body["model_instance_id"] = event["model_instance_id"]
        if texts and "output" not in body:
            body["output"] = [{"type": "message", "content": "".join(texts)}]
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        stats = as_dict(body.get("stats"))
        items = list(dicts(body.get("output")))
        said = [
            item["content"] for item in items if item.get("type") == "message" and isinstance(item.get("content"), str)
        ]
        return LLMCall(
            provider=request.provider,
            operation="chat",
            requested_model=as_str(asked.get("model")),
            model=as_str(body.get("model_instance_id")),
            usage=Usage(
                as_count(stats.get("input_tokens")),
                as_count(stats.get("total_output_tokens")),
                reasoning_tokens=as_count(stats.get("reasoning_output_tokens")),
            ),
            messages=tuple(_messages(asked)),
            output_text="".join(said) if said else None,
            tool_calls=tuple(_tools(items)),
            response_id=as_str(body.get("response_id")),
            error=error_of(request, body),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_output_tokens")),
            top_p=as_float(asked.get("top_p")),
        )


FORMATS = (_Chat(),)
PATHS = (PathRow(r".*/api/v1/chat", "lmstudio.chat", "lmstudio"),)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    system, given = as_str(asked.get("system_prompt")), asked.get("input")
    if system is not None:
        yield Message("system", system)
    if isinstance(given, str):
        yield Message("user", given)
        return
    parts = [as_str(item.get("content")) or describe_url("image", item.get("data_url")) for item in dicts(given)]
    if parts:
        yield Message("user", "\n".join(parts))


def _tools(items: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    """The tools of MCP servers, which LM Studio runs itself."""
    for item in items:
        name = as_str(item.get("tool"))
        if item.get("type") == "tool_call" and name is not None:
            made, result = arguments(item.get("arguments")), item.get("output")
            yield ToolCall(name, None, made, "mcp", executed=True, result=result)
