"""Everything that the worker will need, imported on the caller's thread, before the worker's first item.

An import on a thread of ours is one that the application can see half-made: openai 2 asks ``sys.modules.get("httpx2")``
on each call, and genai-prices imports httpx2. So who installs the hooks or makes the first client pays for the imports,
once; importing this package stays cheap. What cannot be imported is counted, and the call goes on without it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ._guard import guard

if TYPE_CHECKING:
    from ._config import AIConfig

#: Our own rooms that the worker enters, and what those import when they are used.
_MODULES = (
    "sqlite3",
    "brotli",
    "zstandard",
    "amplitude_ai.parsers._read",
    "amplitude_ai.sessions._duplicates",
    "amplitude_ai.sessions._runs",
    "amplitude_ai.sessions._spending",
    "amplitude_ai.delivery._delivery",
    "amplitude_ai.delivery._ai_event",
    "amplitude_ai.delivery._client",
    "amplitude_ai.delivery._console",
    "amplitude_ai.delivery._spool",
    "amplitude_ai.delivery._store_destination",
    "amplitude_ai.transports._usage_injection",
)
_done: set[str] = set()


def preload(config: AIConfig | None) -> None:
    """Import what calls under ``config`` (``None``: the default) will need. Never raises; a second call is quick."""
    if "rooms" not in _done:
        _done.add("rooms")
        for name in _MODULES:
            with guard("preload"):
                importlib.import_module(name)
        with guard("preload"):
            from .sessions import _events

            _events.sdk_version()
            _events.machine_id()
    if "prices" not in _done and (config is None or config.cost_tracking):
        _done.add("prices")
        with guard("preload"):
            from .pricing._table import preload as load_prices

            load_prices()
    if "estimates" not in _done and config is not None and config.estimate_usage:
        _done.add("estimates")
        with guard("preload"):
            from .sessions._estimate import preload as load_encodings

            load_encodings()
