"""The five events: from facts to `Event` values. What properties there are says `schema`.

In: facts that privacy has passed. Out: `Event` values whose properties are the known ones only. A property that is
``None`` is absent; the feature flags of `AIConfig` remove theirs here, for manual events as for captured ones.
"""

from __future__ import annotations

import json
import platform
import uuid
from collections.abc import Mapping
from functools import cache
from hashlib import sha1
from importlib import metadata
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from .._config import AIConfig
from .._models import JSON, Event, Exchange, LLMCall, Scope
from . import _details
from ._attempts import Attempt
from ._operations import operation_name
from ._privacy import Privacy
from ._result import CallResult
from .schema import (
    FEEDBACK,
    LLM_MESSAGE,
    RUN_FINISHED,
    RUN_STARTED,
    SCHEMA,
    TOOL_CALLED,
    USER_MESSAGE,
    flagged,
)

#: ``usage_source`` and ``cost_source``: the provider's own figures, and ours from the texts.
PROVIDER = "provider"
ESTIMATE = "estimate"

_TOKENS, _COSTS, _TIMES, _ERRORS = (
    flagged(flag) for flag in ("token_tracking", "cost_tracking", "latency_tracking", "error_tracking")
)
#: Figures after the point that are told.
_DIGITS = {**dict.fromkeys(_COSTS, 12), **dict.fromkeys(_TIMES, 3)}
_ALLOWED = {event_type: frozenset(names) for event_type, names in SCHEMA.items()}
#: The two bits of a UUID that say how to read it.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
#: The namespace of our ids; any constant will do, as long as it never changes.
_NAMESPACE = uuid.UUID("5d0c8a52-6f0e-5b8e-9a39-6a3c0e8f7d11")
_NAMESPACE_BYTES = _NAMESPACE.bytes


class Origin(Struct, frozen=True):
    """What all events of one call have in common. The scope is one that `addressed` has passed."""

    config: AIConfig
    privacy: Privacy
    scope: Scope
    provider: str | None = None
    model: str | None = None
    #: Where in its run it stands: its turn, its agent, whose work it is; on the events that have them.
    place: Mapping[str, Any] = field(default_factory=dict)
    #: What the ``llm_message`` of the call says of it; see `facts_of_call`.
    call: Mapping[str, Any] | None = None


def build(
    event_type: str,
    origin: Origin,
    time_ms: int,
    insert_id: str,
    properties: Mapping[str, Any],
    details: Mapping[str, Any] | None = None,
) -> Event:
    """One event. Our own properties win over custom ones of the same name.

    Raises:
        ValueError: a property is not in the schema of ``event_type`` (custom ones go to ``Scope.properties``).
    """
    allowed = _ALLOWED[event_type]
    if not allowed.issuperset(properties):
        unknown = properties.keys() - allowed
        raise ValueError(f"{event_type} has no property {min(unknown)!r}: pass it as a custom property")
    scope = origin.scope
    off = _switched_off(origin.config)
    own = {
        "session_id": scope.session_id,
        "model_provider": origin.provider,
        "model_name": origin.model,
        "sdk_version": sdk_version(),
        **_trace(scope.span),
        **{name: value for name, value in origin.place.items() if name in allowed},
        **properties,
    }
    own = origin.privacy.names(own)
    known = {name: value for name, value in own.items() if value is not None}
    for name in off & known.keys():
        del known[name]
    for name in _DIGITS.keys() & known.keys():
        if isinstance(value := known[name], float):
            known[name] = round(value, _DIGITS[name])
    custom = {name: value for name, value in scope.properties.items() if name not in own}
    return Event(
        event_type=event_type,
        time_ms=time_ms,
        insert_id=insert_id,
        properties={**custom, **known},
        scope=scope,
        config=origin.config,
        call=origin.call,
        details=details or (_details.of_event(origin.privacy, scope.span) if _details.wanted(origin.config) else {}),
    )


def addressed(scope: Scope, session_id: str | None) -> Scope:
    """``scope`` in that run, with the machine for a device where nobody is known: Amplitude refuses what has no id."""
    device_id = None if scope.device_id == machine_id() else scope.device_id
    if device_id is None and scope.user_id is None:
        device_id = machine_id()
    if session_id == scope.session_id and device_id == scope.device_id:
        return scope
    return replace(scope, session_id=session_id, device_id=device_id)


