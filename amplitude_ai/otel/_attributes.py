"""Events in OpenTelemetry's words: attributes of the GenAI semantic conventions. Imports nothing of OpenTelemetry.

In: an `Event`, whose content privacy has passed. Out: attributes. Names come from the table (`sessions.schema`); what
stands here is what is more than another name.

https://github.com/open-telemetry/semantic-conventions-genai
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._models import Event
from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED, rows_of

PROVIDERS = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google": "gcp.gen_ai",
    "vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "xai": "x_ai",
}
#: In the table for their names, said otherwise: in messages, or as a metric.
_OTHERWISE = frozenset(
    {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.client.operation.duration",
        "gen_ai.response.finish_reasons",
    }
)
_SECONDS = frozenset({"gen_ai.response.time_to_first_chunk"})


def operation(event: Event) -> str:
    """What the model was asked to do."""
    said: str = event.properties.get("operation", "chat")
    return said


def of_call(event: Event) -> dict[str, Any]:
    """The attributes of a model call's span."""
    said = event.properties
    made = _named(event, LLM_MESSAGE)
    made["gen_ai.operation.name"] = operation(event)
    made.setdefault("gen_ai.request.model", said.get("model_name"))
    if said.get("finish_reason") and said.get("finish_reason") != "error":
        made["gen_ai.response.finish_reasons"] = (said["finish_reason"],)
    if "cost_usd" in said:
        made["gen_ai.usage.cost"] = said["cost_usd"]  # in no convention; the name Amplitude's own package reads
    if "system_prompt" in event.details:
        made["gen_ai.system_instructions"] = _json([_text(event.details["system_prompt"])])
    if "input_content" in said:
        made["gen_ai.input.messages"] = _json([{"role": "user", "parts": [_text(said["input_content"])]}])
    parts = [*([_text(said["output_content"])] if "output_content" in said else ()), *_tool_parts(event)]
    if parts:
        reason = said.get("finish_reason") or ""
        made["gen_ai.output.messages"] = _json([{"role": "assistant", "parts": parts, "finish_reason": reason}])
    if "tool_definitions" in event.details and (definitions := _loaded(event.details["tool_definitions"])):
        made["gen_ai.tool.definitions"] = _json([{"type": "function", **each} for each in definitions])
    return _known(made)


def of_tool(event: Event) -> dict[str, Any]:
    """The attributes of a tool's span."""
    made = _named(event, TOOL_CALLED)
    made["gen_ai.operation.name"] = "execute_tool"
    if event.properties.get("success") is False:
        made["error.type"] = "tool_error"
    return _known(made)


def of_metrics(event: Event) -> dict[str, Any]:
    """The attributes of a model call's metrics: few values, and no ids."""
    said = event.properties
    provider = said.get("model_provider")
    return _known(
        {
            "gen_ai.operation.name": operation(event),
            "gen_ai.provider.name": PROVIDERS.get(provider or "", provider),
            "gen_ai.request.model": said.get("requested_model") or said.get("model_name"),
            "gen_ai.response.model": said.get("model_name"),
            "server.address": said.get("host"),
            "error.type": said.get("error_type"),
        }
    )


def tool_call_ids(event: Event) -> list[str]:
    """Of the tools that a call asked for."""
    asked = _loaded(event.details.get("tool_calls"))
    return [each["id"] for each in asked if isinstance(each.get("id"), str)]


def _named(event: Event, event_type: str) -> dict[str, Any]:
    said = event.properties
    made: dict[str, Any] = {}
    for row in rows_of(event_type):
        if row.otel and row.name in said and row.otel not in _OTHERWISE:
            made[row.otel] = said[row.name] / 1000 if row.otel in _SECONDS else said[row.name]
    if (provider := made.get("gen_ai.provider.name")) is not None:
        made["gen_ai.provider.name"] = PROVIDERS.get(provider, provider)
    if event.user_id is not None:
        made["user.id"] = made["enduser.id"] = event.user_id
    rows = {row.name for row in rows_of(event_type)}
    for name, value in said.items():
        if name not in rows and isinstance(value, str | bool | int | float):
            made[f"amplitude.{name}"] = value
    return made


def _tool_parts(event: Event) -> list[dict[str, Any]]:
    return [
        {
            "type": "tool_call",
            "id": each.get("id"),
            "name": each.get("function", {}).get("name"),
            "arguments": _value(each.get("function", {}).get("arguments")),
        }
        for each in _loaded(event.details.get("tool_calls"))
    ]


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _loaded(text: object) -> list[dict[str, Any]]:
    """A list of objects from JSON text; none from one that was cut."""
    value = _value(text)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _value(text: object) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if value is not None}
