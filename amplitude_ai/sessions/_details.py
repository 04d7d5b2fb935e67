"""What some destinations want beside an event's own properties: Agent Analytics, OpenTelemetry.

In: a call and its exchange. Out: plain values that privacy has passed, kept with the `Event`, never sent as they are.
Made only where a destination wants them: a system prompt is long, and the same in every call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .._config import AIConfig
from .._models import JSON, Exchange, LLMCall
from ._privacy import Privacy

#: ``content_mode``: whether content is kept, or left out on purpose.
FULL = "full"
METADATA_ONLY = "metadata_only"

#: Tools whose names are told.
_MAX_NAMES = 100
#: Destinations of the whole process that want details, whatever a config says.
_wanted_by: set[str] = set()


def want(destination: str, wanted: bool) -> None:
    """Make details for every call, or no longer."""
    (_wanted_by.add if wanted else _wanted_by.discard)(destination)


def wanted(config: AIConfig) -> bool:
    """Whether anyone reads them."""
    return bool(_wanted_by) or config.event_schema != "specification"


def of_event(privacy: Privacy, span: Any) -> dict[str, Any]:
    """The details of any event."""
    mode = FULL if privacy.input_allowed or privacy.output_allowed else METADATA_ONLY
    return {"content_mode": mode} if span is None else {"content_mode": mode, "span": span}


def of_call(privacy: Privacy, call: LLMCall, exchange: Exchange, span: Any) -> dict[str, Any]:
    """The details of a model call's event. Raises `PrivacyError`."""
    system = "\n\n".join(message.text for message in call.messages if message.role == "system" and message.text)
    kept = privacy.input(system or None)
    definitions = list(_normalised(call.tool_definitions))
    asked = [
        {"type": tool.type, "id": tool.id, "function": {"name": tool.name, "arguments": _json_text(tool.arguments)}}
        for tool in call.tool_calls
    ]
    made = {
        **of_event(privacy, span),
        "started_at_ms": exchange.started_at_ms,
        "system_prompt": kept and kept.text,
        "system_prompt_length": kept and kept.length,
        "tool_calls": privacy.tool_parameters(asked or None),
        "tool_definitions": privacy.input_json(definitions or None),
        "tool_definitions_count": len(definitions) or None,
        "tool_definitions_hash": _hash(definitions) if definitions else None,
    }
    return {name: value for name, value in made.items() if value is not None}


def _normalised(tools: tuple[JSON, ...]) -> Iterator[dict[str, Any]]:
    """Name, description and parameters of each tool, whatever format the request was in."""
    for tool in tools:
        if not isinstance(tool, Mapping):
            continue
        listed = tool.get("functionDeclarations") or tool.get("function_declarations")
        if isinstance(listed, list):  # Gemini
            yield from _normalised(tuple(listed))
            continue
        inner = tool.get("function") or tool.get("toolSpec")  # OpenAI chat, Bedrock
        one = inner if isinstance(inner, Mapping) else tool
        parameters = next((one[name] for name in ("parameters", "input_schema", "inputSchema") if name in one), None)
        yield {
            "name": one.get("name") or one.get("type") or "",
            "description": one.get("description") or "",
            "parameters": parameters,
        }


def tool_names(tools: tuple[JSON, ...]) -> list[str]:
    """The names of the tools that a request offers, in its order."""
    return [str(tool["name"])[:200] for tool in _normalised(tools) if tool["name"]][:_MAX_NAMES]


def _hash(definitions: list[dict[str, Any]]) -> str:
    canonical = json.dumps(definitions, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode("utf-8", "replace")).hexdigest()[:16]


def _json_text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
