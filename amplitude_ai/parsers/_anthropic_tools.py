"""Tool calls of an Anthropic message: the caller's own, and the server's with their results.

Types: anthropic ``types/content_block.py``, and ``types/beta/beta_mcp_tool_use_block.py`` for MCP. Every result block
is called ``*_tool_result`` and names its call in ``tool_use_id``. Where a turn is paused, or a program waits for the
caller's tools, the server's result is in a later message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._models import JSON, ToolCall, ToolResult
from ._json import arguments, as_dict, as_str, dicts

#: Why a message ended that another goes on with.
_GOES_ON = ("tool_use", "pause_turn")
#: Opaque to everybody but Anthropic, and large.
_SEALED = frozenset({"encrypted_content", "encrypted_index", "encrypted_stdout", "data"})


def tool_calls(content: object, stop_reason: object = None) -> Iterator[ToolCall]:
    """The calls in order, each server tool's result with its call. One that goes on waits for it as the caller's do."""
    blocks = list(dicts(content))
    results = {
        ident: block for block in blocks if is_result(_kind(block)) and (ident := as_str(block.get("tool_use_id")))
    }
    for block in blocks:
        kind, name, ident = _kind(block), as_str(block.get("name")), as_str(block.get("id"))
        if name is None or not kind.endswith("tool_use"):
            continue
        made = arguments(block.get("input"))
        if kind in ("server_tool_use", "mcp_tool_use"):
            of = "mcp" if kind == "mcp_tool_use" else name
            result = results.get(ident or "")
            if result is None:  # else the stream was cut
                goes_on = stop_reason in _GOES_ON
                yield ToolCall(name=name, id=ident, arguments=made, type=of, executed=True, unfinished=goes_on)
            else:
                yield _executed(name, ident, made, of, result)
        else:
            yield ToolCall(name=name, id=ident, arguments=made)


def late_results(content: object) -> Iterator[ToolResult]:
    """The results of a server's tools that an earlier message called."""
    blocks = list(dicts(content))
    called = {as_str(block.get("id")) for block in blocks}
    for block in blocks:
        ident = as_str(block.get("tool_use_id"))
        if ident is not None and ident not in called and is_result(_kind(block)):
            result, success, _ = _outcome(block)
            yield ToolResult(ident, result, success=success, in_answer=True)


def is_result(kind: str) -> bool:
    """Whether a block type is a tool's result: ``tool_result``, ``web_search_tool_result``, ``mcp_tool_result`` ..."""
    return kind.endswith("tool_result")


def _kind(block: Mapping[str, Any]) -> str:
    return as_str(block.get("type")) or ""


def _executed(name: str, ident: str | None, made: JSON, kind: str, block: Mapping[str, Any]) -> ToolCall:
    return ToolCall(name, ident, made, kind, True, *_outcome(block))


def _outcome(block: Mapping[str, Any]) -> tuple[JSON, bool, str | None]:
    """(result, success, error message) of a result's block."""
    content = block.get("content")
    failure = as_str(as_dict(content).get("error_code"))
    return _open(content), failure is None and block.get("is_error") is not True, failure


def _open(content: JSON) -> JSON:
    """A result without its sealed parts."""
    if isinstance(content, Mapping):
        return {name: _open(value) for name, value in content.items() if name not in _SEALED}
    return [_open(item) for item in content] if isinstance(content, list) else content
