"""`AIObservabilityPlugin`: makes AI events that anybody tracked what this library's own are.

In: one of the five AI events, with whatever properties its author gave. Out: the same event by the documented schema,
with the privacy, truncation, prices and flags of an `AIConfig`, and run totals where they are missing. An event that
this library made by the same config is left as it is; made by another, the stricter of the two holds.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

from amplitude.event import BaseEvent
from msgspec import Struct, field

from .. import _clock
from .._config import AIConfig
from .._guard import count
from .._models import Event, Scope
from .._safe import safe_properties
from ..delivery import _agent_analytics
from ..delivery._ai_event import LONG_TEXT, AIEvent
from ..sessions import _events, schema
from ..sessions._events import Origin
from ..sessions._privacy import Content, Privacy, PrivacyError
from ..sessions._totals import RunStats
from ..sessions.schema import COMMON, SCHEMA
from ._base import AIPlugin
from ._complete import COMPLETE, CONTENT, AuthoredEvent, name_in, typed, without_content

_MAX_RUNS = 10_000


class _Run(Struct):
    """What was seen of one session."""

    started_ms: int | None = None
    stats: RunStats = field(default_factory=RunStats)


class AIObservabilityPlugin(AIPlugin):
    """Completes and guards AI events, whoever tracked them.

    It applies the config's privacy, truncation and redaction to content; computes ``total_tokens``, ``cost_usd``,
    ``success``, lengths and ids where they are missing; fills the totals of an ``llm_run_finished`` that has none with
    the sum of what it saw of the session; leaves out numbers that are none; applies the feature flags. Where content
    cannot be made safe (``redact`` raises), the event goes on without it. Custom properties are left alone.

    Args:
        ai_config: the rules; by default `AIConfig()`.

    Raises:
        TypeError: ``ai_config`` is no `AIConfig`.
    """

    stage: ClassVar[str] = "plugin_observability"

    def __init__(self, ai_config: AIConfig | None = None) -> None:
        super().__init__()
        if ai_config is not None and not isinstance(ai_config, AIConfig):
            raise TypeError(f"ai_config must be an AIConfig, not {type(ai_config).__name__}: pass AIConfig(...)")
        self._config = ai_config or AIConfig()
        self._privacy = Privacy(self._config)
        self._runs: OrderedDict[str, _Run] = OrderedDict()  # least recently seen first
        self._lock = threading.Lock()  # one plugin may serve several clients

    def handle(self, event: BaseEvent) -> BaseEvent | None:
        """The event, complete and safe."""
        if isinstance(event, AIEvent) and event.config == self._config:
            self._seen(event.event_type, event.time, event.event_properties)
            return event
        authored = self._authored(event)
        complete = COMPLETE[event.event_type]
        try:
            properties = complete(authored)
        except PrivacyError:
            count("dropped_content")
            authored = without_content(authored)
            properties = complete(authored)
        if event.event_type == schema.RUN_FINISHED:
            properties = self._with_totals(authored, properties)
        made = _events.build(event.event_type, authored.origin, authored.at_ms, authored.insert_id, properties)
        event.event_properties = dict(made.properties)
        if not event.user_id and not event.device_id:
            event.device_id = _events.machine_id()  # the client refuses an event without any id
        self._seen(event.event_type, authored.at_ms, made.properties)
        return event

    def handle_translated(self, event: AIEvent, source: Event) -> AIEvent | None:
        """An event of Agent Analytics, its content under this plugin's privacy; dropped where that fails."""
        if event.config == self._config:
            return event
        properties = dict(event.event_properties or {})
        try:
            for (event_type, name), rule in _agent_analytics.CONTENT.items():
                if event_type == event.event_type and name in properties:
                    long = isinstance(properties[name], Mapping)
                    kept = getattr(self._privacy, rule)(properties[name].get("text") if long else properties[name])
                    text = kept.text if isinstance(kept, Content) else kept
                    properties[name] = {"text": text} if long and text else text
        except PrivacyError:
            count("dropped_privacy")
            return None
        event.event_properties = {name: value for name, value in properties.items() if value is not None}
        return event

    def failed(self, event: BaseEvent) -> BaseEvent:
        """Without its content: nothing is known to have made it safe."""
        properties = event.event_properties
        known = properties if isinstance(properties, dict) else {}
        event.event_properties = {name: value for name, value in known.items() if name not in CONTENT}
        return event

    def _authored(self, event: BaseEvent) -> AuthoredEvent:
        properties = typed(safe_properties(event.event_properties or {}))
        own = {*SCHEMA[event.event_type], *COMMON}
        custom = {name: value for name, value in properties.items() if name not in own}
        if (long_text := custom.pop(LONG_TEXT, None)) is not None:
            custom |= self._long_text(event.event_type, long_text)
        return AuthoredEvent(
            event_type=event.event_type,
            origin=Origin(
                config=self._config,
                privacy=self._privacy,
                scope=Scope(session_id=name_in(properties, "session_id"), user_id=event.user_id, properties=custom),
                provider=name_in(properties, "model_provider"),
                model=name_in(properties, "model_name"),
            ),
            insert_id=event.insert_id or str(uuid.uuid4()),
            at_ms=event.time or _clock.wall_ms(),
            properties={name: value for name, value in properties.items() if name in own and name not in COMMON},
        )

    def _long_text(self, event_type: str, value: object) -> dict[str, Any]:
        """Amplitude's property for long texts is content like any other."""
        text = value.get("text") if isinstance(value, Mapping) else None
        allowed = self._privacy.input if event_type == schema.USER_MESSAGE else self._privacy.output
        try:
            kept = allowed(text if isinstance(text, str) else None)
        except PrivacyError:
            return {}  # counted with the content it repeats
        return {LONG_TEXT: {"text": kept.text}} if kept is not None and kept.text else {}

    # Totals ---------------------------------------------------------------------------------------------------

    def _seen(self, event_type: str, at_ms: int | None, properties: Mapping[str, Any]) -> None:
        session_id = properties.get("session_id")
        if session_id is None:
            return
        with self._lock:
            if event_type == schema.RUN_FINISHED:
                self._runs.pop(session_id, None)
                return
            run = self._runs.setdefault(session_id, _Run())
            self._runs.move_to_end(session_id)
            if event_type == schema.RUN_STARTED:
                run.started_ms = at_ms
            run.stats.add(event_type, properties)
            if len(self._runs) > _MAX_RUNS:
                self._runs.popitem(last=False)

    def _with_totals(self, authored: AuthoredEvent, properties: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            run = self._runs.get(authored.origin.scope.session_id or "")
        if run is None:
            return dict(properties)
        stats = run.stats
        started = run.started_ms
        seen = {
            "total_messages": stats.messages,
            "total_tokens": stats.tokens,
            "total_cost_usd": stats.cost_usd,
            "total_tool_calls": stats.tool_calls,
            "total_errors": stats.errors,
            "duration_ms": None if started is None or authored.at_ms < started else authored.at_ms - started,
            "success": stats.success,
        }
        return {**seen, **properties}
