"""Whether a tool's result says that the tool failed. Pure.

``False``: the wire says so, or a framework's known wording, an exception's own text, or a JSON object with an error.
``None``: the text reads like a failure, and may be none. ``True``: a result that says nothing of an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from .._models import JSON
from .._pattern import lazy_pattern

_FAILED = lazy_pattern(
    r"\A\s*(?:"
    r"Error(?: (?:executing|invoking|calling|running) (?:tool|task)\b[^\n]{0,80})?:"  # CrewAI
    r"|Error calling function \"[^\"\n]{1,200}\": "  # controlflow tools/tools.py
    r"|(?:[A-Za-z_]\w*\.)*[A-Za-z_]*(?:Error|Exception)(?:\([^\n]*\))?(?::|\s*\Z)"  # an exception's text or repr
    r"|Traceback \(most recent call last\)"
    r"|Error (?:executing|invoking) tool '[^'\n]{1,200}' with "  # langgraph prebuilt/tool_node.py; smolagents agents.py
    r"|An error occurred while (?:running|executing|calling) the tool"  # openai-agents tool.py
    r"|An error occurred while invoking the function "  # semantic-kernel kernel.py
    r"|Failed to invoke Tool `[^`\n]{1,200}` with parameters "  # haystack tools/tool.py
    r"|Tool '[^'\n]{1,200}' failed after \d+ attempt"  # langchain agents/middleware/tool_retry.py
    r"|Tool execution failed: "  # strands tools/mcp/mcp_client.py
    r"|The (?:tool|function) has failed; the error log is shown below\."  # beeai-framework agents/*/prompts.py
    r"|Activity input JSON validation error: "  # griptape tasks/actions_subtask.py
    r"|I encountered an error"  # crewai translations/en.json
    r"|Encountered error:"  # llama-index
    r"|Validation Errors?(?:\(s\))? found:"  # instructor
    r"|\d+ validation errors?(?: for|:)"  # pydantic
    r"|<(?:tool_use_)?error>"
    r"|Execution error in "  # dspy predict/react.py
    r")"
)
_CLOSES = lazy_pattern(r"(?:Fix the errors and try again\.|Please fix your mistakes\.)\s*\Z")
#: Reads like a failure, and may be what the tool was asked to bring.
_DOUBTFUL = lazy_pattern(
    r"\A\s*(?:error|exception|failed|failure|fatal|unable to|could not|couldn't|cannot|can't|timed? ?out|invalid|"
    r"not found|no such|denied|permission denied|unauthorized|forbidden|\[error\]|❌|⚠)",
    re.IGNORECASE,
)
_LOOKED_AT = 4000
_MAX_JSON = 262_144


def tool_success(content: JSON, told: bool | None) -> bool | None:
    """How a tool ended by its result.

    Args:
        content: the result.
        told: what the wire says of it, where the format has a word for it.
    """
    if told is not None:
        return told
    if isinstance(content, str):
        return _by_text(content)
    return _by_value(content)


def _by_text(text: str) -> bool | None:
    if _FAILED.match(text[:_LOOKED_AT]) or _CLOSES.search(text[-_LOOKED_AT:]):
        return False
    if _DOUBTFUL.match(text[:_LOOKED_AT]):
        return None
    if text.lstrip()[:1] in ("{", '"') and len(text) <= _MAX_JSON:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return True
        return _by_text(value) if isinstance(value, str) else _by_value(value)  # aisuite writes a text as JSON too
    return True


def _by_value(value: JSON) -> bool | None:
    """MCP's ``isError``, google-adk's and Gemini's ``error``, ``status: error``, ``success: false``."""
    if not isinstance(value, Mapping):
        return True
    if any(value.get(name) is True for name in ("isError", "is_error", "error", "failed")):
        return False
    if any(value.get(name) is False for name in ("success", "ok", "succeeded")):
        return False
    status = value.get("status")
    if isinstance(status, str) and status.lower() in ("error", "failed", "failure"):
        return False
    error = value.get("error", value.get("exception"))
    if isinstance(error, str | Mapping | list) and error:
        return False
    # Gemini's SDK wraps a text in {"result": ...} or {"output": ...}.
    for name in ("result", "output"):
        if len(value) == 1 and isinstance(value.get(name), str):
            return _by_text(value[name])
    return True
