"""WSGI: Flask, Django, Bottle, Pyramid. Around the application and around the body it streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from .._guard import guard
from .._models import Scope
from .._scope import ambient, set_ambient
from ._request import FindsUser, RequestScope, read

_App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WSGIMiddleware:
    """Model calls made while a request is served belong to its user, session, device and browser session.

    ``app.wsgi_app = WSGIMiddleware(app.wsgi_app, user_id=...)`` in Flask.

    Args:
        app: the application.
        user_id: finds the user in the request's WSGI environ. Asked when a model is first called for the request, so
            after whatever logs users in. ``None``: use `identify`.
        trust_headers: only services of one's own send requests, so their ``baggage`` and ``X-Amplitude-User-Id`` may
            say who the user is.

    Raises:
        TypeError: ``user_id`` is no function.
    """

    def __init__(self, app: _App, user_id: FindsUser | None = None, *, trust_headers: bool = False) -> None:
        if user_id is not None and not callable(user_id):
            raise TypeError(f"user_id must be a function of the request's environ, not {type(user_id).__name__}")
        self.app = app
        self._user_id = user_id
        self._trusted = trust_headers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        before = ambient()
        around = before
        with guard("web_request"):
            found = read(lambda name: environ.get(f"HTTP_{name.upper().replace('-', '_')}"), self._trusted)
            around = replace(before, request=RequestScope(found, self._user_id, environ))
            set_ambient(around)
        try:
            body = self.app(environ, start_response)
        finally:
            set_ambient(before)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            return body  # nothing is computed on the way; a server may send a file by itself
        return Streamed(body, around)


class Streamed:
    """A body each part of which is made in the context of its request, whatever thread asks for it."""

    def __init__(self, body: Iterable[bytes], around: Scope) -> None:
        self._body = body
        self._parts: Iterator[bytes] | None = None
        self._around = around

    def __iter__(self) -> Iterator[bytes]:
        """The parts, once."""
        return self

    def __next__(self) -> bytes:
        """The next part."""
        before = ambient()
        set_ambient(self._around)
        try:
            if self._parts is None:
                self._parts = iter(self._body)
            return next(self._parts)
        finally:
            set_ambient(before)

    def close(self) -> None:
        """The server is done with it: what the application does then belongs to the request as well."""
        close = getattr(self._body, "close", None)
        if close is None:
            return
        before = ambient()
        set_ambient(self._around)
        try:
            close()
        finally:
            set_ambient(before)
