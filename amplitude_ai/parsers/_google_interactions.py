"""Gemini's Interactions API: steps in, steps out (google-genai ``_gaos/types/interactions/``, snake_case).

``total_input_tokens`` has no tool-use tokens and ``total_output_tokens`` no thoughts; ``total_tokens`` has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult, Usage
from ._format import Folded, Frame, WireRequest
from ._google import by_modality, requested_model
from ._json import add_counts, arguments, as_count, as_dict, as_float, as_list, as_str, dicts
from ._media import describe, describe_base64
from ._usage import Group, later

_ROLES = {"user_input": "user", "model_output": "assistant", "function_result": "tool"}
_USAGE = (
    Group(
        ("total_input_tokens", "total_tool_use_tokens"),
        ("input_tokens_by_modality", "tool_use_tokens_by_modality", "total_cached_tokens", "cached_tokens_by_modality"),
    ),
    Group(("total_output_tokens", "total_thought_tokens"), ("output_tokens_by_modality",), grows=True),
    Group(("total_tokens",)),
)
#: After these nothing follows; ``requires_action`` waits for function results.
_ENDED = ("completed", "requires_action", "failed", "cancelled", "incomplete", "budget_exceeded")


def read_interaction(request: WireRequest, body: Mapping[str, Any], error: CallError | None) -> LLMCall:
    """One interaction. ``status`` is the nearest it has to a finish reason."""
    asked = as_dict(request.body)
    settings = as_dict(asked.get("generation_config"))
    steps = list(dicts(body.get("steps") or body.get("outputs")))
    status = as_str(body.get("status"))
    return LLMCall(
        provider=request.provider,
        operation="responses",
        requested_model=requested_model(request) or as_str(asked.get("agent")),
        model=as_str(body.get("model")),
        usage=_usage(as_dict(body.get("usage"))),
        messages=tuple(_messages(asked)),
        tool_results=tuple(_tool_results(asked.get("input"))),
        output_text=_output_text(steps),
        tool_calls=tuple(_tool_calls(steps)),
        finish_reason=status,
        response_id=as_str(body.get("id")),
        error=error or _failure(body, status),
        temperature=as_float(settings.get("temperature")),
        max_tokens=as_count(settings.get("max_output_tokens")),
        top_p=as_float(settings.get("top_p")),
        service_tier=as_str(body.get("service_tier")),
    )


def fold_interaction(frames: Iterable[Frame]) -> Folded:
    """``interaction.created``, ``step.start/.delta/.stop``, ``interaction.completed`` (which has the usage)."""
    body: dict[str, Any] = {}
    steps: dict[int, dict[str, Any]] = {}
    texts: dict[int, list[str]] = {}
    made: dict[int, list[str]] = {}
    usage: dict[str, Any] = {}
    complete, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        kind = as_str(event.get("event_type")) or frame.event or ""
        index = as_count(event.get("index")) or 0
        delta = as_dict(event.get("delta"))
        if kind.startswith("interaction."):
            interaction = as_dict(event.get("interaction"))
            usage = later(usage, interaction.get("usage"), _USAGE)
            body.update({name: value for name, value in interaction.items() if value})
            complete = complete or kind == "interaction.completed" or body.get("status") in _ENDED
        elif kind == "step.start":
            steps[index] = dict(as_dict(event.get("step")))
        elif kind == "step.delta":
            step = steps.setdefault(index, {"type": "model_output"})
            text, piece = as_str(delta.get("text")), as_str(delta.get("arguments"))
            if text is not None:
                texts.setdefault(index, []).append(text)
            elif piece is not None:
                made.setdefault(index, []).append(piece)
            else:
                step.update({name: delta[name] for name in ("arguments", "result", "is_error") if name in delta})
            if first is None and (text or piece or delta.get("type") == "thought_summary"):
                first = frame.end
        elif kind == "step.stop" and event.get("usage"):
            usage = later(usage, event["usage"], _USAGE)
        elif event.get("error"):
            body["error"] = event["error"]
    for index, step in steps.items():
        if index in texts:
            step["content"] = [*as_list(step.get("content")), {"type": "text", "text": "".join(texts[index])}]
        if index in made:
            step["arguments"] = arguments("".join(made[index]))
    if usage:
        body["usage"] = usage
    if steps:
        body["steps"] = [steps[index] for index in sorted(steps)]
    return Folded(body, complete, first)


def _usage(usage: Mapping[str, Any]) -> Usage:
    thoughts = as_count(usage.get("total_thought_tokens"))
    return Usage(
        input_tokens=add_counts(
            as_count(usage.get("total_input_tokens")), as_count(usage.get("total_tool_use_tokens"))
        ),
        output_tokens=add_counts(as_count(usage.get("total_output_tokens")), thoughts),
        total_tokens=as_count(usage.get("total_tokens")),
        cached_input_tokens=as_count(usage.get("total_cached_tokens")),
        reasoning_tokens=thoughts,
        extra=by_modality(
            input=(
                *dicts(usage.get("input_tokens_by_modality")),
                *dicts(usage.get("tool_use_tokens_by_modality")),
            ),
            output=tuple(dicts(usage.get("output_tokens_by_modality"))),
            cached=tuple(dicts(usage.get("cached_tokens_by_modality"))),
        ),
    )


def _failure(body: Mapping[str, Any], status: str | None) -> CallError | None:
    if status != "failed":
        return None
    told = next(iter(dicts(body.get("errors"))), {})
    return CallError(as_str(told.get("code")) or status, as_str(told.get("message")))


def _output_text(steps: list[Mapping[str, Any]]) -> str | None:
    texts = [
        part["text"]
        for step in steps
        if step.get("type") in ("model_output", "text")
        for part in (*dicts(step.get("content")), step)
        if isinstance(part.get("text"), str)
    ]
    return "".join(texts) if texts else None


def _tool_calls(steps: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    """``function_call`` waits for the caller; every other ``*_call`` was run by Google, its ``*_result`` beside it."""
    results = {as_str(step.get("call_id")): step for step in steps if _kind(step).endswith("_result")}
    for step in steps:
        kind, ident = _kind(step), as_str(step.get("id"))
        if not kind.endswith("_call"):
            continue
        tool = kind.removesuffix("_call")
        made = arguments(step.get("arguments"))
        name = as_str(step.get("name")) or tool
        if tool == "function":
            if name != tool or step.get("name"):  # a call of nothing is none
                yield ToolCall(name=name, id=ident, arguments=made)
        else:
            result = results.get(ident, {})
            success = None if "is_error" not in result else not result["is_error"]
            yield ToolCall(name, ident, made, tool, True, result.get("result"), success)


def _kind(step: Mapping[str, Any]) -> str:
    return as_str(step.get("type")) or ""


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    system, given = as_str(asked.get("system_instruction")), asked.get("input")
    if system is not None:
        yield Message("system", system)
    if isinstance(given, str):
        yield Message("user", given)
        return
    loose: list[str] = []
    for item in [given] if isinstance(given, Mapping) else dicts(given):
        kind = _kind(item)
        if kind in _ROLES:
            yield Message(_ROLES[kind], _text(item.get("content") or item.get("result")))
        elif "role" in item:
            yield Message("user" if item["role"] == "user" else "assistant", _text(item.get("content")))
        elif text := _part_text(item):
            loose.append(text)
    if loose:  # a list of contents is one turn
        yield Message("user", "\n".join(loose))


def _tool_results(given: object) -> Iterator[ToolResult]:
    for item in [given] if isinstance(given, Mapping) else dicts(given):
        if _kind(item) == "function_result":
            success = False if item.get("is_error") is True else None
            yield ToolResult(as_str(item.get("call_id")), item.get("result"), as_str(item.get("name")), success)


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    found = [content] if isinstance(content, Mapping) else dicts(content)
    return "\n".join(text for part in found if (text := _part_text(part)))


def _part_text(part: Mapping[str, Any]) -> str | None:
    if isinstance(part.get("text"), str):
        return as_str(part["text"])
    kind = _kind(part)
    if kind in ("image", "audio", "video", "document"):
        media_type = as_str(part.get("mime_type"))
        return describe_base64(kind, media_type, part["data"]) if part.get("data") else describe(kind, media_type)
    return None
