"""What a provider may choose, cut where it enters: names, ids, and how many tool calls one answer may hold.

In: an `LLMCall` as its format read it. Out: the same, of a size that every table, event and store behind it can bear.
Texts (messages, answers, arguments, results) are not cut here: their limits are those of their settings.
"""

from __future__ import annotations

from msgspec.structs import replace

from .._guard import count
from .._models import CallError, LLMCall, ToolCall, ToolResult, Usage

#: Characters of a model's name, an id, a reason, an error's type; the longest real ones (ARNs, signed ids) have 500.
MAX_NAME = 512
#: Characters of an error's message.
MAX_MESSAGE = 16_000
#: Tool calls of one answer that are told; OpenAI allows 128 functions a request.
MAX_TOOLS = 256
#: What other models did for one answer.
MAX_BESIDES = 64
#: Parts of a request's history that are looked at, from its end.
MAX_RESULTS = 4096


def bounded(call: LLMCall) -> LLMCall:
    """``call``: what is too long cut, what is too many left out, and counted (``tool_calls_cut``, ``names_cut``)."""
    if _is_small(call):
        return call
    for _ in call.tool_calls[MAX_TOOLS:]:
        count("tool_calls_cut")
    return replace(
        call,
        requested_model=_name(call.requested_model),
        model=_name(call.model),
        price_model=_name(call.price_model),
        price_provider=_name(call.price_provider),
        billed_besides=_besides(call.billed_besides),
        finish_reason=_name(call.finish_reason),
        response_id=_name(call.response_id),
        service_tier=_name(call.service_tier),
        provider_request_id=_name(call.provider_request_id),
        host=call.host[:MAX_NAME],
        endpoint=call.endpoint[: 2 * MAX_NAME],
        error=None if call.error is None else _error(call.error),
        tool_calls=tuple(map(_tool, call.tool_calls[:MAX_TOOLS])),
        tool_results=tuple(map(_result, call.tool_results[-MAX_RESULTS:])),
    )


def _is_small(call: LLMCall) -> bool:
    """Whether there is nothing to cut, which is so of nearly all."""
    names = (call.requested_model, call.model, call.price_model, call.finish_reason, call.response_id)
    others = (call.service_tier, call.provider_request_id, call.host, call.endpoint, call.price_provider)
    if call.error is not None or call.tool_calls or call.tool_results or call.billed_besides:
        return False
    return sum([len(name) for name in (*names, *others) if name]) <= MAX_NAME


def _besides(parts: tuple[tuple[str, Usage], ...]) -> tuple[tuple[str, Usage], ...]:
    """Of too many each would be looked up: the call has no price then."""
    if len(parts) > MAX_BESIDES:
        count("names_cut")
        return (("", Usage()),)
    return tuple((_name(model) or "", usage) for model, usage in parts)


def _name(text: str | None) -> str | None:
    if text is None or len(text) <= MAX_NAME:
        return text
    count("names_cut")
    return text[:MAX_NAME]


def _error(error: CallError) -> CallError:
    message = error.message
    return CallError(_name(error.type), message if message is None else message[:MAX_MESSAGE], _name(error.code))


def _tool(tool: ToolCall) -> ToolCall:
    if len(tool.name) + len(tool.id or "") + len(tool.type) <= MAX_NAME and not tool.error_message:
        return tool
    message = tool.error_message and tool.error_message[:MAX_MESSAGE]
    return replace(
        tool, name=_name(tool.name) or "", id=_name(tool.id), type=_name(tool.type) or "", error_message=message
    )


def _result(result: ToolResult) -> ToolResult:
    if len(result.id or "") + len(result.name or "") <= MAX_NAME:
        return result
    return replace(result, id=_name(result.id), name=_name(result.name))
