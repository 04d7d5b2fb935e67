"""The tool calls among a response's output items (openai ``types/responses/response_output_item.py``).

The caller's own: function, custom, computer, local shell, apply-patch. The provider's: web and file search, code
interpreter, image generation, MCP, programs (whose own calls are the caller's), and what other providers add. What
tells them apart is ``call_id``: an item that awaits a result has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from .._models import JSON, ToolCall
from ._json import arguments, as_dict, as_str, dicts
from ._media import describe, describe_base64
from ._openai import prompt_text

_DONE = {"completed": True, "failed": False, "incomplete": False}
_NOTHING: Mapping[str, Any] = {}
#: Requests for leave and the like: nothing was called.
_NO_CALLS = frozenset({"mcp_approval_request", "mcp_list_tools"})


def tool_calls(output: object) -> Iterator[ToolCall]:
    """The calls in order. A result among the items (hosted shell, tool search) goes to its call."""
    items = list(dicts(output))
    results = {
        ident: item for item in items if _kind(item).endswith("_output") and (ident := as_str(item.get("call_id")))
    }
    for item, following in pairwise([*items, _NOTHING]):
        kind = _kind(item)
        if kind in ("function_call", "custom_tool_call"):
            made = item.get("input") if kind == "custom_tool_call" else arguments(item.get("arguments"))
            name = as_str(item.get("name"))
            if name is not None:
                yield ToolCall(name=name, id=_id(item), arguments=made)
        elif kind == "program":
            yield _program(item, results)
        elif kind.endswith(("_call", "_results")) and kind not in _NO_CALLS:  # Perplexity tells results alone
            yield _built_in(item, kind, results, _beside(kind, following))


def _kind(item: Mapping[str, Any]) -> str:
    return as_str(item.get("type")) or ""


def _id(item: Mapping[str, Any]) -> str | None:
    return as_str(item.get("call_id")) or as_str(item.get("id"))


def _beside(kind: str, following: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The result of a call that has no id: it follows."""
    is_its = _kind(following) == f"{kind.removesuffix('_call')}_output" and following.get("call_id") is None
    return following if is_its else None


def _built_in(
    item: Mapping[str, Any],
    kind: str,
    results: Mapping[str, Mapping[str, Any]],
    beside: Mapping[str, Any] | None,
) -> ToolCall:
    """A call of a tool the provider defines. OpenRouter prefixes its own: ``openrouter:web_search_call``."""
    tool = kind.removesuffix("_call").removesuffix("_results").rpartition(":")[2]
    awaited = as_str(item.get("call_id"))
    answer = results.get(awaited) if awaited else beside
    executed = awaited is None or answer is not None or item.get("execution") == "server"
    error = item.get("error")
    failure = as_str(error) or as_str(as_dict(error).get("message")) or (prompt_text(error) if error else None)
    return ToolCall(
        name=as_str(item.get("name")) or tool,
        id=_id(item),
        arguments=_arguments(item),
        type=tool,
        executed=executed,
        result=(_result(item) if answer is None else _answer(answer)) if executed else None,
        success=(False if failure else _success(item)) if executed else None,
        error_message=failure if executed else None,
    )


def _success(item: Mapping[str, Any]) -> bool | None:
    """By its status; an MCP call of old has none, but an error that is null."""
    ended = item.get("output") is not None and "error" in item
    return True if ended and item.get("status") is None else _DONE.get(as_str(item.get("status")) or "")


def _program(item: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> ToolCall:
    """A program the provider runs (``Program``, ``ProgramOutput``); it waits while the caller's tools are called."""
    ident = _id(item)
    answer = results.get(ident or "")
    success = None if answer is None else _DONE.get(as_str(answer.get("status")) or "")
    result = None if answer is None else answer.get("result")
    return ToolCall("program", ident, {"code": item.get("code")}, "program", True, result, success)


def _arguments(item: Mapping[str, Any]) -> JSON:
    """The field that holds what the model asked for: it has another name in each item."""
    for name in ("arguments", "input"):  # mcp_call, tool_search_call; xAI's x_search_call
        if name in item:
            return arguments(item[name])
    for name in ("action", "actions", "operation"):  # web search, shell; computer; apply_patch
        if item.get(name):
            return item[name]
    for name, shown in (("queries", "queries"), ("code", "code"), ("revised_prompt", "prompt")):
        if item.get(name):
            return {shown: item[name]}
    return None


def _result(item: Mapping[str, Any]) -> JSON:
    """What the provider's run gave. Images are described, never carried."""
    if item.get("type") == "image_generation_call":
        form = as_str(item.get("output_format"))
        media_type = f"image/{form}" if form else "image/png"
        return describe_base64("image", media_type, item["result"]) if item.get("result") else None
    if isinstance(item.get("outputs"), list):  # code interpreter: logs and images
        return [
            {"logs": part["logs"]} if "logs" in part else describe(as_str(part.get("type")) or "output")
            for part in dicts(item["outputs"])
        ]
    return item.get("output") if item.get("output") is not None else item.get("results")


def _answer(item: Mapping[str, Any]) -> JSON:
    return item["output"] if "output" in item else item.get("tools")
