"""Watches LLM traffic at the HTTP transport layer and turns it into Amplitude events.

Two lines of code::

    import amplitude_ai
    client = OpenAI(http_client=amplitude_ai.instrumented_httpx())

or, for every client of the process, ``amplitude_ai.install_transport()``. The names below are resolved on first use,
so that importing this package loads no HTTP library, no SDK and not amplitude itself.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._config import AIConfig
    from ._context import context
    from ._public import flush, shutdown, stats
    from .sessions._pricing import calculate_cost
    from .transports.factory import instrument, instrumented_async_httpx, instrumented_httpx, instrumented_requests
    from .transports.install import install_transport, uninstall_transport

__version__ = "0.1.0"

_HOMES = {
    "AIConfig": "_config",
    "calculate_cost": "sessions._pricing",
    "context": "_context",
    "flush": "_public",
    "install_transport": "transports.install",
    "instrument": "transports.factory",
    "instrumented_async_httpx": "transports.factory",
    "instrumented_httpx": "transports.factory",
    "instrumented_requests": "transports.factory",
    "shutdown": "_public",
    "stats": "_public",
    "uninstall_transport": "transports.install",
}

__all__ = [
    "AIConfig",
    "__version__",
    "calculate_cost",
    "context",
    "flush",
    "install_transport",
    "instrument",
    "instrumented_async_httpx",
    "instrumented_httpx",
    "instrumented_requests",
    "shutdown",
    "stats",
    "uninstall_transport",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
