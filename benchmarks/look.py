"""How long each command and each page takes on a store of a million events: ``python -m benchmarks.look [EVENTS]``.

The store is made by `store_world`. Each question is asked three times in this process, without the interpreter's start
and the imports (which is told apart); the quickest counts, and the most memory the process has held.
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from amplitude_ai import cli
from amplitude_ai.delivery._store import Store
from amplitude_ai.page._pages import Pages

from .store_world import make

COMMANDS = (
    *("path --json", "logs", "logs --errors", "logs --user nobody", "logs --model claude", "logs --text zzz"),
    *("show NEWEST", "show SESSION", "sessions", "turns", "tail", "query SELECT count(*) FROM llm_message"),
    *("costs --by model", "costs --by user", "costs --by session", "costs --by agent", "costs --by day"),
    *("export csv --since 1h", "report --md --since 7d", "report --md"),
)
PAGES = ("/", "/?range=30d", "/?range=all", "/sessions", "/sessions?page=20", "/search", "/search?errors=1&user=user-7")
PAGES += ("/search?text=zzz", "/session?id=SESSION", "/version")
TIMES = 3


def quickest(action: Callable[[], object]) -> tuple[float, float]:
    """The shortest of some tries, in seconds; and its CPU time, which a busy machine lengthens less."""
    times = []
    for _ in range(TIMES):
        begun, worked = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - begun, time.process_time() - worked))
    return min(times)


def told(action: Callable[[], object], name: str) -> None:
    """A row."""
    wall_s, cpu_s = quickest(action)
    print(f"{wall_s:8.3f} s {cpu_s:8.3f} s CPU  {name}")


def command(store: Path, words: list[str]) -> None:
    """One command, its output thrown away."""
    sys.argv = ["x", "--store", str(store), *words]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert cli.main() == 0, words


def main() -> None:
    """Print a row each."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    given = os.environ.get("AMPLITUDE_AI_BENCH_STORE")
    with tempfile.TemporaryDirectory() as place:
        path = Path(given) if given else Path(place) / "world.db"
        if not path.exists():
            make(path, events)
        import sqlite3

        connection = sqlite3.connect(path)
        query = "SELECT insert_id, json_extract(properties, '$.session_id') FROM events ORDER BY id DESC LIMIT 1"
        newest, session = connection.execute(query).fetchone()
        connection.close()
        print(f"{events:,} events, {path.stat().st_size / 1e6:,.0f} MB, {os.cpu_count()} cores")
        start = [sys.executable, "-m", "amplitude_ai", "--store", str(path), "path"]
        told(
            lambda: subprocess.run(start, check=True, stdout=subprocess.DEVNULL),
            "the command starts (CPU: not counted)",
        )
        for each in COMMANDS:
            words = each.split(" ", 1) if each.startswith("query") else each.split()
            words = [{"NEWEST": newest, "SESSION": session}.get(word, word) for word in words]
            told(lambda words=words: command(path, words), each)
        for page in PAGES:
            address = page.replace("SESSION", session)

            def get(address: str = address) -> None:
                # A new application each time: the last overview is remembered.
                assert TestClient(Pages(path).app()).get(address).status_code == 200

            told(get, page)
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB at the most")
        print(f"{write(Path(place) / 'one.db') * 1e6:8.0f} µs  a write, each a transaction of its own")


def write(path: Path) -> float:
    """Seconds a write takes."""
    store = Store(path)
    properties = '{"session_id": "s", "model_name": "gpt", "success": true, "cost_usd": 0.1, "input_content": "%s"}' % (
        "x" * 2000
    )

    def some() -> None:
        for number in range(2000):
            store.write(
                insert_id=f"{time.perf_counter_ns()}-{number}",
                event_type="llm_message",
                time_ms=1_772_409_599_500 + number,
                user_id="ann",
                device_id=None,
                properties=properties,
            )

    took = quickest(some)[0] / 2000
    store.close()
    return took


if __name__ == "__main__":
    main()
