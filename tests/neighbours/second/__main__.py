"""``python -m tests.neighbours.second NAME``: run one, print its events, what was served, and the store's views."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from typing import Any

from tests.neighbours._script import Scripted


def main(name: str, before: Callable[[], None] = lambda: None) -> None:
    """Run it; events go to the local store. ``before``: what is to be done once we are there."""
    module = importlib.import_module(f"{__package__}.{name}")
    server = Scripted(module.model)
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{server.url}/v1", GOOGLE_API_KEY="test")
    import amplitude_ai
    from amplitude_ai import _guard

    _guard.on_internal_error = lambda stage, exc: print(f"swallowed at {stage}: {exc!r}", file=sys.stderr)
    amplitude_ai.install_transport()
    before()
    with amplitude_ai.context(
        user_id="user-1", session_id=None if getattr(module, "OWN_SESSIONS", False) else "chat-1"
    ):
        module.main(server.url)
    if not amplitude_ai.flush(30):
        raise RuntimeError("flush")
    amplitude_ai.shutdown(10)
    with contextlib.closing(sqlite3.connect(os.environ["AMPLITUDE_AI_STORE"])) as store:
        store.row_factory = sqlite3.Row
        kinds = ("user_message", "llm_message", "tool_called", "llm_run_finished", "calls", "turns", "sessions")
        told: dict[str, Any] = {kind: _rows(store, kind) for kind in kinds}
    print("\n" + json.dumps({**told, "served": server.served}), flush=True)


def _rows(store: sqlite3.Connection, kind: str) -> list[dict[str, Any]]:
    rows = store.execute(f'SELECT * FROM "{kind}" ORDER BY time')
    return [{key: value for key, value in dict(row).items() if value is not None} for row in rows]


if __name__ == "__main__":
    main(sys.argv[1])