def _trace(span: Any) -> dict[str, str]:
    """As OpenTelemetry's own exporters write them."""
    return {} if span is None else {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}


def make_id(key: str, event_type: str, index: int = 0) -> str:
    """The ``insert_id`` of the ``index``-th ``event_type`` of what ``key`` names (an exchange, a run)."""
    # uuid5 of the standard library, without the object in between.
    made = sha1(_NAMESPACE_BYTES + f"{key}/{event_type}/{index}".encode(), usedforsecurity=False).hexdigest()
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{_VARIANTS[made[16]]}{made[17:20]}-{made[20:32]}"


def run_started(origin: Origin, time_ms: int, run_id: str, source: str = "automatic") -> Event:
    """A run began. ``run_id`` is the id of its first exchange."""
    return build(RUN_STARTED, origin, time_ms, make_id(run_id, RUN_STARTED), {"run_source": source})


def user_message(origin: Origin, exchange: Exchange, text: str, index: int) -> Event:
    """A user's new message; the ``index``-th of this exchange."""
    insert_id = make_id(exchange.id, USER_MESSAGE, index)
    content = origin.privacy.input(text)
    properties = {
        "content": content and content.text,
        "content_length": content and content.length,
        "message_id": insert_id,
    }
    return build(USER_MESSAGE, origin, exchange.started_at_ms, insert_id, properties)


def llm_message(
    origin: Origin,
    call: LLMCall,
    exchange: Exchange,
    result: CallResult,
    attempt: Attempt,
    input_text: str | None,
    cost: tuple[float | None, str | None],
    signals: Mapping[str, Any],
) -> Event:
    """One attempt to have a model answer."""
    insert_id = make_id(exchange.id, LLM_MESSAGE)
    usage = call.usage
    asked = origin.privacy.input(input_text)
    answer = origin.privacy.output(call.output_text)
    cuts = [part.truncated for part in (asked, answer) if part is not None and part.truncated is not None]
    properties = {
        "message_id": insert_id,
        "response_id": call.response_id,
        "provider_request_id": call.provider_request_id,
        "endpoint": call.endpoint or None,
        "host": call.host or None,
        "requested_model": call.requested_model,
        "input_content": asked and asked.text,
        "output_content": answer and answer.text,
        "output_content_length": answer and answer.length,
        "content_truncated": any(cuts) if cuts else None,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "usage_source": _usage_source(call),
        "usage_complete": call.usage_complete,
        "cached_response": call.cached_response,
        "latency_ms": None if call.batched else exchange.latency_ms,
        "time_to_first_token_ms": call.time_to_first_token_ms,
        "provider_processing_ms": call.provider_processing_ms,
        "cost_usd": cost[0],
        "cost_source": cost[1],
        "finish_reason": result.finish_reason,
        "is_streaming": call.streaming,
        "stream_aborted": result.stream_aborted,
        "success": result.success,
        "http_status": exchange.status,
        "error_type": result.error_type,
        "error_message": None if result.success else origin.privacy.error_message(result.error_message),
        "wire_error_type": result.wire_error_type,
        "wire_error_message": None if result.success else origin.privacy.error_message(result.wire_error_message),
        **signals,
        "operation": operation_name(call),
        "call_id": make_id(attempt.call_key, "call"),
        "attempt": attempt.number,
        "retry_delay_ms": attempt.retry_delay_ms,
        "is_final_attempt": attempt.is_final,
        "temperature": call.temperature,
        "max_tokens": call.max_tokens,
        "top_p": call.top_p,
        "tool_call_count": _tool_call_count(call, result),
        "ratelimit_remaining_requests": call.ratelimit_remaining_requests,
        "ratelimit_remaining_tokens": call.ratelimit_remaining_tokens,
        "ratelimit_reset_requests_ms": call.ratelimit_reset_requests_ms,
        "ratelimit_reset_tokens_ms": call.ratelimit_reset_tokens_ms,
    }
    details = None
    if _details.wanted(origin.config):
        details = _details.of_call(origin.privacy, call, exchange, origin.scope.span)
    return build(LLM_MESSAGE, origin, finished_at_ms(exchange), insert_id, properties, details)


