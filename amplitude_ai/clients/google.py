"""``get_google()`` and ``get_google_genai()``: Gemini by either of Google's SDKs, its calls recorded."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from ._sdk import import_sdk

if TYPE_CHECKING:
    import google.genai

    from ._google_model import GoogleGenerativeAI
    from ._sdk import Constructor

    # What a type checker and an editor know of the returned class: Google's client, and our constructor.
    class _Client(Constructor, google.genai.Client): ...  # type: ignore[misc]  # mypy here skips google.*


def get_google() -> type[GoogleGenerativeAI]:
    """``GoogleGenerativeAI``: one Gemini model, called as ``GoogleGenerativeAI(api_key=..., model_name=...)``.

    Where google-generativeai is installed, a subclass of its ``GenerativeModel``, over REST (its gRPC cannot be
    watched). That SDK has reached its end of life: Google ended it in November 2025 and points to google-genai. Where
    only google-genai is installed, the same methods over that; responses are then google-genai's.

    The constructor takes ``api_key`` (default: ``GEMINI_API_KEY``, then ``GOOGLE_API_KEY``), ``model_name``,
    ``amplitude_client``, ``ai_config``, ``auto_start_session``, ``amplitude_user_id`` and ``amplitude_session_id`` as
    `amplitude_ai.get_openai` does, and ``safety_settings``, ``generation_config``, ``tools``, ``tool_config`` and
    ``system_instruction`` as ``GenerativeModel`` does. ``generate_content``, ``count_tokens`` (each also ``_async``)
    and the ``send_message`` of ``start_chat()`` take the per-request keywords. ``close()`` ends the automatic run.

    Raises:
        ImportError: neither SDK is installed.
    """
    if _installed("google.generativeai"):
        from ._google_generativeai import model_class

        model: type[GoogleGenerativeAI] = model_class()
        return model
    import_sdk("google.genai", "google-genai")
    from ._google_model import GoogleGenerativeAI

    return GoogleGenerativeAI


def get_google_genai() -> type[_Client]:
    """``Client``, a subclass of google-genai's own, sync and (``client.aio``) async, that records its calls.

    Constructor and methods take the same additional keywords as those of `amplitude_ai.get_openai`. The user's own
    ``http_options.httpx_client`` and ``httpx_async_client`` stay the user's and are watched in place.

    Raises:
        ImportError: google-genai is not installed.
    """
    import_sdk("google.genai", "google-genai")
    from ._google_genai import client_class

    client: type[_Client] = client_class()
    return client


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the namespace package "google"
        return False
