"""For people's own tests: see the events a piece of code causes, without a key, a store or a network.

with amplitude_ai.testing.capture_events() as events:
    my_function_that_calls_an_llm()
assert [event.event_type for event in events()] == ["llm_run_started", "user_message", "llm_message"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class EventList:
    """An ``amplitude_client`` that keeps its events (``event_type``, ``event_properties``, ``user_id`` ...)."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def track(self, event: Any) -> None:
        """Keep ``event``."""
        self.events.append(event)

    def flush(self) -> None:
        """Nothing waits here."""

    def of_type(self, event_type: str) -> list[dict[str, Any]]:
        """The properties of all events of one type, in order."""
        return [event.event_properties for event in self.events if event.event_type == event_type]


@contextmanager
def capture_events(timeout: float = 5.0) -> Iterator[Callable[[], list[Any]]]:
    """Send every event of the process here while the block runs, whatever client it was meant for by default.

    Args:
        timeout: how long the yielded function waits for the worker, in seconds.

    Yields:
        A function that waits until all captured calls are events and returns the list of them.
    """
    from ._runtime import runtime

    seen = EventList()
    before = runtime.default_client
    runtime.default_client = seen

    def events() -> list[Any]:
        runtime.flush(timeout)
        return list(seen.events)

    try:
        yield events
        runtime.flush(timeout)
    finally:
        runtime.default_client = before
