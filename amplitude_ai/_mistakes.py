"""Answers to mistakes: a misspelt option or name, a name of Amplitude's own package, both packages in one place.

Standard library only; knows no other room.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

#: Names of Amplitude's package ``amplitude-ai``, which has the same module name, and what does the same here.
OFFICIAL: dict[str, str] = {
    "AmplitudeAI": "install_transport(), or get_openai() and its fellows, with your amplitude.Amplitude client",
    "Anthropic": "get_anthropic()",
    "AsyncOpenAI": "get_openai(async_client=True)",
    "AzureOpenAI": "get_azure_openai()",
    "Bedrock": "install_transport(), which sees boto3 too",
    "BoundAgent": "context(agent=...)",
    "Gemini": "get_google_genai()",
    "Mistral": "install_transport()",
    "MockAmplitudeAI": "amplitude_ai.testing.EventList, as amplitude_client=",
    "OpenAI": "get_openai()",
    "PrivacyConfig": "AIConfig(privacy_mode=..., redact=...)",
    "Session": "llm_session()",
    "ToolCallTracker": "nothing: tools are seen in the calls themselves",
    "observe": "llm_session(), or context(agent=...)",
    "patch": "install_transport()",
    "patch_anthropic": "install_transport()",
    "patch_openai": "install_transport()",
    "tool": "nothing: tools are seen in the calls themselves",
    "track_ai_message": "emit_llm_message()",
    "track_conversation": "llm_session()",
    "track_embedding": "nothing: embeddings are seen in the calls themselves",
    "track_session_end": "emit_llm_run_finished()",
    "track_tool_call": "emit_tool_called()",
    "track_user_message": "emit_user_message()",
    "unpatch": "uninstall_transport()",
    "wrap": "instrument()",
}
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")
BOTH = (
    "Amplitude's own package amplitude-ai and this one (amplitude-ai-wire) are installed in the same place, and both "
    "are the module amplitude_ai: files of one have replaced files of the other. Keep one: pip uninstall amplitude-ai "
    "amplitude-ai-wire, then pip install the one you want"
)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing when no known name is near."""
    import difflib

    known = list(known)
    near = difflib.get_close_matches(name.lower(), known, 1, 0.7)
    near = near or [one for one in known if one.startswith(f"{name.lower()}_")]
    return f". Did you mean {near[0]!r}?" if near else ""


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Why the package has no attribute ``name``."""
    said = f"module 'amplitude_ai' has no attribute {name!r}"
    if name in OFFICIAL:
        return (
            f"{name} is a name of Amplitude's own package amplitude-ai; this is amplitude-ai-wire, where the same is "
            f"done by {OFFICIAL[name]} (docs/migrate/amplitude-ai.md)"
        )
    return said + did_you_mean(name, known)


def answers_misspelling(function: F) -> F:
    """Have a call with a keyword that ``function`` does not take say which one was meant."""

    @functools.wraps(function)
    def answering(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            told = misspelt(function, kwargs, error)
            if told is None:
                raise
            raise TypeError(told) from None

    return cast(F, answering)


def misspelt(function: Callable[..., Any], given: Iterable[str], error: TypeError) -> str | None:
    """What to say of ``error`` when it is that of a misspelt keyword among ``given``; else ``None``."""
    found = _UNKNOWN.search(str(error))
    if found is None or found[1] not in set(given) or "Did you mean" in str(error):
        return None
    known = [
        name
        for name, one in inspect.signature(function).parameters.items()
        if name != "self" and one.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    hint = did_you_mean(found[1], known)
    return f"{error}{hint}" if hint else None
