"""LangChain's messages and results, read as a call (langchain-core ``messages/``, ``outputs/``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, ToolCall, ToolResult, Usage
from ..parsers._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ..parsers._openai import prompt_text, visible_text

_ROLES = {"human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "tool": "tool"}


def read_call(asked: Iterable[Any], metadata: Mapping[str, Any], result: Any, streaming: bool) -> LLMCall:
    """A model call.

    Args:
        asked: the messages, or prompts as text.
        metadata: LangChain's own facts of the model (``ls_provider``, ``ls_model_name`` ...).
        result: the ``LLMResult``, or ``None`` when it failed.
        streaming: whether tokens came one by one.
    """
    turns = list(asked)
    generation = _first(_first(getattr(result, "generations", None)))
    message = getattr(generation, "message", None)
    told = as_dict(getattr(message, "response_metadata", None))
    info = as_dict(getattr(generation, "generation_info", None))
    output = as_dict(getattr(result, "llm_output", None))
    requested = as_str(metadata.get("ls_model_name"))
    return LLMCall(
        provider=as_str(metadata.get("ls_provider")) or "langchain",
        operation="completion" if message is None and generation is not None else "chat",
        requested_model=requested,
        model=as_str(told.get("model_name")) or as_str(output.get("model_name")),
        usage=_usage(as_dict(getattr(message, "usage_metadata", None)), as_dict(output.get("token_usage"))),
        messages=tuple(_messages(turns)),
        tool_results=tuple(_tool_results(turns)),
        output_text=_text(generation, message),
        tool_calls=tuple(_tool_calls(message)),
        finish_reason=as_str(told.get("finish_reason")) or as_str(info.get("finish_reason")),
        response_id=as_str(told.get("id")),
        temperature=as_float(metadata.get("ls_temperature")),
        max_tokens=as_count(metadata.get("ls_max_tokens")),
        streaming=streaming,
        complete=result is not None,
    )


def _first(values: Any) -> Any:
    found = as_list(values)
    return found[0] if found else None


def _usage(usage: Mapping[str, Any], of_old: Mapping[str, Any]) -> Usage:
    """``UsageMetadata`` (input includes cache, output reasoning); else the ``token_usage`` of ``llm_output``."""
    if not usage:
        return Usage(as_count(of_old.get("prompt_tokens")), as_count(of_old.get("completion_tokens")))
    inputs, outputs = as_dict(usage.get("input_token_details")), as_dict(usage.get("output_token_details"))
    return Usage(
        input_tokens=as_count(usage.get("input_tokens")),
        output_tokens=as_count(usage.get("output_tokens")),
        total_tokens=as_count(usage.get("total_tokens")),
        cached_input_tokens=as_count(inputs.get("cache_read")),
        cache_write_tokens=as_count(inputs.get("cache_creation")),
        reasoning_tokens=as_count(outputs.get("reasoning")),
    )


def _text(generation: Any, message: Any) -> str | None:
    if message is not None:
        return visible_text(getattr(message, "content", None))
    return as_str(getattr(generation, "text", None))


def _tool_calls(message: Any) -> Iterator[ToolCall]:
    for call in dicts(getattr(message, "tool_calls", None)):
        name = as_str(call.get("name"))
        if name is not None:
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=call.get("args"))


def _messages(turns: Iterable[Any]) -> Iterator[Message]:
    for turn in turns:
        if isinstance(turn, str):
            yield Message("user", turn)
            continue
        role = as_str(getattr(turn, "role", None)) or as_str(getattr(turn, "type", None)) or ""
        yield Message(_ROLES.get(role, "system"), prompt_text(getattr(turn, "content", "")))


def _tool_results(turns: Iterable[Any]) -> Iterator[ToolResult]:
    for turn in turns:
        if getattr(turn, "type", None) == "tool":
            success = False if getattr(turn, "status", None) == "error" else None
            content = prompt_text(getattr(turn, "content", ""))
            yield ToolResult(as_str(getattr(turn, "tool_call_id", None)), content, success=success)