def facts_of_call(message: Event) -> dict[str, Any]:
    """What decides whether a call's events go on, of its ``llm_message``."""
    names = ("model_provider", "model_name", "requested_model", "host", "cost_usd", "success")
    return {name: message.properties[name] for name in names if name in message.properties}


def _tool_call_count(call: LLMCall, result: CallResult) -> int | None:
    """None where the call failed, or its answer could not be read: that says nothing of tools."""
    is_told = result.success and call.parse_error in (None, "RequestNotJSON", "RequestTooLarge")
    return len(call.tool_calls) if is_told or call.tool_calls else None


def _usage_source(call: LLMCall) -> str | None:
    known = call.usage.input_tokens is not None or call.usage.output_tokens is not None
    return (call.usage_source or PROVIDER) if known else None


def tool_called(
    origin: Origin,
    time_ms: int,
    insert_id: str,
    *,
    name: str,
    call_id: str | None,
    kind: str,
    parameters: str | None,
    result: str | None = None,
    result_length: int | None = None,
    success: bool | None = None,
    error_message: str | None = None,
    latency_ms: float | None = None,
    repeat_count: int | None = None,
    handed_to: str | None = None,
) -> Event:
    """A tool was asked for; with what came of it, where that is known. The texts are ones privacy has passed."""
    properties = {
        "tool_name": name,
        "tool_call_id": call_id,
        "tool_type": kind,
        "handoff_to": handed_to,
        "repeat_count": repeat_count,
        "tool_parameters": parameters,
        "tool_result": result,
        "tool_result_length": result_length,
        "success": success,
        "error_message": error_message,
        "latency_ms": latency_ms,
    }
    return build(TOOL_CALLED, origin, time_ms, insert_id, properties)


def length_of(value: JSON) -> int | None:
    """Characters of a tool's result, as it is read: a text's own, of anything else those of its JSON."""
    if value is None or isinstance(value, str):
        return None if value is None else len(value)
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def run_finished(origin: Origin, time_ms: int, run_id: str, properties: Mapping[str, Any]) -> Event:
    """A run ended. Where several models answered it has no single ``model_name``."""
    if ", " in (properties.get("model_names") or ""):
        origin = replace(origin, model=None)
    return build(RUN_FINISHED, origin, time_ms, make_id(run_id, RUN_FINISHED), properties)


def feedback(
    origin: Origin,
    time_ms: int,
    key: str,
    response_id: str,
    message_id: str | None,
    score: float | None,
    label: str | None,
    comment: str | None,
) -> Event:
    """What somebody thought of an answer. Raises `PrivacyError`."""
    content = origin.privacy.input(comment)
    properties = {
        "response_id": response_id,
        "message_id": message_id,
        "score": score,
        "label": label,
        "comment": content and content.text,
    }
    return build(FEEDBACK, origin, time_ms, make_id(key, FEEDBACK), properties)


def finished_at_ms(exchange: Exchange) -> int:
    """The wall-clock time of an exchange's end: the start plus what the monotonic clock measured."""
    return exchange.started_at_ms + round(exchange.latency_ms)


@cache
def sdk_version() -> str | None:
    """The version of this package, ``None`` when it runs without having been installed."""
    try:
        return metadata.version("amplitude-ai-wire")
    except metadata.PackageNotFoundError:
        return None


@cache
def machine_id() -> str:
    """A stable id of this machine."""
    return f"amplitude-ai-{uuid.uuid5(_NAMESPACE, platform.node() or 'unknown')}"


_NOTHING: frozenset[str] = frozenset()


def _switched_off(config: AIConfig) -> frozenset[str]:
    if config.token_tracking and config.cost_tracking and config.latency_tracking and config.error_tracking:
        return _NOTHING
    off = _NOTHING
    if not config.token_tracking:
        off |= _TOKENS
    if not config.cost_tracking:
        off |= _COSTS
    if not config.latency_tracking:
        off |= _TIMES
    if not config.error_tracking:
        off |= _ERRORS
    return off
