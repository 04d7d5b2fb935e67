"""For people's own tests: see the events a piece of code causes, without a key, a store or a network.

with amplitude_ai.testing.capture_events() as events:
    my_function_that_calls_an_llm()
assert [event.event_type for event in events()] == ["llm_run_started", "user_message", "llm_message"]

`watch_calls` gives the calls themselves, `cassette` a provider that replays a recorded one; the pytest plugin has both
as fixtures (`amplitude_ai.pytest_plugin`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from ._cassette import Cassette
from ._models import Event


class EventList:
    """An ``amplitude_client`` that keeps its events (``event_type``, ``event_properties``, ``user_id`` ...)."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def track(self, event: Any) -> None:
        """Keep an event.

        Args:
            event: as Amplitude's client is given it.

        Raises nothing.
        """
        self.events.append(event)

    def flush(self) -> None:
        """Nothing waits here."""

    def of_type(self, event_type: str) -> list[dict[str, Any]]:
        """The properties of all events of one type, in order.

        Args:
            event_type: ``llm_message`` ...

        Raises nothing: of a type that nobody knows there are none.
        """
        return [event.event_properties for event in self.events if event.event_type == event_type]


@contextmanager
def capture_events(timeout: float = 5.0) -> Iterator[Callable[[], list[Any]]]:
    """Send every event of the process here while the block runs, whatever client it was meant for by default.

    Args:
        timeout: how long the yielded function waits for the worker, in seconds.

    Yields:
        A function that waits until all captured calls are events and returns the list of them.

    Raises nothing of its own.
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


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One model call of a test. ``None`` is *not known*. Made by `watch_calls`.

    Raises nothing.

    Attributes:
        provider: ``openai`` ...
        model: which one answered, else the one that was asked for.
        input_tokens: how many were read, what came from a cache included.
        output_tokens: how many were written, reasoning included.
        total_tokens: both.
        cost_usd: in USD.
        input: what the user said.
        output: what the model answered.
        success: whether it did.
        error_type: of a call that failed.
        finish_reason: why the model stopped, in the provider's word.
        latency_ms: from the request's start to the end of the answer, in ms.
        user_id: whose call it was.
        properties: all of the event's.
    """

    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    input: str | None
    output: str | None
    success: bool
    error_type: str | None
    finish_reason: str | None
    latency_ms: float | None
    user_id: str | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedTool:
    """One tool call of a test. ``None`` is *not known*. Made by `watch_calls`.

    Raises nothing.

    Attributes:
        name: the tool's.
        arguments: what the model gave it, as JSON.
        result: what it gave back.
        success: whether it did what it should.
    """

    name: str
    arguments: str | None
    result: str | None
    success: bool | None


class LLMCalls(Sequence[RecordedCall]):
    """The model calls that a piece of code made, in order; looking at it waits for those on their way.

    Args:
        timeout: how long to wait, in seconds.

    Raises nothing.
    """

    def __init__(self, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._events: list[Event] = []

    def _settled(self, event_type: str) -> list[Event]:
        from ._runtime import runtime

        runtime.flush(self._timeout)
        return [event for event in self._events if event.event_type == event_type]

    def _calls(self) -> list[RecordedCall]:
        made = []
        for event in self._settled("llm_message"):
            said = event.properties
            names = ("input_tokens", "output_tokens", "total_tokens", "cost_usd", "error_type", "finish_reason")
            made.append(
                RecordedCall(
                    provider=said.get("model_provider"),
                    model=said.get("model_name"),
                    input=said.get("input_content"),
                    output=said.get("output_content"),
                    success=said.get("success") is not False,
                    latency_ms=said.get("latency_ms"),
                    user_id=event.user_id,
                    properties=said,
                    **{name: said.get(name) for name in names},
                )
            )
        return made

    @overload
    def __getitem__(self, index: int) -> RecordedCall: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedCall]: ...
    def __getitem__(self, index: int | slice) -> RecordedCall | list[RecordedCall]:
        return self._calls()[index]

    def __len__(self) -> int:
        return len(self._calls())

    @property
    def tools(self) -> list[RecordedTool]:
        """The tools that were called."""
        return [
            RecordedTool(
                str(event.properties.get("tool_name")),
                event.properties.get("tool_parameters"),
                event.properties.get("tool_result"),
                event.properties.get("success"),
            )
            for event in self._settled("tool_called")
        ]

    @property
    def total_tokens(self) -> int:
        """Of all calls whose tokens are known."""
        return sum(call.total_tokens or 0 for call in self._calls())

    @property
    def cost_usd(self) -> float:
        """Of all calls whose price is known."""
        return sum(call.cost_usd or 0.0 for call in self._calls())

    def assert_cost_below(self, usd: float) -> None:
        """Fail when the calls cost as much, or when nobody knows what one that succeeded cost.

        Args:
            usd: what they must cost less than, in USD.

        Raises:
            AssertionError: with the calls, the dearest first.
        """
        calls = self._calls()
        unknown = sorted({str(call.model) for call in calls if call.success and call.cost_usd is None})
        if unknown:
            raise AssertionError(
                f"the price of {', '.join(unknown)} is not known, so neither is the cost: AIConfig(prices=...) tells"
            )
        total = sum(call.cost_usd or 0.0 for call in calls)
        if total >= usd:
            dearest = sorted(calls, key=lambda call: -(call.cost_usd or 0.0))[:10]
            lines = [f"  {call.cost_usd or 0:.6f} USD  {call.model}  {call.total_tokens} tokens" for call in dearest]
            raise AssertionError("\n".join([f"{len(calls)} model calls cost {total:.6f} USD, not below {usd}", *lines]))

    def __repr__(self) -> str:
        calls = self._calls()
        return f"<{len(calls)} model calls: {', '.join(str(call.model) for call in calls)}>"


@contextmanager
def watch_calls(timeout: float = 5.0) -> Iterator[LLMCalls]:
    """The model calls made while the block runs, by whatever client; installs the hooks for it where they are not.

    Events that no client of the application's own is given go nowhere meanwhile: no store, no network.

    Args:
        timeout: how long a look at the calls waits for the worker, in seconds.

    Raises nothing of its own.
    """
    from ._runtime import runtime
    from .instrumentation.install import install_transport, is_installed, uninstall_transport

    calls = LLMCalls(timeout)
    name = f"watch_calls {id(calls)}"
    was_installed = is_installed()
    if not was_installed:
        install_transport()
    runtime.flush(timeout)  # what came before is not of this block
    before, runtime.default_client = runtime.default_client, EventList()
    runtime.mirrors[name] = calls._events.append
    try:
        yield calls
        runtime.flush(timeout)
    finally:
        runtime.mirrors.pop(name, None)
        runtime.default_client = before
        if not was_installed:
            uninstall_transport()


def cassette(path: str | os.PathLike[str], upstream: str | None = None, record: bool = False) -> Cassette:
    """A provider on loopback that replays a recorded one, frame by frame; use its ``url`` as the SDK's ``base_url``.

    Args:
        path: of the file.
        upstream: the real server, such as ``https://api.openai.com``; required to record, and ``None`` otherwise.
        record: call it, and write the file.

    Raises nothing; entering its ``with`` block does: OSError where the file cannot be read, ValueError where it is
    none, or where there is nothing to record from.
    """
    return Cassette(Path(path), upstream, record)
