"""What can be told of one model answer: the list of it, and its checks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from .. import _arguments
from .._guard import guard
from .._mistakes import did_you_mean
from ..sessions._recorded import NUMBERS

#: The finish reason that marks a failed call.
ERROR = "error"


class MessageFacts(TypedDict, total=False):
    """The keyword arguments of ``track_message``, ``emit_llm_message`` and ``quick_track_message``; all are optional.

    What is left out, or ``None``, is not known and not on the event, where nothing else is said.

    Attributes:
        input_content: what was said to the model.
        input_tokens: tokens of the prompt, those read from and written to a cache included.
        output_tokens: tokens of the answer, reasoning included.
        total_tokens: default: input plus output, where both are known.
        cached_input_tokens: how many of the input tokens were read from a cache.
        cache_write_tokens: how many of the input tokens were written to one.
        reasoning_tokens: how many of the output tokens the model thought with.
        latency_ms: from the request to the end of the answer, in ms.
        time_to_first_token_ms: from the request to the answer's first token, in ms.
        provider_processing_ms: what of it the provider says it spent itself, in ms.
        cost_usd: in USD; default: computed from the tokens and the model, where its price is known.
        finish_reason: why the model stopped, in the provider's word; ``error`` marks a call that failed.
        success: default: False when ``finish_reason`` is ``error`` or an error is given, else True.
        error_type: of a call that failed; in an ``except`` block, by default the exception's.
        error_message: likewise.
        http_status: of the answer: 200, 429 ...
        attempt: which try it was, a count from 0; default: 0, the first.
        operation: what kind of call it was: ``chat`` (the default), ``embeddings`` ...
        call_id: your own id of it, the same for each of its attempts.
        is_streaming: whether the answer came in parts; default: False.
        stream_aborted: whether such an answer was left before its end.
        temperature: as asked for, on the provider's own scale.
        max_tokens: the most tokens that were asked for.
        top_p: as asked for, 0 to 1.
        tool_call_count: a count, of the tools the answer asked for.
        requested_model: the model that was asked for, where another one answered.
        response_id: the provider's id of the answer; `feedback` finds it by this.
        provider_request_id: the provider's id of the request.
        message_id: your own id: the same one in the same session is the same message, counted once.
    """

    input_content: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cached_input_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    latency_ms: float | None
    time_to_first_token_ms: float | None
    provider_processing_ms: float | None
    cost_usd: float | None
    finish_reason: str | None
    success: bool | None
    error_type: str | None
    error_message: str | None
    http_status: int | None
    attempt: int | None
    operation: str | None
    call_id: str | None
    is_streaming: bool | None
    stream_aborted: bool | None
    temperature: float | None
    max_tokens: int | None
    top_p: float | None
    tool_call_count: int | None
    requested_model: str | None
    response_id: str | None
    provider_request_id: str | None
    message_id: str | None


_CHECKS: Mapping[str, Callable[[str, object], Any]] = {
    **{name: NUMBERS.get(name, _arguments.text) for name in MessageFacts.__annotations__},
    "input_content": _arguments.content,
    "output_content": _arguments.content,
}


def checked(function: str, output_content: object, facts: Mapping[str, Any]) -> dict[str, Any]:
    """``facts`` as the event holds them, without those that are not known; with how the call ended.

    Args:
        function: the public function's name, for the error.
        output_content: what the model said.
        facts: what was told; see `MessageFacts`.

    Raises:
        TypeError: an argument is not one of `MessageFacts`, or has the wrong type.
        ValueError: a number is negative or not finite.
    """
    told: dict[str, Any] = {}
    for name, value in {"output_content": output_content, **facts}.items():
        check = _CHECKS.get(name)
        if check is None:
            hint = did_you_mean(name, ("model_name", "model_provider", *_CHECKS))
            own = f"properties of your own go into custom_properties={{{name!r}: ...}}"
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint or f': {own}'}")
        if (fact := check(name, value)) is not None:
            told[name] = fact
    failed = told.get("finish_reason") == ERROR or "error_type" in told or "error_message" in told
    told.setdefault("success", not failed)
    if not told["success"]:
        told.setdefault("finish_reason", ERROR)
        kind, message = current_error()
        if "error_type" not in told and "error_message" not in told:
            told |= {"error_type": kind, "error_message": message}
        told.setdefault("error_type", kind)
    return told


def current_error() -> tuple[str | None, str | None]:
    """(type, message) of the exception that is being handled here; of none, when none is."""
    error = sys.exc_info()[1]
    if error is None:
        return None, None
    message = None
    with guard("error_text"):  # a foreign exception's __str__ may itself fail
        message = str(error)
    return type(error).__name__, message or None


def checked_tool(
    tool_name: object,
    tool_parameters: object,
    tool_result: object,
    success: object,
    error_message: object,
    latency_ms: object,
    tool_call_id: object,
    tool_type: object,
) -> dict[str, Any]:
    """What was told of a tool call, as the event holds it before privacy.

    Raises:
        TypeError: an argument has the wrong type, or ``tool_name`` is missing.
        ValueError: ``latency_ms`` is negative or not finite.
    """
    name = _arguments.text("tool_name", tool_name)
    if name is None:
        raise TypeError("tool_name is missing: pass the name of the tool that was called")
    ended = _arguments.flag("success", success)
    error = _arguments.text("error_message", error_message)
    if ended is None and (error is not None or not _arguments.absent(tool_result)):
        ended = error is None
    if ended is False and error is None:
        error = current_error()[1]
    return {
        "tool_name": name,
        "tool_parameters": None if _arguments.absent(tool_parameters) else _arguments.copied(tool_parameters),
        "tool_result": None if _arguments.absent(tool_result) else _arguments.copied(tool_result),
        "success": ended,
        "error_message": error,
        "latency_ms": _arguments.amount("latency_ms", latency_ms),
        "tool_call_id": _arguments.text("tool_call_id", tool_call_id),
        "tool_type": _arguments.text("tool_type", tool_type) or "function",
    }


def required_content(name: str, value: object) -> str:
    """A text that must be given.

    Raises:
        TypeError: it is missing, or no text.
    """
    text = _arguments.content(name, value)
    if text is None:
        raise TypeError(f"{name} is missing: pass the text of the message")
    return text


def size_of(facts: Mapping[str, Any]) -> int:
    """About how many bytes of content ``facts`` hold, for the bound of the queue."""
    return sum(len(value) for value in facts.values() if isinstance(value, str))
