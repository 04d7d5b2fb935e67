"""Tool calls of an Anthropic message: the caller's own, and the server's with their results.

Types: anthropic ``types/content_block.py``, and ``types/beta/beta_mcp_tool_use_block.py`` for MCP. Every result block
is called ``*_tool_result`` and names its call in ``tool_use_id``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._models import JSON, ToolCall
from ._json import arguments, as_dict, as_str, dicts

#: Opaque to everybody but Anthropic, and large.
_SEALED = frozenset({"encrypted_content", "encrypted_index", "encrypted_stdout", "data"})


def tool_calls(content: object) -> Iterator[ToolCall]:
    """The calls in order, each server tool's result with its call."""
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
            yield _executed(name, ident, made, "mcp" if kind == "mcp_tool_use" else name, results.get(ident or ""))
        else:
            yield ToolCall(name=name, id=ident, arguments=made)


def is_result(kind: str) -> bool:
    """Whether a block type is a tool's result: ``tool_result``, ``web_search_tool_result``, ``mcp_tool_result`` ..."""
    return kind.endswith("tool_result")


def _kind(block: Mapping[str, Any]) -> str:
    return as_str(block.get("type")) or ""


def _executed(name: str, ident: str | None, made: JSON, kind: str, block: Mapping[str, Any] | None) -> ToolCall:
    if block is None:  # the turn was paused, or the stream cut
        return ToolCall(name=name, id=ident, arguments=made, type=kind, executed=True)
    content = block.get("content")
    failure = as_str(as_dict(content).get("error_code"))
    failed = failure is not None or block.get("is_error") is True
    return ToolCall(name, ident, made, kind, True, _open(content), not failed, failure)


def _open(content: JSON) -> JSON:
    """A result without its sealed parts."""
    if isinstance(content, Mapping):
        return {name: _open(value) for name, value in content.items() if name not in _SEALED}
    return [_open(item) for item in content] if isinstance(content, list) else content
