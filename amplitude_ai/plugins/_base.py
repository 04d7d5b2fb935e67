"""`AIPlugin`: what the plugins share. An AI event goes through the fence to `handle`, any other passes.

A plugin must never call ``track()``: the client holds a lock that is not reentrant while plugins run.
"""

from __future__ import annotations

from typing import Any, ClassVar

from amplitude.constants import PluginType
from amplitude.event import BaseEvent
from amplitude.plugin import EventPlugin

from .._guard import guard
from .._models import Event
from ..delivery._ai_event import AIEvent
from ..sessions.schema import SCHEMA


class AIPlugin(EventPlugin):  # type: ignore[misc]  # amplitude-analytics has no types
    """An enrichment plugin for the five AI events."""

    #: The name of its errors in ``amplitude_ai.stats()``.
    stage: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(PluginType.ENRICHMENT)

    def execute(self, event: Any) -> Any:
        """Called by the client with each event; returns it, or ``None`` to drop it."""
        if isinstance(event, AIEvent) and event.source is not None:
            with guard(self.stage):
                return self.handle_translated(event, event.source)
            return None  # closed: in its own words nothing could be made safe
        if not isinstance(event, BaseEvent) or event.event_type not in SCHEMA:
            return event
        with guard(self.stage):
            return self.handle(event)
        return self.failed(event)

    def handle_translated(self, event: AIEvent, source: Event) -> AIEvent | None:
        """The same for an event of Agent Analytics, which says what ``source`` does."""
        return event

    def handle(self, event: BaseEvent) -> BaseEvent | None:
        """The event as it should go on; ``None`` to drop it."""
        raise NotImplementedError

    def failed(self, event: BaseEvent) -> BaseEvent:
        """The event as it goes on after an error in `handle`."""
        return event
