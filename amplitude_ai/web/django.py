"""Django: a middleware in its own way, which knows ``request.user``. Sync and async, streamed responses included.

``MIDDLEWARE = [..., "django.contrib.auth.middleware.AuthenticationMiddleware", "amplitude_ai.web.django.middleware"]``
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware
from msgspec.structs import replace

from .._guard import guard
from .._models import Scope
from .._scope import ambient, set_ambient
from ._request import RequestScope, read
from .wsgi import Streamed


def _user_id(request: Any) -> str | None:
    """The primary key of who is logged in. Only asked where a model is called: it may cost Django a query."""
    user = getattr(request, "user", None)
    return str(user.pk) if user is not None and user.is_authenticated else None


@sync_and_async_middleware  # type: ignore[untyped-decorator,unused-ignore]  # Django has no types of its own
def middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Model calls made while a request is served belong to its user, session, device and browser session."""
    if iscoroutinefunction(get_response):

        @functools.wraps(get_response, updated=())
        async def serve_async(request: Any) -> Any:
            before = ambient()
            around = _around(request, before)
            set_ambient(around)
            try:
                with guard("web_user"):
                    # Later, in a coroutine, Django would refuse to look; `request.user` remembers this.
                    if hasattr(request, "auser") and request.COOKIES.get(_session_cookie()):
                        user = await request.auser()
                        if user.is_authenticated and around.request is not None:
                            around.request.update({}, user_id=str(user.pk))
                response = await get_response(request)
            finally:
                set_ambient(before)
            return _streamed(response, around)

        return serve_async

    @functools.wraps(get_response, updated=())
    def serve(request: Any) -> Any:
        before = ambient()
        around = _around(request, before)
        set_ambient(around)
        try:
            response = get_response(request)
        finally:
            set_ambient(before)
        return _streamed(response, around)

    return serve


def _session_cookie() -> str:
    from django.conf import settings

    return str(settings.SESSION_COOKIE_NAME)


def _around(request: Any, before: Scope) -> Scope:
    with guard("web_request"):
        return replace(before, request=RequestScope(read(request.headers.get, False), _user_id, request))
    return before


def _streamed(response: Any, around: Scope) -> Any:
    with guard("web_request"):
        if getattr(response, "streaming", False) and getattr(response, "file_to_stream", None) is None:
            if getattr(response, "is_async", False):
                response.streaming_content = _streamed_async(response.streaming_content, around)
            else:
                response.streaming_content = Streamed(response.streaming_content, around)
    return response


async def _streamed_async(parts: AsyncIterator[Any], around: Scope) -> AsyncIterator[Any]:
    set_ambient(around)  # each response is streamed in a task of its own
    async for part in parts:
        set_ambient(around)
        yield part
