"""Callers who are known by their key alone: those of a gateway, such as LiteLLM's proxy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

#: Where callers of OpenAI's, Anthropic's, Azure's and Gemini's formats put their keys.
_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key")


def key_user(request: Any) -> str | None:
    """The user that a caller's key stands for: ``key-`` and the start of its SHA-256, never the key.

    For ``ASGIMiddleware(app, user_id=key_user)`` and ``WSGIMiddleware``. LiteLLM's proxy knows its keys by that hash:
    the ``token`` of its tables.

    Args:
        request: the ASGI scope or the WSGI environment.

    Returns:
        ``None`` where the request has no key.

    Raises nothing for a request as the servers hand it on.
    """
    headers = _headers(request)
    for name in _HEADERS:
        value = headers.get(name, "").strip()
        kind, _, rest = value.partition(" ")
        key = rest.strip() if kind.lower() == "bearer" else value
        if key:
            return f"key-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
    return None


def _headers(request: Mapping[str, Any]) -> dict[str, str]:
    pairs: Iterable[tuple[bytes, bytes]] | None = request.get("headers")
    if pairs is not None:
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    return {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in request.items()
        if name.startswith("HTTP_") and isinstance(value, str)
    }
