"""What an AI event of anybody's lacks by the documented schema, by event; the plugin's pure part.

In: an event as its author told it (`AuthoredEvent`). Out: the schema's properties, content through privacy, unknown
ones `None`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .. import _arguments
from .._guard import count, log_once
from ..delivery._ai_event import LONG_TEXT
from ..sessions import schema
from ..sessions._events import Origin
from ..sessions._operations import CHAT
from ..sessions._pricing import MANUAL
from ..sessions._privacy import Content
from ..sessions._recorded import NUMBERS, cost_of, usage_of

#: What may hold content, on any AI event.
CONTENT = schema.CONTENT | {LONG_TEXT}


class AuthoredEvent(Struct, frozen=True):
    """An event as its author told it, with the properties of the schema apart from the author's own."""

    event_type: str
    origin: Origin
    insert_id: str
    at_ms: int
    properties: Mapping[str, Any]


def _run_started(authored: AuthoredEvent) -> dict[str, Any]:
    return {"run_source": MANUAL, **authored.properties}


def _run_finished(authored: AuthoredEvent) -> dict[str, Any]:
    total = authored.properties.get("total_tokens")
    return {"end_reason": MANUAL, "run_total_tokens": total, **authored.properties}


def _user_message(authored: AuthoredEvent) -> dict[str, Any]:
    content = authored.origin.privacy.input(_text(authored.properties.get("content")))
    return {
        "message_id": authored.insert_id,
        "content_length": content and content.length,
        **authored.properties,
        "content": content and content.text,
    }


def _llm_message(authored: AuthoredEvent) -> dict[str, Any]:
    said, privacy = authored.properties, authored.origin.privacy
    asked = privacy.input(_text(said.get("input_content")))
    answer = privacy.output(_text(said.get("output_content")))
    failed = said.get("finish_reason") == "error" or "error_type" in said or "error_message" in said
    usage = usage_of(said)
    cost_usd, cost_source = cost_of(authored.origin, said, usage, authored.at_ms)
    return {
        "message_id": authored.insert_id,
        "is_streaming": False,
        "attempt": 0,
        "operation": CHAT,
        "success": not failed,
        "output_content_length": answer and answer.length,
        **said,
        **_content(authored, besides=("input_content", "output_content")),
        "input_content": asked and asked.text,
        "output_content": answer and answer.text,
        "content_truncated": _truncated(said, asked, answer),
        "total_tokens": usage.total,
        "cost_usd": cost_usd,
        "cost_source": cost_source,
    }


def _tool_called(authored: AuthoredEvent) -> dict[str, Any]:
    return {"tool_type": "function", **authored.properties, **_content(authored)}


def _feedback(authored: AuthoredEvent) -> dict[str, Any]:
    return {**authored.properties, **_content(authored)}


def _content(authored: AuthoredEvent, besides: Collection[str] = ()) -> dict[str, str | None]:
    """What its author told of content, under privacy; without what is made safe elsewhere."""
    said, privacy = authored.properties, authored.origin.privacy
    rows = [row for row in schema.CONTENT_OF[authored.event_type] if row.name in said and row.name not in besides]
    return {row.name: privacy.content(row, said[row.name]) for row in rows}


COMPLETE: Mapping[str, Callable[[AuthoredEvent], dict[str, Any]]] = {
    schema.RUN_STARTED: _run_started,
    schema.USER_MESSAGE: _user_message,
    schema.LLM_MESSAGE: _llm_message,
    schema.TOOL_CALLED: _tool_called,
    schema.RUN_FINISHED: _run_finished,
    schema.FEEDBACK: _feedback,
}


def without_content(authored: AuthoredEvent) -> AuthoredEvent:
    return replace(
        authored, properties={name: value for name, value in authored.properties.items() if name not in CONTENT}
    )


def _truncated(said: Mapping[str, Any], *parts: Content | None) -> bool | None:
    cuts = [part.truncated for part in parts if part is not None and part.truncated is not None]
    return bool(said.get("content_truncated")) or any(cuts) if cuts else None


def typed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """``properties`` without numbers that are none: one of them spoils a chart for all."""
    typed: dict[str, Any] = {}
    for name, value in properties.items():
        check = NUMBERS.get(name)
        if check is _arguments.whole and isinstance(value, float) and value.is_integer():
            value = int(value)
        try:
            typed[name] = value if check is None else check(name, value)
        except (TypeError, ValueError) as error:
            count("dropped_properties")
            log_once(f"property:{name}", logging.WARNING, "an AI event's property is left out: %s", error)
    return typed


def name_in(properties: Mapping[str, Any], name: str) -> str | None:
    value = properties.get(name)
    return None if value is None else str(value)


def _text(value: object) -> str | None:
    return _arguments.content("content", value) if value is None or isinstance(value, str | dict | list) else str(value)
