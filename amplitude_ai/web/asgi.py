"""ASGI: FastAPI, Starlette, Litestar, Quart. Around the application, with its streams and tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from msgspec.structs import replace

from .._guard import guard
from .._scope import ambient, set_ambient
from ._request import FindsUser, RequestScope, read

_Scope = MutableMapping[str, Any]
_App = Callable[[_Scope, Any, Any], Awaitable[None]]


class ASGIMiddleware:
    """Model calls made while a request is served belong to its user, session, device and browser session.

    Add it as the outermost middleware: ``app.add_middleware(ASGIMiddleware, user_id=...)``.

    Args:
        app: the application.
        user_id: finds the user in the request's ASGI scope, such as ``lambda scope: scope["user"].username``. Asked
            when a model is first called for the request, so after whatever logs users in. ``None``: use `identify`.
        trust_headers: only services of one's own send requests, so their ``baggage`` and ``X-Amplitude-User-Id`` may
            say who the user is.

    Raises:
        TypeError: ``user_id`` is no function.
    """

    def __init__(self, app: _App, user_id: FindsUser | None = None, *, trust_headers: bool = False) -> None:
        if user_id is not None and not callable(user_id):
            raise TypeError(f"user_id must be a function of the request's scope, not {type(user_id).__name__}")
        self.app = app
        self._user_id = user_id
        self._trusted = trust_headers

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:
        """Serve one request or connection."""
        if scope.get("type") not in ("http", "websocket"):
            await self.app(scope, receive, send)  # lifespan: what it starts belongs to no request
            return
        before = ambient()
        with guard("web_request"):
            headers = {name.lower(): value for name, value in scope.get("headers") or ()}
            found = read(
                lambda name: value.decode("latin-1") if (value := headers.get(name.encode())) is not None else None,
                self._trusted,
            )
            set_ambient(replace(before, request=RequestScope(found, self._user_id, scope)))
        try:
            await self.app(scope, receive, send)
        finally:
            set_ambient(before)
