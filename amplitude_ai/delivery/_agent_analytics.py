"""The five events in the words of Amplitude's Agent Analytics: ``[Agent] AI Response`` for ``llm_message``, and so on.

In: `Event` values of the specification. Out: what ``AIConfig.event_schema`` asks for. Names come from the table
(`sessions.schema`); what stands here is what is more than another name. Of state there is only what no single event can
say: the turn and the number of each event of a session. On the worker's thread, before anything is written or sent.

https://amplitude.com/docs/amplitude-ai/agent-analytics/taxonomy
"""

from __future__ import annotations

import json
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .._models import Event
from .._safe import safe_properties
from ..sessions.schema import LLM_MESSAGE, RUN_FINISHED, TOOL_CALLED, USER_MESSAGE, rows_of

USER = "[Agent] User Message"
RESPONSE = "[Agent] AI Response"
TOOL = "[Agent] Tool Call"
EMBEDDING = "[Agent] Embedding"
SPAN = "[Agent] Span"
SESSION_END = "[Agent] Session End"
SCORE = "[Agent] Score"
#: What somebody thought of an answer. Its properties, but for those of every event, are spelled here only.
FEEDBACK = "llm_feedback"

LONG_TEXT = "$llm_message"
_SESSION_ID = "[Agent] Session ID"
_MESSAGE_ID = "[Agent] Message ID"
_SPAN_ID = "[Agent] Span ID"
_TOOL_SUCCESS = "[Agent] Tool Success"
_IS_ERROR = "[Agent] Is Error"
_MAX_SESSIONS = 10_000
_NAMESPACE = uuid.UUID("8d9a3f55-1a51-5d6e-8f0b-5a5e9a0f7c10")
#: Work on data that a step of a pipeline does: no answer of a model to anyone.
_STEPS = frozenset({"rerank", "moderation", "ocr"})
_COMPONENT = {USER: "user_input", RESPONSE: "llm", TOOL: "tool", EMBEDDING: "embedding"}
#: Of the properties of all events, what only some of Agent Analytics' have.
_OF_MODELS = frozenset({"[Agent] Provider", "[Agent] Model Name"})
#: Of `sessions._details`, by the name there.
_DETAILS = {
    "system_prompt": "[Agent] System Prompt",
    "system_prompt_length": "[Agent] System Prompt Length",
    "tool_calls": "[Agent] Tool Calls",
    "tool_definitions": "[Agent] Tool Definitions",
    "tool_definitions_count": "[Agent] Tool Definitions Count",
    "tool_definitions_hash": "[Agent] Tool Definitions Hash",
}
#: What of an embedding or a step of a pipeline is told there.
_NARROW = {
    EMBEDDING: frozenset({"[Agent] Input Tokens", "[Agent] Cost USD", "[Agent] Latency Ms"}),
    SPAN: frozenset({"[Agent] Cost USD", "[Agent] Latency Ms", "[Agent] Error Type", "[Agent] Error Message"}),
}
#: What an application may tell as a property of its own under the catalogue's name, and what it is there.
TOLD = {
    "customer_org_id": "[Agent] Customer Org ID",
    "agent_version": "[Agent] Agent Version",
    "agent_description": "[Agent] Agent Description",
    "env": "[Agent] Env",
    "tags": "[Agent] Tags",
    "git_sha": "[Agent] Git SHA",
    "git_ref": "[Agent] Git Ref",
    "git_repo": "[Agent] Git Repo",
    "locale": "[Agent] Locale",
    "prompt_id": "[Agent] Prompt ID",
    "message_labels": "[Agent] Message Labels",
}
#: Of these, what only some events have.
_TOLD_OF = {
    "[Agent] Locale": frozenset({USER, RESPONSE, TOOL}),
    "[Agent] Prompt ID": frozenset({RESPONSE}),
    "[Agent] Message Labels": frozenset({USER, RESPONSE}),
}
#: When Agent Analytics takes a session for ended, unless it is told.
_IDLE_MS = 30 * 60_000
_OF_FEEDBACK = frozenset({"score", "label", "comment", "source", "message_id", "response_id"})
#: Which content each property is, for who has to take it out again: (event, property) -> the method of `Privacy`.
CONTENT: Mapping[tuple[str, str], str] = {
    (USER, LONG_TEXT): "input",
    (RESPONSE, LONG_TEXT): "output",
    (RESPONSE, "[Agent] System Prompt"): "input",
    (RESPONSE, "[Agent] Tool Definitions"): "input",
    (RESPONSE, "[Agent] Tool Calls"): "tool_parameters",
    (RESPONSE, "[Agent] Error Message"): "error_message",
    (SPAN, "[Agent] Error Message"): "error_message",
    (SCORE, "[Agent] Comment"): "input",
    (TOOL, "[Agent] Tool Input"): "tool_parameters",
    (TOOL, "[Agent] Tool Output"): "tool_result",
    (TOOL, "[Agent] Error Message"): "tool_error",
}


