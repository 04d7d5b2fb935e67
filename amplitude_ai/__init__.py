"""Watches LLM traffic at the HTTP transport layer and turns it into Amplitude events.

Two lines of code::

    import amplitude_ai
    client = OpenAI(http_client=amplitude_ai.instrumented_httpx())

or, for every client of the process, ``amplitude_ai.install_transport()``. The names below are resolved on first use,
so that importing this package loads no HTTP library, no SDK and not amplitude itself.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from . import _alias

if TYPE_CHECKING:
    from ._config import AIConfig, Spend
    from ._propagate import propagate_context
    from ._public import flush, make_client, shutdown, stats
    from ._scope import context
    from .clients.anthropic import get_anthropic, get_anthropic_bedrock, get_anthropic_vertex
    from .clients.google import get_google, get_google_genai
    from .clients.langchain import get_langchain
    from .clients.openai import get_azure_openai, get_openai
    from .clients.pydantic_ai import get_pydantic
    from .instrumentation.factory import instrument, instrumented_async_httpx, instrumented_httpx, instrumented_requests
    from .instrumentation.install import install_transport, uninstall_transport
    from .manual import (
        LLMSessionTracker,
        MessageTimer,
        create_session_id,
        emit_llm_message,
        emit_llm_run_finished,
        emit_llm_run_started,
        emit_tool_called,
        emit_user_message,
        feedback,
        get_current_session_id,
        llm_session,
        quick_track_message,
        set_session_id,
    )
    from .parsers._registry import register_parser, unregister_parser
    from .plugins import AIEventFilterPlugin, AIMetricsPlugin, AIObservabilityPlugin
    from .sessions._pricing import calculate_cost

__version__ = "0.1.0"
_alias.install()
if os.path.exists(os.path.join(os.path.dirname(__file__), "patching.py")):  # a file of Amplitude's own package
    import warnings

    from ._mistakes import BOTH

    warnings.warn(BOTH, RuntimeWarning, stacklevel=2)

_HOMES = {
    "AIConfig": "_config",
    "AIEventFilterPlugin": "plugins",
    "AIMetricsPlugin": "plugins",
    "AIObservabilityPlugin": "plugins",
    "LLMSessionTracker": "manual",
    "MessageTimer": "manual",
    "Spend": "_config",
    "calculate_cost": "sessions._pricing",
    "context": "_scope",
    "create_session_id": "manual",
    "emit_llm_message": "manual",
    "emit_llm_run_finished": "manual",
    "emit_llm_run_started": "manual",
    "emit_tool_called": "manual",
    "emit_user_message": "manual",
    "feedback": "manual",
    "flush": "_public",
    "get_anthropic": "clients.anthropic",
    "get_anthropic_bedrock": "clients.anthropic",
    "get_anthropic_vertex": "clients.anthropic",
    "get_azure_openai": "clients.openai",
    "get_current_session_id": "manual",
    "get_google": "clients.google",
    "get_google_genai": "clients.google",
    "get_langchain": "clients.langchain",
    "get_openai": "clients.openai",
    "get_pydantic": "clients.pydantic_ai",
    "install_transport": "instrumentation.install",
    "instrument": "instrumentation.factory",
    "instrumented_async_httpx": "instrumentation.factory",
    "instrumented_httpx": "instrumentation.factory",
    "instrumented_requests": "instrumentation.factory",
    "llm_session": "manual",
    "make_client": "_public",
    "propagate_context": "_propagate",
    "quick_track_message": "manual",
    "register_parser": "parsers._registry",
    "set_session_id": "manual",
    "shutdown": "_public",
    "stats": "_public",
    "uninstall_transport": "instrumentation.install",
    "unregister_parser": "parsers._registry",
}

__all__ = [
    "AIConfig",
    "AIEventFilterPlugin",
    "AIMetricsPlugin",
    "AIObservabilityPlugin",
    "LLMSessionTracker",
    "MessageTimer",
    "Spend",
    "__version__",
    "calculate_cost",
    "context",
    "create_session_id",
    "emit_llm_message",
    "emit_llm_run_finished",
    "emit_llm_run_started",
    "emit_tool_called",
    "emit_user_message",
    "feedback",
    "flush",
    "get_anthropic",
    "get_anthropic_bedrock",
    "get_anthropic_vertex",
    "get_azure_openai",
    "get_current_session_id",
    "get_google",
    "get_google_genai",
    "get_langchain",
    "get_openai",
    "get_pydantic",
    "install_transport",
    "instrument",
    "instrumented_async_httpx",
    "instrumented_httpx",
    "instrumented_requests",
    "llm_session",
    "make_client",
    "propagate_context",
    "quick_track_message",
    "register_parser",
    "set_session_id",
    "shutdown",
    "stats",
    "uninstall_transport",
    "unregister_parser",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise _unknown(name)
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def _unknown(name: str) -> Exception:
    """What to raise for a name that does not exist."""
    if name.startswith("_"):
        return AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import opcode

    from . import _mistakes

    said = _mistakes.unknown_name(name, __all__)
    # ``from amplitude_ai import name`` replaces the text of an AttributeError by its own.
    caller = sys._getframe(2)
    imports = caller.f_code.co_code[caller.f_lasti] == opcode.opmap["IMPORT_FROM"]
    return ImportError(said, name=__name__) if imports and name in _mistakes.OFFICIAL else AttributeError(said)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
