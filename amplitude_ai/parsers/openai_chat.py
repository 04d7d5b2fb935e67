"""OpenAI's chat completions, and everybody's copies of them.

Bodies: openai ``types/chat/chat_completion.py`` and ``chat_completion_chunk.py``; the request:
``types/chat/completion_create_params.py``. The folding of a stream is in ``_openai_chat_fold.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_count, as_dict, as_str, dicts
from ._openai import base_call, find_error, is_pending, prompt_text, visible_text
from ._openai_chat_fold import fold
from .compatible import quirks
from .llamacpp import timed_usage

_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool", "function": "tool"}


class _Chat:
    name = "openai.chat"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return fold(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        body = as_dict(body)
        if _is_deferred(request, body):
            return None
        if "/async/" in request.path and isinstance(request.body.get("request"), Mapping):  # what was refused
            request = replace(request, body=request.body["request"])
        if not body.get("choices") and isinstance(body.get("response"), Mapping):  # Perplexity's, fetched later
            body = body["response"]
        asked = as_dict(request.body)
        choice = _whole_choice(body) if quirks(request.provider).in_parts else first_choice(body)
        message = as_dict(choice.get("message"))
        error = find_error(request, body) or find_error(request, choice) or _task_failure(body)
        call = base_call(request, body, "chat", error)
        return replace(
            call,
            usage=call.usage if body.get("usage") or "timings" not in body else timed_usage(body),
            messages=tuple(_messages(asked.get("messages"))),
            tool_results=tuple(_tool_results(asked.get("messages"))),
            output_text=_text(message),
            tool_calls=tuple(tool_calls(message)),
            finish_reason=finish_reason(choice),
            max_tokens=_max_tokens(asked),
        )


FORMAT = _Chat()
FORMATS = (FORMAT,)


def _is_deferred(request: WireRequest, body: Mapping[str, Any]) -> bool:
    """An answer that is fetched later, with GET (https://docs.x.ai/docs/guides/deferred-chat-completions).

    The POST gives an id and no more; that of the answer is another. The answer is the record. (Perplexity:
    https://docs.perplexity.ai/api-reference/async-chat-completions-post.)
    """
    accepted = request.status is not None and request.status < 300
    is_empty = not any(body.get(name) for name in ("choices", "response", "error")) and _task_failure(body) is None
    if request.method == "GET" and accepted and is_empty:
        return True  # the result of another kind of task: Z.ai's images and videos are fetched by the same door
    is_asked = request.body.get("deferred") is True or "/async/" in request.path
    started = request.method == "POST" and is_asked and not body.get("choices") and not body.get("error")
    return is_pending(request, body) or (accepted and started)


def _task_failure(body: Mapping[str, Any]) -> CallError | None:
    """Why a task that was deferred has no answer (Perplexity's ``status``, Z.ai's ``task_status``)."""
    status = as_str(body.get("status")) or as_str(body.get("task_status")) or ""
    failed = status.lower() in ("fail", "failed") and not body.get("choices")
    return CallError(status.lower(), as_str(body.get("error_message"))) if failed else None


def first_choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The choice with the lowest index; servers may send them in any order."""
    choices = sorted(dicts(body.get("choices")), key=lambda choice: as_count(choice.get("index")) or 0)
    return choices[0] if choices else {}


def _whole_choice(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of a server that puts what was said in one choice and the calls in others."""
    first = first_choice(body)
    messages = [as_dict(choice.get("message")) for choice in dicts(body.get("choices"))]
    called = [call for message in messages for call in dicts(message.get("tool_calls"))]
    if len(messages) < 2 or not called:
        return first
    texts = (text for message in messages if (text := visible_text(message.get("content"))))
    return {**first, "message": {**as_dict(first.get("message")), "content": "".join(texts), "tool_calls": called}}


def finish_reason(choice: Mapping[str, Any]) -> str | None:
    """The provider's word as it stands: Snowflake's is an empty string."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) else None


def _max_tokens(asked: Mapping[str, Any]) -> int | None:
    newer = as_count(asked.get("max_completion_tokens"))
    return newer if newer is not None else as_count(asked.get("max_tokens"))


def _text(message: Mapping[str, Any]) -> str | None:
    text = visible_text(message.get("content"))
    if text:
        return text
    # A refusal stands in for content, a transcript for spoken content. Both may be empty strings (Snowflake).
    return as_str(message.get("refusal")) or as_str(as_dict(message.get("audio")).get("transcript")) or text


def tool_calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    """The calls of a message, today's and of old; and those that the provider ran."""
    for call in dicts(message.get("tool_calls")):
        # Some servers leave "type" out, some fill the other kind with empty strings: the one with a name counts.
        function, custom = as_dict(call.get("function")), as_dict(call.get("custom"))
        found = function if as_str(function.get("name")) else custom
        name = as_str(found.get("name"))
        if name is not None:
            made = arguments(function.get("arguments")) if found is function else custom.get("input")
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=made)
    legacy = as_dict(message.get("function_call"))
    name = as_str(legacy.get("name"))
    if name is not None:
        yield ToolCall(name=name, arguments=arguments(legacy.get("arguments")))
    # Groq's compound systems: https://console.groq.com/docs/compound
    for run in dicts(message.get("executed_tools")):
        kind = as_str(run.get("type"))
        if kind is not None:
            result = run.get("output")
            yield ToolCall(kind, None, arguments(run.get("arguments")), type=kind, executed=True, result=result)


def _messages(turns: object) -> Iterator[Message]:
    for turn in dicts(turns):
        role = as_str(turn.get("role"))
        if role is not None:
            # "system", "developer", and what nobody has heard of: no person said it.
            yield Message(_ROLES.get(role, "system"), prompt_text(turn.get("content")))


def _tool_results(turns: object) -> Iterator[ToolResult]:
    for turn in dicts(turns):
        if turn.get("role") in ("tool", "function"):
            content = prompt_text(turn.get("content"))
            yield ToolResult(as_str(turn.get("tool_call_id")), content, as_str(turn.get("name")))