class _Session(Struct):
    """How far a session is."""

    events: int = 0
    trace_id: str | None = None
    agent: str | None = None
    user_message: str | None = None
    asked_in: str | None = None  # the trace of that message


class AgentAnalytics:
    """Says events in other words. One per process."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[str, int], _Session] = OrderedDict()  # least recently used first

    def said(self, events: Iterable[tuple[Event, Any]]) -> list[tuple[Event, Any]]:
        """``events`` (each with its client) in the schema that the config of each asks for."""
        said: list[tuple[Event, Any]] = []
        for event, client in events:
            schema = "specification" if event.config is None else event.config.event_schema
            if schema != "agent_analytics":
                said.append((event, client))
            if schema != "specification" and (other := self._translated(event, client)) is not None:
                said.append((other, client))
        return said

    def _translated(self, event: Event, client: Any) -> Event | None:
        event_type = _type(event)
        if event_type is None:
            return None
        properties = _properties(event, event_type)
        session_id = event.properties.get("session_id")
        if session_id is not None:
            properties = {**self._place(event, (session_id, id(client))), **properties}
        return replace(
            event,
            event_type=event_type,
            insert_id=str(uuid.uuid5(_NAMESPACE, f"{event.insert_id}/{event_type}")),
            properties=properties,
            source=event,
        )

    def _place(self, event: Event, key: tuple[str, int]) -> dict[str, Any]:
        """Which turn of its session the event belongs to, and its number in it."""
        session = self._sessions.pop(key, None) or _Session()
        if event.event_type == RUN_FINISHED:
            known = {"[Agent] Trace ID": session.trace_id, "[Agent] Agent ID": session.agent}
            return {name: value for name, value in known.items() if value is not None}
        self._sessions[key] = session
        session.agent = session.agent or event.properties.get("agent")
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        if (turn_id := event.properties.get("turn_id")) is not None:
            session.trace_id = turn_id
        elif event.event_type == USER_MESSAGE or session.trace_id is None:
            session.trace_id = str(uuid.uuid5(_NAMESPACE, f"{event.insert_id}/turn"))
        if event.event_type == USER_MESSAGE:
            session.user_message, session.asked_in = event.properties.get("message_id"), session.trace_id
        session.events += 1
        place = {"[Agent] Trace ID": session.trace_id, "[Agent] Turn ID": session.events}
        if event.event_type == TOOL_CALLED and session.user_message and session.asked_in == session.trace_id:
            place["[Agent] Parent Message ID"] = session.user_message
        return place


def _type(event: Event) -> str | None:
    if event.event_type == LLM_MESSAGE:
        operation = event.properties.get("operation")
        return EMBEDDING if operation == "embeddings" else SPAN if operation in _STEPS else RESPONSE
    if event.event_type == FEEDBACK:
        return SCORE
    return {USER_MESSAGE: USER, TOOL_CALLED: TOOL, RUN_FINISHED: SESSION_END}.get(event.event_type)


def _properties(event: Event, event_type: str) -> dict[str, Any]:
    said = event.properties
    rows = rows_of(event.event_type)
    made: dict[str, Any] = {"[Agent] Runtime": "python"}
    if event_type in _COMPONENT:
        made["[Agent] Component Type"] = _COMPONENT[event_type]
    for row in rows:
        if (
            row.agent
            and row.name in said
            and not (row.agent in _OF_MODELS and event_type not in (RESPONSE, EMBEDDING, SPAN))
        ):
            made.setdefault(row.agent, said[row.name])
    made |= {
        name: event.details[detail]
        for detail, name in _DETAILS.items()
        if detail in event.details and event_type == RESPONSE
    }
    if "content_mode" in event.details:
        made["[Agent] Content Mode"] = event.details["content_mode"]
    _adapt(made, event, event_type)
    own = {row.name for row in rows}
    if event_type == SCORE:
        made |= _score(event)
        own |= _OF_FEEDBACK
    custom = {name: value for name, value in said.items() if name not in own}
    if made.get("[Agent] Content Mode") != "metadata_only":
        made |= _told(custom, event_type)
        if custom:
            # Properties nobody registered may be dropped; this one is there for them.
            made["[Agent] Context"] = json.dumps(safe_properties(custom), ensure_ascii=False)
    return made


def _told(custom: dict[str, Any], event_type: str) -> dict[str, Any]:
    """Of the application's own properties those that the catalogue has a name for; they are taken out of ``custom``."""
    made: dict[str, Any] = {}
    for own, name in TOLD.items():
        value = custom.get(own)
        if value is None or isinstance(value, bool) or event_type not in _TOLD_OF.get(name, frozenset({event_type})):
            continue
        # What has parts is JSON there.
        made[name] = json.dumps(safe_properties({own: value})[own]) if isinstance(value, dict | list) else str(value)
        del custom[own]
    return made


