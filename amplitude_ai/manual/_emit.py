"""The five events, one function each, and `quick_track_message`: no state beyond the call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from .. import _arguments
from .._models import Binding
from .._scope import ambient
from ..sessions import _runs
from . import _build, _facts
from ._build import EventOwner

if TYPE_CHECKING:
    from .._config import AIConfig
    from ._facts import MessageFacts


def emit_llm_run_started(
    amplitude_client: Any = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
) -> str | None:
    """Say that a run began: emits ``llm_run_started``.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.

    Returns:
        Its session id: pass it to the events that follow. ``None`` where it has none.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty.
    """
    owner = _owner(amplitude_client, ai_config, user_id, session_id, model_provider, model_name, custom_properties)
    run_id = _build.new_id()
    _build.send(owner, lambda: _build.run_started(owner, run_id))
    return owner.session_id


def emit_user_message(
    amplitude_client: Any = None,
    *,
    content: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    message_id: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
) -> None:
    """Say what a user wrote: emits ``user_message``.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        content: the message; required.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        message_id: your own id of it: the same one in the same session is the same message, counted once. By default
            every message is another.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty.
    """
    text = _facts.required_content("content", content)
    own_id = _arguments.text("message_id", message_id)
    owner = _owner(amplitude_client, ai_config, user_id, session_id, model_provider, model_name, custom_properties)
    key = _build.message_key(owner, own_id)
    _build.send(owner, lambda: _build.user_message(owner, text, own_id, key), size=len(text))


def emit_llm_message(
    amplitude_client: Any = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    output_content: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
    **facts: Unpack[MessageFacts],
) -> None:
    """Say what a model answered, or, with ``finish_reason="error"``, that it failed to: emits ``llm_message``.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        output_content: the answer; default: none is known.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.
        **facts: what else is known of the call; the names, types and units are those of `MessageFacts`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty, or a number is negative or not finite.
    """
    told = _facts.checked("emit_llm_message", output_content, facts)
    owner = _owner(amplitude_client, ai_config, user_id, session_id, model_provider, model_name, custom_properties)
    key = _build.message_key(owner, told.get("message_id"))
    _build.send(owner, lambda: _build.llm_message(owner, told, key), size=_facts.size_of(told))


def quick_track_message(
    amplitude_client: Any = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    output_content: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
    **facts: Unpack[MessageFacts],
) -> None:
    """One call to a model, prompt and answer, in one line: emits ``llm_message``. The same as `emit_llm_message`.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        output_content: the answer; default: none is known.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.
        **facts: what else is known of the call (``input_content``, the prompt, among it); the names, types and units
            are those of `MessageFacts`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty, or a number is negative or not finite.
    """
    emit_llm_message(
        amplitude_client,
        session_id=session_id,
        user_id=user_id,
        model_provider=model_provider,
        model_name=model_name,
        output_content=output_content,
        custom_properties=custom_properties,
        ai_config=ai_config,
        **facts,
    )


def emit_tool_called(
    amplitude_client: Any = None,
    *,
    tool_name: str | None = None,
    tool_parameters: Any = None,
    tool_result: Any = None,
    success: bool | None = None,
    error_message: str | None = None,
    latency_ms: float | None = None,
    tool_call_id: str | None = None,
    tool_type: str = "function",
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
) -> None:
    """Say that a tool was called: emits ``tool_called``.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        tool_name: its name; required.
        tool_parameters: what it was called with, any JSON value; ``None`` where that is not known.
        tool_result: what it returned, any JSON value; ``None`` where that is not known.
        success: by default True with a result, False with an error message, else left out.
        error_message: of a tool that failed; by default, for ``success=False`` in an ``except`` block, the exception's.
        latency_ms: how long it took, in ms; left out where it is not known.
        tool_call_id: the model's id of the call; left out where it is not known.
        tool_type: ``function``, or the provider's word for a tool of its own.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty, or ``latency_ms`` is negative or not finite.
    """
    told = _facts.checked_tool(
        tool_name, tool_parameters, tool_result, success, error_message, latency_ms, tool_call_id, tool_type
    )
    owner = _owner(amplitude_client, ai_config, user_id, session_id, model_provider, model_name, custom_properties)
    _build.send(owner, lambda: _build.tool_called(owner, told), size=_facts.size_of(told))


def emit_llm_run_finished(
    amplitude_client: Any = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    model_provider: str | None = None,
    model_name: str | None = None,
    total_messages: int | None = None,
    total_tokens: int | None = None,
    total_cost_usd: float | None = None,
    total_tool_calls: int | None = None,
    total_errors: int | None = None,
    duration_ms: float | None = None,
    success: bool = True,
    end_reason: str = _build.MANUAL,
    custom_properties: Mapping[str, Any] | None = None,
    ai_config: AIConfig | None = None,
) -> None:
    """Say that a run ended, and what it came to: emits ``llm_run_finished``. Nothing is guessed.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: the context's session's, else the process's.
        session_id: the run it belongs to; default: the context's, else a new one where
            `AIConfig.auto_generate_session_ids` says so.
        user_id: Amplitude user id; default: the context's user, else the event carries this machine's device id.
        model_provider: whose model it is (``openai`` ...), in your own words; left out where it is not known.
        model_name: the model's name, by which prices are found; left out where it is not known.
        total_messages: a count, of calls to a model; left out where it is not known.
        total_tokens: their tokens, input and output; left out where they are not known.
        total_cost_usd: their cost, in USD; left out where it is not known.
        total_tool_calls: a count, of tool calls; left out where it is not known.
        total_errors: a count, of calls that failed; left out where it is not known.
        duration_ms: from the run's start to its end, in ms; left out where it is not known.
        success: whether it came to its end as it should.
        end_reason: why it ended, in one word.
        custom_properties: properties of your own, added to the event; default: the context's alone.
        ai_config: whose privacy, prices and flags apply; default: the context's session's, else `AIConfig()`.

    Raises:
        TypeError: an argument has the wrong type; the message names it and the remedy.
        ValueError: an id is empty, or a number is negative or not finite.
    """
    totals = {
        "total_messages": _arguments.whole("total_messages", total_messages),
        "total_tokens": _arguments.whole("total_tokens", total_tokens),
        "run_total_tokens": _arguments.whole("total_tokens", total_tokens),
        "total_cost_usd": _arguments.amount("total_cost_usd", total_cost_usd),
        "total_tool_calls": _arguments.whole("total_tool_calls", total_tool_calls),
        "total_errors": _arguments.whole("total_errors", total_errors),
        "duration_ms": _arguments.amount("duration_ms", duration_ms),
        "success": _arguments.flag("success", success),
        "end_reason": _arguments.text("end_reason", end_reason),
    }
    owner = _owner(amplitude_client, ai_config, user_id, session_id, model_provider, model_name, custom_properties)
    run_id = _build.new_id()
    _build.send(owner, lambda: _build.run_finished(owner, run_id, totals))


def _owner(
    amplitude_client: object,
    ai_config: object,
    user_id: object,
    session_id: object,
    model_provider: object,
    model_name: object,
    custom_properties: object,
) -> EventOwner:
    binding = _build.told_binding(amplitude_client, ai_config, user_id, session_id)
    return _build.owner_of(
        binding,
        session_id=binding.session_id or ambient().session_id or _new_session_id(binding),
        model_provider=model_provider,
        model_name=model_name,
        custom_properties=custom_properties,
    )


def _new_session_id(binding: Binding) -> str | None:
    return _runs.new_session_id() if _build.config_of(binding).auto_generate_session_ids else None
