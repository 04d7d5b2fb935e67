"""`llm_session` and `LLMSessionTracker`: a run whose begin and end the application decides.

Between them, what is tracked by hand and what instrumented clients do in the same context belong to one run, and its
totals are the sum of what was emitted for both. The session is current in the context that started it (and in tasks and
copied contexts made from there), never in another task or thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from msgspec.structs import replace

from .. import _arguments, _clock
from .._guard import log_once
from .._models import Event, Scope
from .._runtime import runtime
from .._scope import ambient, set_ambient
from ..sessions._runs import RunRegistry, new_session_id
from ..sessions._totals import RunStats
from . import _build, _facts
from ._build import EventOwner

if TYPE_CHECKING:
    from .._config import AIConfig
    from ._facts import MessageFacts

#: How long `session_stats` waits for what was tracked before it, in seconds. The worker does no network.
_STATS_SECONDS = 5.0


class LLMSessionTracker:
    """One session, from `start_session` to `finish_session`; also a context manager, sync and async.

    Args:
        amplitude_client: anything with ``track(event)``; ``None`` for the process default.
        session_id: the run's id; by default the context's (`set_session_id`), else a new one.
        user_id: Amplitude user id; by default the context's, else events carry this machine's device id.
        model_provider: whose model it is (``openai`` ...), where a message names none itself.
        model_name: the model's name, where a message names none itself.
        ai_config: privacy, prices and flags, here and for clients without a config of their own; default: `AIConfig()`.
        custom_properties: added to every event tracked by hand in this session, and to those of captured calls;
            default: the context's alone.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty.
    """

    def __init__(
        self,
        amplitude_client: Any = None,
        session_id: str | None = None,
        user_id: str | None = None,
        model_provider: str | None = None,
        model_name: str | None = None,
        ai_config: AIConfig | None = None,
        custom_properties: Mapping[str, Any] | None = None,
    ) -> None:
        self._binding = _build.told_binding(amplitude_client, ai_config, user_id, session_id)
        self._binding.managed = True
        self._provider = _arguments.text("model_provider", model_provider)
        self._model = _arguments.text("model_name", model_name)
        self._properties = _arguments.properties("custom_properties", custom_properties)
        around = ambient().with_request()
        # The id of a session around this one is that session's: this one gets its own.
        inherited = None if around.managed_session else around.session_id
        generated = new_session_id() if _build.config_of(self._binding).auto_generate_session_ids else None
        self._session_id = self._binding.session_id or inherited or generated
        self._inherits = self._binding.session_id is None and inherited is not None
        self._user_id = self._binding.user_id or around.user_id
        self._run_id = _build.new_id()
        self._totals = RunStats()
        self._before: Scope | None = None
        self._started_ns: int | None = None
        self._finished_ns: int | None = None

    @property
    def session_id(self) -> str | None:
        """The run's id."""
        return self._session_id

    # The run --------------------------------------------------------------------------------------------------

    def start_session(self) -> None:
        """Begin: emits ``llm_run_started``, and calls of instrumented clients belong here from now on.

        Begun already, it does nothing.

        Raises:
            RuntimeError: the session has ended.
        """
        if self._finished_ns is not None:
            raise RuntimeError(
                "this session has ended: make a new LLMSessionTracker, with the same session_id if you like"
            )
        self._begin()
        if self._before is None:
            self._before = before = ambient()
            set_ambient(
                replace(
                    before,
                    user_id=self._user_id,
                    session_id=self._session_id,
                    properties={**before.properties, **self._properties},
                    managed_session=True,
                    binding=self._binding,
                    totals=self._totals,
                )
            )

    def finish_session(self, success: bool | None = None) -> None:
        """End: emits ``llm_run_finished`` with the totals. Ended already, it does nothing.

        Args:
            success: whether the run did what it should; by default, how its last message ended.

        Raises:
            TypeError: it is neither True, False nor None.
        """
        told = _arguments.flag("success", success)
        if self._finished_ns is not None:
            return
        self._begin()
        self._finished_ns = _clock.perf_ns()
        owner = self._owner()
        duration_ms = self._duration_ms()
        totals = self._totals

        def make(book: RunRegistry) -> list[Event]:
            events = book.end_managed(totals, owner.at_ms)
            totals.success = totals.success if told is None else told
            properties = {**totals.as_properties(), "duration_ms": duration_ms, "end_reason": _build.MANUAL}
            return [*events, _build.run_finished(owner, self._run_id, properties)]

        runtime.emit_made(make, self._binding.amplitude_client, owner.origin.config, 0)
        self._leave()

    @property
    def session_stats(self) -> dict[str, Any]:
        """The totals so far: the sum of what was emitted, captured calls included.

        Waits until what was tracked before is counted, no network involved. ``total_messages``, ``total_tokens``,
        ``total_cost_usd`` (USD; 0.0 when no cost is known), ``total_tool_calls``, ``total_errors``, ``duration_ms`` and
        ``success``.
        """
        runtime.worker.drain(_STATS_SECONDS)
        totals = self._totals
        return {
            "total_messages": totals.messages,
            "total_tokens": totals.tokens or 0,
            "total_cost_usd": totals.cost_usd or 0.0,
            "total_tool_calls": totals.tool_calls,
            "total_errors": totals.errors,
            "duration_ms": self._duration_ms(),
            "success": totals.success,
        }

    # What happened --------------------------------------------------------------------------------------------

    def track_user_message(
        self,
        content: str,
        *,
        message_id: str | None = None,
        custom_properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what the user wrote.

        Args:
            content: the message.
            message_id: your own id of it: the same one in the same session is the same message, counted once. By
                default every message is another.
            custom_properties: added to this event; default: the session's alone.

        Raises:
            TypeError: an argument has the wrong type.
        """
        text = _facts.required_content("content", content)
        own_id = _arguments.text("message_id", message_id)
        owner = self._telling(custom_properties=custom_properties)
        key = _build.message_key(owner, own_id)
        _build.send(owner, lambda: _build.user_message(owner, text, own_id, key), size=len(text))

    def track_message(
        self,
        output_content: str | None = None,
        *,
        model_provider: str | None = None,
        model_name: str | None = None,
        custom_properties: Mapping[str, Any] | None = None,
        **facts: Unpack[MessageFacts],
    ) -> None:
        """Say what a model answered, or, with ``finish_reason="error"``, that it failed to.

        Args:
            output_content: the answer; default: none is known.
            model_provider: who answered, where it is not the session's.
            model_name: which model answered, where it is not the session's.
            custom_properties: added to this event; default: the session's alone.
            **facts: what else is known of the call; the names, types and units are those of `MessageFacts`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: a number is negative or not finite.
        """
        told = _facts.checked("track_message", output_content, facts)
        owner = self._telling(model_provider, model_name, custom_properties)
        key = _build.message_key(owner, told.get("message_id"))
        _build.send(owner, lambda: _build.llm_message(owner, told, key), self._totals, _facts.size_of(told))

    def track_tool_call(
        self,
        tool_name: str,
        tool_parameters: Any = None,
        tool_result: Any = None,
        success: bool | None = None,
        *,
        error_message: str | None = None,
        latency_ms: float | None = None,
        tool_call_id: str | None = None,
        tool_type: str = "function",
        custom_properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Say that a tool was called. A captured call to the same tool that waits for its result is this one.

        Args:
            tool_name: its name.
            tool_parameters: what it was called with, any JSON value; ``None`` where that is not known.
            tool_result: what it returned, any JSON value; ``None`` where that is not known.
            success: by default True with a result, False with an error message, else left out.
            error_message: of a tool that failed; by default, for ``success=False`` in an ``except`` block, the
                exception's.
            latency_ms: how long it took, in ms; left out where it is not known.
            tool_call_id: the model's id of the call; left out where it is not known.
            tool_type: ``function``, or the provider's word for a tool of its own.
            custom_properties: added to this event; default: the session's alone.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: ``latency_ms`` is negative or not finite.
        """
        told = _facts.checked_tool(
            tool_name, tool_parameters, tool_result, success, error_message, latency_ms, tool_call_id, tool_type
        )
        owner = self._telling(custom_properties=custom_properties)
        totals = self._totals

        def forget(book: RunRegistry) -> list[Event]:
            book.take_tool(totals, told["tool_name"], told["tool_call_id"])
            return []

        runtime.emit_made(forget, self._binding.amplitude_client, owner.origin.config, 0)
        _build.send(owner, lambda: _build.tool_called(owner, told), totals, _facts.size_of(told))

    # The context manager --------------------------------------------------------------------------------------

    def __enter__(self) -> LLMSessionTracker:
        self.start_session()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        # A generator that its reader closed early has not failed.
        failed = kind is not None and not issubclass(kind, GeneratorExit)
        self.finish_session(success=False if failed else None)

    async def __aenter__(self) -> LLMSessionTracker:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.__exit__(kind, exc, tb)

    # Inside ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._started_ns is None:
            self._started_ns = _clock.perf_ns()
            owner = self._owner()
            runtime.emit_made(
                lambda book: self._started(book, owner), self._binding.amplitude_client, owner.origin.config, 0
            )

    def _started(self, book: RunRegistry, owner: EventOwner) -> list[Event]:
        # The id of the context may have begun before: by another session of it, or by calls outside of any.
        first = book.begins(owner.session_id, self._binding.amplitude_client)
        return [_build.run_started(owner, self._run_id)] if first or not self._inherits else []

    def _leave(self) -> None:
        # Only where this session is the current one: it may be finished in another context, or out of order.
        before, self._before = self._before, None
        if before is not None and ambient().binding is self._binding:
            set_ambient(before)

    def _telling(
        self,
        model_provider: object = None,
        model_name: object = None,
        custom_properties: object = None,
    ) -> EventOwner:
        if self._finished_ns is not None:
            log_once(
                "tracked_after_end",
                logging.WARNING,
                "an event was tracked after its session's end, and is in no totals",
            )
        owner = self._owner(model_provider, model_name, custom_properties)
        self._begin()
        return owner

    def _owner(
        self,
        model_provider: object = None,
        model_name: object = None,
        custom_properties: object = None,
    ) -> EventOwner:
        return _build.owner_of(
            replace(self._binding, user_id=self._user_id),
            session_id=self._session_id,
            model_provider=self._provider if _arguments.absent(model_provider) else model_provider,
            model_name=self._model if _arguments.absent(model_name) else model_name,
            custom_properties={**self._properties, **_arguments.properties("custom_properties", custom_properties)},
        )

    def _duration_ms(self) -> float:
        if self._started_ns is None:
            return 0.0
        ended_ns = _clock.perf_ns() if self._finished_ns is None else self._finished_ns
        return round((ended_ns - self._started_ns) / 1e6, 3)


def llm_session(
    amplitude_client: Any = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    ai_config: AIConfig | None = None,
    custom_properties: Mapping[str, Any] | None = None,
) -> LLMSessionTracker:
    """A session for the length of a ``with`` or ``async with`` block.

    An exception that leaves the block marks the session as failed, and goes on.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; ``None`` for the process default.
        session_id: the run's id; by default the context's (`set_session_id`), else a new one.
        user_id: Amplitude user id; by default the context's, else events carry this machine's device id.
        model_provider: whose model it is (``openai`` ...), where a message names none itself.
        model_name: the model's name, where a message names none itself.
        ai_config: privacy, prices and flags, here and for clients without a config of their own; default: `AIConfig()`.
        custom_properties: added to every event tracked by hand in this session, and to those of captured calls;
            default: the context's alone.

    Returns:
        The `LLMSessionTracker`, which the block begins and ends.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty.
    """
    return LLMSessionTracker(
        amplitude_client,
        session_id=session_id,
        user_id=user_id,
        model_provider=model_provider,
        model_name=model_name,
        ai_config=ai_config,
        custom_properties=custom_properties,
    )
