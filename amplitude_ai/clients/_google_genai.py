"""An instrumented google-genai ``Client``. The SDK is imported by `client_class`.

google-genai keeps its HTTP clients on ``client._api_client``: ``_httpx_client`` and ``_async_httpx_client``, the latter
(since 3) with one inner client per event loop.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from .._guard import log_once
from .._runtime import bind
from ._keywords import PER_CLIENT, pop_settings, signature_with
from ._resources import resource_properties
from ._sdk import import_sdk
from ._sdk_errors import of_google_genai
from ._settings import ClientSettings, end_run, watch_aiohttp_session, watch_http_client


@functools.cache
def client_class() -> Any:
    """The instrumented subclass of ``google.genai.Client``."""
    base: Any = import_sdk("google.genai", "google-genai").Client

    def __init__(self: Any, **options: Any) -> None:
        told = ClientSettings(bind(**pop_settings(options)), of_google_genai())
        base.__init__(self, **options)
        self._amplitude = told
        _watch(self._api_client, told)

    @functools.wraps(base.close)
    def close(self: Any) -> None:
        base.close(self)
        told = getattr(self, "_amplitude", None)  # not there when the constructor failed
        if told is not None:
            end_run(told.binding)

    signature = signature_with(base.__init__, PER_CLIENT)
    return type(
        "Client",
        (base,),
        {
            **resource_properties(base),
            "__module__": __name__,
            "__doc__": base.__doc__,
            "__signature__": signature.replace(parameters=list(signature.parameters.values())[1:]),
            "__init__": __init__,
            "close": close,
        },
    )


def _watch(api_client: Any, told: ClientSettings) -> None:
    watch_http_client(api_client._httpx_client, told)
    async_client = getattr(api_client, "_async_httpx_client", None)
    if async_client is None:  # Vertex AI with a client certificate goes by google-auth's own aiohttp session
        return
    watch_http_client(async_client, told)
    if hasattr(async_client, "_client_for_running_loop"):
        async_client._amplitude = told
        async_class: Any = type(async_client)
        async_client.__class__ = _per_loop_class(async_class)
    if getattr(api_client, "_use_aiohttp", _no)():
        _watch_aiohttp(api_client, told)


def _no() -> bool:
    return False


def _watch_aiohttp(api_client: Any, told: ClientSettings) -> None:
    """The SDK's async calls go by aiohttp where that is installed, in a session for each event loop."""
    get_session = getattr(api_client, "_get_aiohttp_session", None)
    if get_session is None:
        log_once(
            "google_genai_aiohttp",
            logging.WARNING,
            "amplitude_ai does not see this google-genai's async calls by aiohttp: pass http_options with an "
            "httpx_async_client, or upgrade google-genai",
        )
        return

    async def _get_aiohttp_session() -> Any:
        session = await get_session()
        watch_aiohttp_session(session, told)
        return session

    api_client._get_aiohttp_session = _get_aiohttp_session


@functools.cache
def _per_loop_class(cls: Any) -> Any:
    """google-genai 3 sends by an inner client for each event loop, made when it is first needed there."""

    def _client_for_running_loop(self: Any) -> Any:
        inner = cls._client_for_running_loop(self)
        watch_http_client(inner, self._amplitude)
        return inner

    return type(cls.__name__, (cls,), {"_client_for_running_loop": _client_for_running_loop})