def _score(event: Event) -> dict[str, Any]:
    said = event.properties
    target = said.get("message_id") or said.get("response_id")
    made = {
        "[Agent] Score Name": said.get("label") or "user-feedback",
        "[Agent] Score Value": said.get("score"),
        "[Agent] Target ID": target or said.get("session_id"),
        "[Agent] Target Type": "session" if target is None else "message",
        "[Agent] Evaluation Source": said.get("source") or "user",
        "[Agent] Comment": said.get("comment"),
    }
    return {name: value for name, value in made.items() if value is not None}


def _adapt(made: dict[str, Any], event: Event, event_type: str) -> None:
    """What is more than another name."""
    said = event.properties
    if LONG_TEXT in made:
        text = made.pop(LONG_TEXT)
        if text.strip():
            made[LONG_TEXT] = {"text": text}
    if event_type == TOOL:
        made.setdefault("[Agent] Invocation ID", event.insert_id)
        if _TOOL_SUCCESS in made:
            made[_IS_ERROR] = not made[_TOOL_SUCCESS]
    if _IS_ERROR in made and event.event_type == LLM_MESSAGE:
        made[_IS_ERROR] = not made[_IS_ERROR]
        if made[_IS_ERROR] and said.get("finish_reason") == "error":
            del made["[Agent] Finish Reason"]  # our own word, no model's
    if made.get("[Agent] Reasoning Tokens"):
        made["[Agent] Has Reasoning"] = True
    if event_type == USER:
        made["[Agent] Message Source"] = "agent" if "parent_agent" in said else "user"
    if event_type in _NARROW:
        made[_SPAN_ID] = made.pop(_MESSAGE_ID)
        own = {name for name in made if name not in {row.agent for row in rows_of(LLM_MESSAGE) if row.event != "*"}}
        for name in made.keys() - own - _NARROW[event_type]:
            if not (event_type == SPAN and name == _IS_ERROR):
                del made[name]
    if made.get(_IS_ERROR) and (event_type == TOOL or said.get("http_status") is not None):
        made["[Agent] Error Source"] = "tool" if event_type == TOOL else "provider"
    if event_type in (USER, RESPONSE, TOOL) and event.scope.amplitude_session_id and event.device_id:
        made["[Amplitude] Session Replay ID"] = f"{event.device_id}/{event.scope.amplitude_session_id}"
    if event_type == SESSION_END and event.config is not None and event.config.session_timeout_ms != _IDLE_MS:
        made["[Agent] Session Idle Timeout Minutes"] = event.config.session_timeout_ms / 60_000
    if event_type == SPAN:
        made["[Agent] Span Name"] = said["operation"]
