"""``--demo``: every example against the provider simulator on loopback instead of the real providers; no key needed.

An example calls `begin()` first and `end()` last; what it does between is what you would write yourself.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = "--demo" in sys.argv


def begin() -> None:
    """With ``--demo``: start the simulator, point the SDKs' environment variables at it, use a store of its own."""
    if not DEMO:
        return
    sys.path.insert(0, str(ROOT))
    from tests.simulator import Simulator

    simulator = Simulator().start()
    atexit.register(simulator.stop)
    os.environ.update(
        AMPLITUDE_AI_STORE=str(Path(tempfile.mkdtemp(prefix="amplitude-ai-example-")) / "events.db"),
        NO_PROXY="127.0.0.1,localhost",
        OPENAI_BASE_URL=f"{simulator.url}/v1",
        ANTHROPIC_BASE_URL=simulator.url,
        GOOGLE_GEMINI_BASE_URL=simulator.url,
        **{f"{name}_API_KEY": "demo" for name in ("OPENAI", "ANTHROPIC", "GEMINI")},
    )
    os.environ.pop("AMPLITUDE_API_KEY", None)


def url(path: str, host: str = "https://api.openai.com") -> str:
    """A URL of a provider, for requests written by hand."""
    if DEMO:
        host = os.environ["OPENAI_BASE_URL"].removesuffix("/v1")
    return host + path


def end() -> None:
    """Let everything arrive, and with ``--demo`` print what did."""
    import amplitude_ai

    delivered = amplitude_ai.flush()
    print(f"delivered: {delivered}")
    if DEMO:
        with sqlite3.connect(os.environ["AMPLITUDE_AI_STORE"]) as store:
            for event_type, count in store.execute("SELECT event_type, COUNT(*) FROM events GROUP BY 1 ORDER BY 1"):
                print(f"  {count} {event_type}")
