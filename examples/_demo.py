"""``--demo``: every example against the provider simulator on loopback instead of the real providers; no key needed.

An example calls `begin()` first and `end()` last; what it does between is what you would write yourself.
"""

from __future__ import annotations

import atexit
import base64
import json
import os
import sqlite3
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import quote

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


def visit(url: str, user: str, **headers: str) -> str:
    """A browser's request to an example that is a web application; its cookie is the one of Amplitude's browser SDK."""
    said = json.dumps({"deviceId": f"device-of-{user}", "sessionId": 1767225600000})
    cookie = base64.b64encode(quote(said).encode()).decode()
    request = urllib.request.Request(
        url, headers={"Authorization": user, "Cookie": f"theme=dark; AMP_a2dbce0e18={cookie}", **headers}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def told() -> None:
    """With ``--demo``: whose the model calls were, as the local store has it."""
    import amplitude_ai

    amplitude_ai.flush()
    if DEMO:
        with sqlite3.connect(os.environ["AMPLITUDE_AI_STORE"]) as store:
            for row in store.execute("SELECT DISTINCT user_id, device_id FROM llm_message ORDER BY 1, 2"):
                print("  a call for", *row)
