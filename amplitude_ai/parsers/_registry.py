"""Parsers of other people's: registered by call, or found by entry point. Asked before the package's own tables."""

from __future__ import annotations

import re
from fnmatch import translate
from importlib import metadata
from threading import Lock
from typing import Any

from .._guard import report
from . import _router
from ._format import WireFormat
from ._router import Route

#: Entry points of this group are called without arguments, once, before the first client is instrumented.
GROUP = "amplitude_ai.parsers"

#: The registered parsers by name.
formats: dict[str, WireFormat] = {}
_lock = Lock()
_loaded = False


def register_parser(
    *, host: str, path: str, parser: Any, provider: str | None = None, price_provider: str | None = None
) -> None:
    """Read the calls to a provider that this package does not know, or read them otherwise.

    Args:
        host: which hosts, as a shell pattern, without port: ``api.acme.ai``, ``*.acme.ai``, ``*``.
        path: which paths, as a shell pattern: ``/v1/generate``, ``*/generate``.
        parser: an object with ``name`` (a text of your own, such as ``acme.generate``), ``parse(request, body) ->
            LLMCall | None`` and ``fold(frames, request) -> Folded``; the types are in `amplitude_ai.parsing`. It runs
            on the worker's thread. What it raises is counted (``parse_errors``), the call is recorded without it.
        provider: ``model_provider`` of its events; default: the name up to its first dot.
        price_provider: the provider's id in genai-prices, where it has one.

    Later registrations win over earlier ones.

    Raises:
        TypeError: ``parser`` lacks one of the three, or another argument is no text.
    """
    for name, value in (("host", host), ("path", path)):
        if not isinstance(value, str) or not value:
            raise TypeError(f"{name} must be a shell pattern such as 'api.acme.ai', not {value!r}")
    own_name = getattr(parser, "name", None)
    if not isinstance(own_name, str) or not own_name:
        raise TypeError(f"parser must have a name, a text such as 'acme.generate': {parser!r} has {own_name!r}")
    for method in ("parse", "fold"):
        if not callable(getattr(parser, method, None)):
            raise TypeError(f"parser must have a method {method}, and {own_name!r} has none: see amplitude_ai.parsing")
    route = Route(provider or own_name.partition(".")[0], own_name, price_provider)
    with _lock:
        formats[own_name] = parser
        _router.registered.insert(0, (re.compile(translate(host.lower())), re.compile(translate(path)), route))
        _router.forget()


def unregister_parser(name: str) -> None:
    """Forget the parser of that name.

    Args:
        name: as `register_parser` was told it.

    Raises nothing when there is none.
    """
    with _lock:
        formats.pop(name, None)
        _router.registered[:] = [one for one in _router.registered if one[2].format != name]
        _router.forget()


def load_entry_points() -> None:
    """Call the entry points, once. One that fails is counted, and the others are called all the same."""
    global _loaded
    with _lock:
        if _loaded:
            return
        _loaded = True
    try:
        found = tuple(metadata.entry_points(group=GROUP))
    except Exception as exc:
        report("entry_points", exc)
        return
    for one in found:
        try:
            one.load()()
        except Exception as exc:
            report("entry_points", exc)
