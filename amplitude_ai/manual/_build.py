"""From what was told to the events, and on to the worker. Everything but `owner_of` and `send` runs on the worker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .. import _arguments, _clock
from .._config import AIConfig
from .._guard import count
from .._models import Binding, Event
from .._runtime import bind, runtime
from .._scope import ambient
from .._surroundings import look, named, span_context
from ..sessions import _events, schema
from ..sessions._events import Origin
from ..sessions._handoffs import handoff_to
from ..sessions._operations import CHAT
from ..sessions._privacy import Privacy, PrivacyError
from ..sessions._recorded import cost_of, usage_of
from ..sessions._runs import RunRegistry
from ..sessions._totals import RunStats

#: ``run_source`` and ``end_reason`` of runs told by hand.
MANUAL = "manual"
_DEFAULT = AIConfig()


class EventOwner(Struct, frozen=True):
    """Who an event is of, and when it was told: read on the caller's thread, once."""

    origin: Origin
    at_ms: int

    @property
    def session_id(self) -> str | None:
        """The run it belongs to."""
        return self.origin.scope.session_id


def owner_of(
    binding: Binding,
    *,
    session_id: str | None,
    model_provider: object = None,
    model_name: object = None,
    custom_properties: object = None,
) -> EventOwner:
    """Put together what was told of an event's owner and what the context around says."""
    around = ambient().with_request()
    config = config_of(binding)
    found = look()
    scope = replace(
        around,
        binding=binding,
        user_id=binding.user_id or around.user_id,
        properties=named(found, {**around.properties, **_arguments.properties("custom_properties", custom_properties)}),
        span=span_context(found),
        framework_call=None,
    )
    return EventOwner(
        origin=Origin(
            config=config,
            privacy=Privacy(config, around.privacy_mode),
            scope=_events.addressed(scope, session_id),
            provider=_arguments.text("model_provider", model_provider),
            model=_arguments.text("model_name", model_name),
        ),
        at_ms=_clock.wall_ms(),
    )


def told_binding(amplitude_client: object, ai_config: object, user_id: object, session_id: object) -> Binding:
    """What a function was told, checked, completed by the session around it."""
    values = [
        None if _arguments.absent(value) else value for value in (amplitude_client, ai_config, user_id, session_id)
    ]
    binding: Binding = bind(*values)  # type: ignore[arg-type]  # checking types is what it is for
    session = ambient().binding
    if binding.amplitude_client is None:
        binding.amplitude_client = session.amplitude_client
    binding.config = binding.config or session.config
    return binding


def config_of(binding: Binding) -> AIConfig:
    """The config that applies."""
    return binding.config or _DEFAULT


def send(owner: EventOwner, make: Callable[[], Event], totals: RunStats | None = None, size: int = 0) -> None:
    """Have the worker make and deliver one event, and add it to ``totals``. ``size`` is its content's, in bytes."""

    def made(_: RunRegistry) -> list[Event]:
        try:
            event = make()
        except PrivacyError:
            count("dropped_privacy")
            return []
        if totals is not None:
            totals.add(event.event_type, event.properties)
        return [event]

    runtime.emit_made(made, owner.origin.scope.binding.amplitude_client, owner.origin.config, size)


def new_id() -> str:
    """An id for something that has none."""
    return uuid.uuid4().hex


def message_key(owner: EventOwner, message_id: str | None) -> str:
    """What an event is named after: the application's own id where it has one, so that telling it again is harmless."""
    return new_id() if message_id is None else f"{owner.session_id}/{owner.origin.scope.user_id}/{message_id}"


def run_started(owner: EventOwner, run_id: str) -> Event:
    """See `_events.run_started`."""
    return _events.run_started(owner.origin, owner.at_ms, run_id, MANUAL)


def user_message(owner: EventOwner, text: str, message_id: str | None, key: str) -> Event:
    """A user's message. Raises `PrivacyError`."""
    insert_id = _events.make_id(key, schema.USER_MESSAGE)
    kept = owner.origin.privacy.input(text)
    properties = {
        "content": kept and kept.text,
        "content_length": kept and kept.length,
        "message_id": message_id or insert_id,
    }
    return _events.build(schema.USER_MESSAGE, owner.origin, owner.at_ms, insert_id, properties)


def llm_message(owner: EventOwner, facts: Mapping[str, Any], key: str) -> Event:
    """A model's answer. ``facts`` are checked `MessageFacts`. Raises `PrivacyError`."""
    insert_id = _events.make_id(key, schema.LLM_MESSAGE)
    privacy = owner.origin.privacy
    asked = privacy.input(facts.get("input_content"))
    answer = privacy.output(facts.get("output_content"))
    cuts = [part.truncated for part in (asked, answer) if part is not None and part.truncated is not None]
    usage = usage_of(facts)
    cost_usd, cost_source = cost_of(owner.origin, facts, usage, owner.at_ms)
    properties = {
        "message_id": insert_id,
        "is_streaming": False,
        "attempt": 0,
        "operation": CHAT,
        **facts,
        "input_content": asked and asked.text,
        "output_content": answer and answer.text,
        "output_content_length": answer and answer.length,
        "content_truncated": any(cuts) if cuts else None,
        "total_tokens": usage.total,
        "cost_usd": cost_usd,
        "cost_source": cost_source,
        "error_message": privacy.error_message(facts.get("error_message")),
    }
    return _events.build(schema.LLM_MESSAGE, owner.origin, owner.at_ms, insert_id, properties)


def tool_called(owner: EventOwner, facts: Mapping[str, Any]) -> Event:
    """A tool was called. Raises `PrivacyError`."""
    privacy = owner.origin.privacy
    return _events.tool_called(
        owner.origin,
        owner.at_ms,
        _events.make_id(new_id(), schema.TOOL_CALLED),
        name=facts["tool_name"],
        call_id=facts["tool_call_id"],
        kind=facts["tool_type"],
        parameters=privacy.tool_parameters(facts["tool_parameters"]),
        result=privacy.tool_result(facts["tool_result"]),
        result_length=_events.length_of(facts["tool_result"]),
        success=facts["success"],
        error_message=privacy.tool_error(facts["error_message"]),
        latency_ms=facts["latency_ms"],
        handed_to=handoff_to(facts["tool_name"], facts["tool_parameters"] if privacy.tool_parameters_allowed else None),
    )


def run_finished(owner: EventOwner, run_id: str, totals: Mapping[str, Any]) -> Event:
    """A run ended. Unknown totals are left out."""
    return _events.run_finished(owner.origin, owner.at_ms, run_id, totals)
