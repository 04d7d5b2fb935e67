"""What a request body is, when neither host nor path can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._evidence import has_turns, is_contents
from ._json import as_list


def shape(body: Mapping[str, Any]) -> tuple[str, str] | None:
    """(wire format, provider whose shape it is) of a request body, or ``None`` when it looks like no model call."""
    if body.get("jsonrpc") == "2.0" and body.get("method") == "tools/call":
        return ("mcp.tools", "mcp")
    # A list of texts may be anything to translate or to read.
    if is_contents(body.get("contents")) and "model" not in body and not _are_texts(body["contents"]):
        return ("google.generate", "google")
    if has_turns(body):
        if "max_tokens" in body and ("system" in body or "anthropic_version" in body or "stop_sequences" in body):
            return ("anthropic.messages", "anthropic")
        if "model" in body or "stream" in body:
            return ("openai.chat", "openai")
    if isinstance(body.get("model"), str) and isinstance(body.get("input"), str | list):
        return ("openai.responses", "openai") if "instructions" in body or "stream" in body else None
    return None


def _are_texts(contents: object) -> bool:
    return any(isinstance(one, str) for one in as_list(contents))
