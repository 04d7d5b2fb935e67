"""``GoogleGenerativeAI`` over google-generativeai 0.8, the last of its kind. The SDK is imported by `model_class`.

The SDK keeps one configuration for the process; each model here has its own, so that two keys, and a program's own
``genai.configure``, do not disturb each other. The REST transport of ``google.ai.generativelanguage`` sends through the
``AuthorizedSession`` (a ``requests.Session``) in its ``_session``; that is what is watched. It has no async REST, so
async calls run the sync one in a thread.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .._runtime import bind
from ._keywords import PER_CLIENT, pop_settings, signature_with
from ._resources import adopt, with_keywords
from ._sdk import import_sdk
from ._sdk_errors import of_google_api_core
from ._settings import ClientSettings, watch_requests_session

_END = object()


@functools.cache
def model_class() -> Any:
    """The instrumented subclass of ``google.generativeai.GenerativeModel``."""
    base: Any = import_sdk("google.generativeai", "google-generativeai").GenerativeModel
    # Private, but of an SDK that will not change any more.
    manager_class = import_sdk("google.generativeai.client", "google-generativeai")._ClientManager

    def __init__(
        self: Any, api_key: str | None = None, model_name: str | None = None, client_options: Any = None, **options: Any
    ) -> None:
        told = ClientSettings(bind(**pop_settings(options)), of_google_api_core())
        if not model_name:
            raise TypeError("model_name is missing: pass GoogleGenerativeAI(api_key=..., model_name='gemini-...')")
        base.__init__(self, model_name, **options)
        manager = manager_class()
        manager.configure(api_key=api_key, transport="rest", client_options=client_options)
        self._amplitude = told
        self._client = manager.make_client("generative")
        self._async_client = _InThread(self._client)
        watch_requests_session(self._client.transport._session, told)

    @functools.wraps(base.start_chat)
    def start_chat(self: Any, **options: Any) -> Any:
        return adopt(base.start_chat(self, **options))

    def close(self: Any) -> None:
        """Close the HTTP session and end the automatic run."""
        self._client.transport.close()

    model_options = [name for name in inspect.signature(base.__init__).parameters if name not in {"self", "model_name"}]
    signature = signature_with(__init__, [*model_options, *PER_CLIENT])
    parameters = [p for p in signature.parameters.values() if p.name not in {"self", "options"}]
    requests = ("generate_content", "generate_content_async", "count_tokens", "count_tokens_async")
    return type(
        "GoogleGenerativeAI",
        (base,),
        {
            **{name: with_keywords(base, name) for name in requests},
            "__module__": __name__,
            "__doc__": base.__doc__,
            "__signature__": signature.replace(parameters=parameters),
            "__init__": __init__,
            "start_chat": start_chat,
            "close": close,
        },
    )


class _InThread:
    """What ``GenerativeModel`` asks of ``GenerativeServiceAsyncClient``, by the sync client in threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def generate_content(self, request: Any, **options: Any) -> Any:
        return await asyncio.to_thread(self._client.generate_content, request, **options)

    async def count_tokens(self, request: Any, **options: Any) -> Any:
        return await asyncio.to_thread(self._client.count_tokens, request, **options)

    async def stream_generate_content(self, request: Any, **options: Any) -> AsyncIterator[Any]:
        return _pieces(await asyncio.to_thread(self._client.stream_generate_content, request, **options))


async def _pieces(iterator: Iterator[Any]) -> AsyncIterator[Any]:
    while (piece := await asyncio.to_thread(next, iterator, _END)) is not _END:
        yield piece
