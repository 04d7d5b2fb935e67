"""Instrumented clients, made or adopted: ``instrumented_httpx()``, ``instrumented_requests()``, ``instrument()``."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from .._mistakes import answers_misspelling
from .._models import Binding
from .._runtime import bind, observer
from ._libraries import LIBRARIES

if TYPE_CHECKING:
    from .._config import AIConfig

T = TypeVar("T")
_FAMILY = ("httpx2", "httpx")

#: Where the HTTP clients of an SDK client sit. An explicit list: grep finds it, and guessing could wrap a stranger.
_SDK_PATHS: tuple[tuple[str, ...], ...] = (
    ("_client",),  # openai, anthropic, groq, together, cerebras, ollama
    ("_async_client",),
    ("_api_client", "_httpx_client"),  # google-genai
    ("_api_client", "_async_httpx_client"),
    ("sdk_configuration", "client"),  # mistralai
    ("sdk_configuration", "async_client"),
    ("_client_wrapper", "httpx_client", "httpx_client"),  # cohere
)


def _library(library: object) -> tuple[ModuleType, ModuleType]:
    """(the HTTP library, our leaf for it)."""
    if library not in _FAMILY:
        other = "instrumented_requests()" if library == "requests" else "install_transport(), or instrument(client)"
        raise ValueError(f"library must be 'httpx2' or 'httpx', not {library!r}: for another use {other}")
    try:
        return importlib.import_module(str(library)), importlib.import_module(f"amplitude_ai.transports.{library}")
    except ModuleNotFoundError as exc:
        other = "httpx" if library == "httpx2" else "httpx2"
        raise ImportError(
            f"{library} is not installed: pip install {library}, or pass library={other!r} if your SDK runs on that"
        ) from exc


@answers_misspelling
def instrumented_httpx(
    library: str = "httpx2",
    *,
    transport: Any = None,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    auto_start_session: bool = True,
    **client_options: Any,
) -> Any:
    """Make a sync HTTP client whose LLM calls are recorded.

    Args:
        library: ``"httpx2"`` (openai 3, anthropic 1 and later, google-genai 3) or ``"httpx"`` (SDKs still on it).
        transport: inner transport to wrap; default: the library's own, environment proxies included.
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: privacy, prices and flags of these calls; default: `AIConfig()`.
        user_id: Amplitude user id of this client's calls, where the context or the request names none.
        session_id: run id of this client's calls; default: one automatic run per user.
        auto_start_session: whether calls without a session id are grouped into runs.
        **client_options: passed to the library's ``Client``.

    Returns:
        ``httpx2.Client`` or ``httpx.Client``.

    Raises:
        ValueError: ``library`` is neither of the two, or an id is empty.
        ImportError: the library is not installed.
        TypeError: another argument has the wrong type.
    """
    module, leaf = _library(library)
    binding = bind(amplitude_client, ai_config, user_id, session_id, auto_start_session)
    return _build(module.Client, leaf, transport, binding, client_options)


@answers_misspelling
def instrumented_async_httpx(
    library: str = "httpx2",
    *,
    transport: Any = None,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    auto_start_session: bool = True,
    **client_options: Any,
) -> Any:
    """Make an async HTTP client whose LLM calls are recorded.

    Args:
        library: ``"httpx2"`` (openai 3, anthropic 1 and later, google-genai 3) or ``"httpx"`` (SDKs still on it).
        transport: inner transport to wrap; default: the library's own, environment proxies included.
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: privacy, prices and flags of these calls; default: `AIConfig()`.
        user_id: Amplitude user id of this client's calls, where the context or the request names none.
        session_id: run id of this client's calls; default: one automatic run per user.
        auto_start_session: whether calls without a session id are grouped into runs.
        **client_options: passed to the library's ``AsyncClient``.

    Returns:
        ``httpx2.AsyncClient`` or ``httpx.AsyncClient``.

    Raises:
        ValueError: ``library`` is neither of the two, or an id is empty.
        ImportError: the library is not installed.
        TypeError: another argument has the wrong type.
    """
    module, leaf = _library(library)
    binding = bind(amplitude_client, ai_config, user_id, session_id, auto_start_session)
    return _build(module.AsyncClient, leaf, transport, binding, client_options)


def _build(client_class: Any, leaf: Any, transport: Any, binding: Binding, options: dict[str, Any]) -> Any:
    # The client is built as it would be without us and wrapped afterwards: Client(transport=...) would turn
    # environment proxies off.
    if transport is not None:
        options["transport"] = transport
    client = client_class(**options)
    leaf.LIBRARY.adopt(client, observer, binding)
    return client


@answers_misspelling
def instrumented_requests(
    *,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    auto_start_session: bool = True,
) -> Any:
    """Make a ``requests.Session`` whose LLM calls are recorded.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: privacy, prices and flags of these calls; default: `AIConfig()`.
        user_id: Amplitude user id of this client's calls, where the context or the request names none.
        session_id: run id of this client's calls; default: one automatic run per user.
        auto_start_session: whether calls without a session id are grouped into runs.

    Raises:
        ImportError: requests is not installed.
        TypeError: an argument has the wrong type.
        ValueError: an id is empty.
    """
    try:
        import requests
    except ModuleNotFoundError as exc:
        raise ImportError("requests is not installed: pip install requests") from exc
    from ..transports.requests import watch_session

    session = requests.Session()
    watch_session(session, observer, bind(amplitude_client, ai_config, user_id, session_id, auto_start_session))
    return session


@answers_misspelling
def instrument(
    client: T,
    *,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    auto_start_session: bool = True,
) -> T:
    """Record the LLM calls of an existing client, in place; its TLS, proxies, mounts, limits and timeouts stay its own.

    Args:
        client: an httpx or httpx2 client, a requests or aiohttp session, or an SDK client that holds one (openai,
            anthropic, google-genai, groq, mistralai, cohere, ollama, together ...).
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: privacy, prices and flags of these calls; default: `AIConfig()`.
        user_id: Amplitude user id of this client's calls, where the context or the request names none.
        session_id: run id of this client's calls; default: one automatic run per user.
        auto_start_session: whether calls without a session id are grouped into runs.

    Returns:
        ``client`` itself. Instrumenting twice changes nothing.

    Raises:
        TypeError: nothing in ``client`` can be instrumented, or another argument has the wrong type.
        ValueError: an id is empty.
    """
    if isinstance(client, type):
        raise TypeError(
            f"client is the class {client.__module__}.{client.__qualname__}: pass an instance, "
            f"such as instrument({client.__qualname__}(...)), or use install_transport() for every one"
        )
    binding = bind(amplitude_client, ai_config, user_id, session_id, auto_start_session)
    if watch_one(client, binding):
        return client
    found = False
    for path in _SDK_PATHS:
        target: Any = client
        for name in path:
            target = getattr(target, name, None)
        found = (target is not None and watch_one(target, binding)) or found
    if not found:
        raise TypeError(
            f"client: a {type(client).__module__}.{type(client).__qualname__} holds no HTTP client that can be "
            "instrumented: pass an httpx, httpx2, requests or aiohttp client or session, an SDK client built on one, "
            "or use install_transport()"
        )
    return client


def watch_one(client: Any, binding: Binding) -> bool:
    """Whether it is a client of a library that is watched, and is watched now."""
    return any(row.module in sys.modules and row.load().adopt(client, observer, binding) for row in LIBRARIES)
