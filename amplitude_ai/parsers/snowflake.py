"""Snowflake's Cortex agents. https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-agents-run

``content`` is parts: text, thinking, tools that the agent used and what they gave. A stream is events of these, of
which the last (``response``) is the whole answer. What it counted is documented nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_str, dicts
from ._openai import prompt_text
from ._paths import PathRow, on

_PARTS = ("response.text", "response.tool_use", "response.tool_result")


class _Agent:
    name = "snowflake.agent"

    def looks_like(self, request: WireRequest) -> bool:
        """Whether it is asked with turns."""
        return any(as_str(turn.get("role")) for turn in dicts(request.body.get("messages")))

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        parts: dict[int, dict[str, Any]] = {}
        pieces: dict[int, list[str]] = {}
        complete, first = False, None
        for frame in frames:
            event, kind = as_dict(frame.data), frame.event or ""
            at = as_count(event.get("content_index")) or 0
            text = as_str(event.get("text"))
            if kind == "error" or event.get("error"):
                body["error"] = event.get("error") or event
            elif kind == "response":
                complete = True
                body.update(event)
            elif kind == "response.text.delta" and text:
                pieces.setdefault(at, []).append(text)
            elif kind in _PARTS:
                name = kind.removeprefix("response.")
                parts[at] = {"type": name, "text": text} if name == "text" else {"type": name, name: event}
            if first is None and text and kind in ("response.text.delta", "response.thinking.delta"):
                first = frame.end
        if not complete:  # it was cut: what came of it
            for at, texts in pieces.items():
                parts.setdefault(at, {"type": "text", "text": "".join(texts)})
            body["content"] = [parts[at] for at in sorted(parts)]
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        texts = [part["text"] for part in dicts(body.get("content")) if isinstance(part.get("text"), str)]
        return LLMCall(
            provider=request.provider,
            operation="chat",
            requested_model=as_str(as_dict(asked.get("models")).get("orchestration")) or as_str(asked.get("model")),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_given(asked)),
            output_text="".join(texts) if texts else None,
            tool_calls=tuple(_calls(body)),
            error=_error(request, body),
        )


FORMATS = (_Agent(),)
PATHS = (
    PathRow(
        r"/api/v2/(?:cortex/agent|databases/[^/]+/schemas/[^/]+/agents/[^/]+):run",
        "snowflake.agent",
        "snowflake",
        on("snowflake"),
    ),
)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    told = as_dict(asked.get("instructions"))
    for name in ("system", "orchestration", "response"):
        if as_str(told.get(name)):
            yield Message("system", told[name])
    for turn in dicts(asked.get("messages")):
        role, content = as_str(turn.get("role")), turn.get("content")
        if role is not None:
            said = [part for part in dicts(content) if part.get("type") == "text"]
            results = any(part.get("type") == "tool_result" for part in dicts(content))
            kind = "tool" if results and not said else role if role in ("user", "assistant") else "system"
            yield Message(kind, content if isinstance(content, str) else prompt_text(said))


def _given(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    """What the caller's own tools gave."""
    for turn in dicts(asked.get("messages")):
        if turn.get("role") == "user":
            for part in dicts(turn.get("content")):
                result = as_dict(part.get("tool_result"))
                if result:
                    yield ToolResult(
                        as_str(result.get("tool_use_id")), result.get("content"), as_str(result.get("name"))
                    )


def _calls(body: Mapping[str, Any]) -> Iterator[ToolCall]:
    parts = list(dicts(body.get("content")))
    results = {
        as_str(result.get("tool_use_id")): result for part in parts if (result := as_dict(part.get("tool_result")))
    }
    for part in parts:
        use = as_dict(part.get("tool_use"))
        name, ident = as_str(use.get("name")), as_str(use.get("tool_use_id"))
        if name is None:
            continue
        # It is told as a text in the examples.
        if use.get("client_side_execute") in (True, "true") and ident not in results:
            yield ToolCall(name=name, id=ident, arguments=use.get("input"))
            continue
        result = as_dict(results.get(ident))
        status = as_str(result.get("status"))
        yield ToolCall(
            name=name,
            id=ident,
            arguments=use.get("input"),
            type=as_str(use.get("type")) or "function",
            executed=True,
            result=result.get("content"),
            success=None if status is None else status == "success",
        )


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """An event ``{"code", "message", "request_id"}``."""
    told = as_dict(body.get("error"))
    code = as_str(told.get("code"))
    return CallError(code, as_str(told.get("message")), code) if code else error_of(request, body)
