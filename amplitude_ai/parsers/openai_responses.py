"""OpenAI's Responses API (openai ``types/responses/response.py``), also spoken by xAI, DeepSeek, OpenRouter and others.

The folding of a stream is in ``_openai_responses_fold.py``, the tools in ``_openai_responses_tools.py``.
A response in the background answers ``queued`` without usage; its tokens come with a later GET, which is parsed alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, ToolResult, Usage
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_str, dicts
from ._openai import base_call, find_error, is_pending, prompt_text, read_usage, visible_text
from ._openai_responses_fold import fold
from ._openai_responses_tools import tool_calls
from .compatible import Quirks

_ROLES = {"user": "user", "assistant": "assistant"}


class _Responses:
    name = "openai.responses"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return fold(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        body = as_dict(body)
        if is_pending(request, body):
            return None
        asked = as_dict(request.body)
        call = base_call(request, body, "responses", _error(request, body))
        return replace(
            call,
            usage=_with_searches(call.usage, body),
            billed_besides=_drawn(asked, body),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_tool_results(asked.get("input"))),
            output_text=_text(body),
            tool_calls=tuple(tool_calls(body.get("output"))),
            finish_reason=_finish_reason(body),
            max_tokens=as_count(asked.get("max_output_tokens")),
        )


FORMAT = _Responses()
FORMATS = (FORMAT,)


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    error = find_error(request, body)
    if error is None and body.get("status") == "failed":
        return CallError(type="failed")
    return error


def _finish_reason(body: Mapping[str, Any]) -> str | None:
    """Why it is incomplete, else its status: the API has no other word."""
    return as_str(as_dict(body.get("incomplete_details")).get("reason")) or as_str(body.get("status"))


def _with_searches(usage: Usage, body: Mapping[str, Any]) -> Usage:
    """Searches are billed by the call and stand beside ``usage``: in ``Response.tool_usage``, else among the output.

    Of web searches each ``search`` action is billed, opening a page and finding in it are not; of files each call
    (https://developers.openai.com/api/docs/guides/tools-web-search, https://developers.openai.com/api/docs/pricing).
    """
    web = as_count(as_dict(as_dict(body.get("tool_usage")).get("web_search")).get("num_requests"))
    done = [item for item in dicts(body.get("output")) if item.get("status") in (None, "completed")]
    if web is None:
        searches = (item for item in done if item.get("type") == "web_search_call")
        web = sum(as_dict(item.get("action")).get("type") in (None, "search") for item in searches)
    files = sum(item.get("type") == "file_search_call" for item in done)
    found = {"web_searches": web, "storage_searches": files}
    extra = {**usage.extra, **{unit: count for unit, count in found.items() if count}}
    return replace(usage, extra=extra) if web or files else usage


def _drawn(asked: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[tuple[str, Usage], ...]:
    """Images that a tool made are no part of ``usage``: their own model counts them, in ``ToolUsage.image_gen``.

    It is named where the tool is; the request may leave that to OpenAI.
    """
    counts = read_usage(as_dict(as_dict(body.get("tool_usage")).get("image_gen")), Quirks())
    if not counts.input_tokens and not counts.output_tokens:
        return ()
    tools = (tool for place in (body, asked) for tool in dicts(place.get("tools")))
    models = (as_str(tool.get("model")) for tool in tools if tool.get("type") == "image_generation")
    return ((next((model for model in models if model), ""), counts),)


def _text(body: Mapping[str, Any]) -> str | None:
    """The text of all message items, as the SDK's ``output_text`` joins it; a refusal where there is no text."""
    contents = [item.get("content") for item in dicts(body.get("output")) if item.get("type") == "message"]
    texts = [text for content in contents if (text := visible_text(content)) is not None]
    refusals = [text for content in contents for part in dicts(content) if (text := as_str(part.get("refusal")))]
    if any(texts) or not refusals:
        return "".join(texts) if texts else None
    return "".join(refusals)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    """The turns of ``instructions`` and ``input``; an assistant's calls stand for an assistant turn."""
    if asked.get("instructions"):
        yield Message("system", prompt_text(asked["instructions"]))
    given = asked.get("input")
    if isinstance(given, str):
        yield Message("user", given)
        return
    last: str | None = None
    for item in dicts(given):
        kind = as_str(item.get("type")) or "message"
        role = as_str(item.get("role"))
        if kind == "message" and role is not None:
            last = _ROLES.get(role, "system")
            yield Message(last, prompt_text(item.get("content")))
        elif _is_result(kind):
            last = "tool"
            yield Message(last, prompt_text(item.get("output")))
        elif kind.endswith("_call") and last != "assistant":
            last = "assistant"
            yield Message(last, "")


def _tool_results(given: object) -> Iterator[ToolResult]:
    for item in dicts(given):
        if _is_result(as_str(item.get("type")) or ""):
            success = False if item.get("status") == "failed" else None
            content = prompt_text(item.get("output"))
            yield ToolResult(as_str(item.get("call_id")), content, as_str(item.get("name")), success)


def _is_result(kind: str) -> bool:
    # function_call_output, custom_tool_call_output, computer_call_output, shell_call_output ...
    return kind.endswith("_call_output")
