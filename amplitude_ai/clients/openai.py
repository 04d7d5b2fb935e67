"""``get_openai()`` and ``get_azure_openai()``: OpenAI's own clients, their calls recorded. openai 1, 2 and 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._sdk import instrumented_pair

if TYPE_CHECKING:
    import openai

    from ._sdk import Constructor

    # What a type checker and an editor know of the returned classes: OpenAI's clients, and our constructor.
    class _OpenAI(Constructor, openai.OpenAI): ...

    class _AsyncOpenAI(Constructor, openai.AsyncOpenAI): ...

    class _AzureOpenAI(Constructor, openai.AzureOpenAI): ...

    class _AsyncAzureOpenAI(Constructor, openai.AsyncAzureOpenAI): ...


def get_openai() -> tuple[type[_OpenAI], type[_AsyncOpenAI]]:
    """``(OpenAI, AsyncOpenAI)``, subclasses of openai's own that record their calls.

    Their constructors take everything openai's do, and besides: ``amplitude_client`` (anything with
    ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store), ``ai_config`` (an `AIConfig`),
    ``auto_start_session`` (default True: calls without a session id are grouped into one run per client and user) and
    ``amplitude_user_id`` and ``amplitude_session_id``, the defaults of every call. ``with_options`` and ``copy`` keep
    them, and take them.

    Every method of every resource takes ``amplitude_user_id``, ``amplitude_session_id``, ``amplitude_privacy_mode``,
    ``amplitude_properties`` and ``amplitude_groups``, also through ``with_raw_response`` and
    ``with_streaming_response``. Static type checkers do not know these five; `amplitude_ai.context` says the same in a
    way they do, and what each means.

    A user's own ``http_client`` stays the user's (transport, proxies, TLS, limits) and is watched in place, so that LLM
    calls made with it directly are recorded too.

    Raises:
        ImportError: openai is not installed.
    """
    return instrumented_pair("openai", "OpenAI", "AsyncOpenAI")


def get_azure_openai() -> tuple[type[_AzureOpenAI], type[_AsyncAzureOpenAI]]:
    """``(AzureOpenAI, AsyncAzureOpenAI)``; everything else as in `get_openai`.

    Raises:
        ImportError: openai is not installed.
    """
    return instrumented_pair("openai", "AzureOpenAI", "AsyncAzureOpenAI")
