"""MCP over streamable HTTP: a tool of a server that the application calls itself. https://modelcontextprotocol.io

JSON-RPC: ``tools/call`` with a name and arguments in, ``{content, structuredContent?, isError?}`` out, as JSON or in
the one event of a stream that answers the request's id. No model is called: it is a tool call that was run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._models import JSON, LLMCall, ToolCall
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_dict, as_str, dicts
from ._media import describe, describe_base64
from ._paths import PathRow, on

#: The operation of such a call: the sessions make a tool's event of it.
OPERATION = "mcp"


class _Tools:
    name = "mcp.tools"

    def looks_like(self, request: WireRequest) -> bool:
        """A JSON-RPC call of a tool; initialisation, listings and notifications are none."""
        return request.body.get("jsonrpc") == "2.0" and request.body.get("method") == "tools/call"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        """The message that answers the request; progress and logging come before it."""
        for frame in frames:
            message = as_dict(frame.data)
            if ("result" in message or "error" in message) and message.get("id") in (request.body.get("id"), None):
                return Folded(dict(message), True, frame.end)
        return Folded({}, False)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body.get("params"))
        name = as_str(asked.get("name"))
        if name is None or not self.looks_like(request):
            return None
        result = as_dict(body.get("result"))
        error = error_of(request, body)
        failed = error is not None or result.get("isError") is True
        text = _text(result.get("content"))
        tool = ToolCall(
            name,
            None,
            asked.get("arguments"),
            type="mcp",
            executed=True,
            result=result.get("structuredContent") if text is None else text,  # the text is what a model is given
            success=False if failed else True if "result" in body else None,
            error_message=(error.message if error else text) if failed else None,
        )
        return LLMCall(provider="", operation=OPERATION, tool_calls=(tool,), error=error)


FORMATS = (_Tools(),)
PATHS = (PathRow(r"(?:.*/)?mcp(?:/[^/]*)?", "mcp.tools", "mcp", on("all")),)


def _text(content: JSON) -> str | None:
    """The content blocks (``text``, ``image``, ``audio``, ``resource``, ``resource_link``), one line each."""
    lines = []
    for block in dicts(content):
        kind, text = as_str(block.get("type")) or "content", block.get("text")
        if isinstance(text, str):
            lines.append(text)
        elif block.get("data"):
            lines.append(describe_base64(kind, as_str(block.get("mimeType")), block["data"]))
        else:
            inner = as_dict(block.get("resource")).get("text")
            lines.append(inner if isinstance(inner, str) else describe(kind, as_str(block.get("mimeType"))))
    return "\n".join(lines) if lines else None
