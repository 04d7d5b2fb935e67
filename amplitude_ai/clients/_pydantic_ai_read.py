"""Pydantic AI's messages, read as a call (pydantic-ai ``messages.py``). Parts are told apart by ``part_kind``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .._models import LLMCall, Message, ToolCall, ToolResult, Usage
from ..parsers._json import arguments, as_count, as_str
from ..parsers._media import describe


def read_call(model: Any, asked: Iterable[Any], answer: Any, streaming: bool) -> LLMCall:
    """A model call: the model, the history that was sent, and the ``ModelResponse`` (``None`` when it failed)."""
    turns = list(asked)
    parts = list(getattr(answer, "parts", None) or ())
    usage = getattr(answer, "usage", None)
    texts = [part.content for part in parts if _kind(part) == "text" and isinstance(part.content, str)]
    return LLMCall(
        provider=as_str(getattr(model, "system", None)) or "pydantic-ai",
        operation="chat",
        requested_model=as_str(getattr(model, "model_name", None)),
        model=as_str(getattr(answer, "model_name", None)),
        usage=Usage(as_count(getattr(usage, "input_tokens", None)), as_count(getattr(usage, "output_tokens", None))),
        messages=tuple(_messages(turns)),
        tool_results=tuple(_tool_results(turns)),
        output_text="".join(texts) if texts else None,
        tool_calls=tuple(_tool_calls(parts)),
        finish_reason=as_str(getattr(answer, "finish_reason", None)),
        response_id=as_str(getattr(answer, "provider_response_id", None)),
        streaming=streaming,
        complete=answer is not None,
    )


def _kind(part: Any) -> str:
    return as_str(getattr(part, "part_kind", None)) or ""


def _tool_calls(parts: Iterable[Any]) -> Iterator[ToolCall]:
    for part in parts:
        if _kind(part) == "tool-call":
            yield ToolCall(name=part.tool_name, id=as_str(part.tool_call_id), arguments=arguments(part.args))


def _messages(turns: Iterable[Any]) -> Iterator[Message]:
    for turn in turns:
        if getattr(turn, "kind", None) == "response":
            yield Message("assistant", "\n".join(_text(part.content) for part in turn.parts if _kind(part) == "text"))
            continue
        for part in getattr(turn, "parts", ()):
            kind = _kind(part)
            if kind == "system-prompt":
                yield Message("system", _text(part.content))
            elif kind == "user-prompt":
                yield Message("user", _text(part.content))
            elif kind in ("tool-return", "retry-prompt"):
                yield Message("tool", _text(part.content))


def _tool_results(turns: Iterable[Any]) -> Iterator[ToolResult]:
    for turn in turns:
        for part in getattr(turn, "parts", ()):
            kind = _kind(part)
            if kind in ("tool-return", "retry-prompt") and getattr(part, "tool_name", None):
                success = None if kind == "tool-return" else False
                yield ToolResult(as_str(part.tool_call_id), part.content, part.tool_name, success)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        return "\n".join(_text(part) for part in content)
    # ImageUrl, BinaryContent ...: ``kind`` and ``media_type``
    kind = as_str(getattr(content, "kind", None))
    return describe(kind, as_str(getattr(content, "media_type", None))) if kind else ""
