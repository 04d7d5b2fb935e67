"""Processes, a fake Amplitude to talk to, and the table that is printed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def row(section: str, what: str, outcome: str, ok: bool) -> bool:
    """Print one line of the table; ``ok`` again."""
    print(f"{'ok  ' if ok else 'FAIL'} | {section:9} | {what:46} | {outcome}", flush=True)
    return ok


@contextlib.contextmanager
def serving(module: str) -> Iterator[str]:
    """The URL of a server that runs in a process of its own."""
    command = [sys.executable, "-m", module]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def environment(amplitude: str, **more: str) -> dict[str, str]:
    """The environment of a program that sends to the fake Amplitude."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_")}
    ours = {"AMPLITUDE_API_KEY": "stress-key", "AMPLITUDE_SERVER_URL": f"{amplitude}/2/httpapi", "NO_PROXY": "*"}
    return {**kept, **ours, "PYTHONPATH": str(ROOT), **more}


class Amplitude:
    """The fake Amplitude, from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return json.load(response)

    def mode(self, mode: str, first: int, seconds: float = 0) -> None:
        """Answer the first requests so, or those of the next seconds."""
        self._ask("POST", "/_mode", {"mode": mode, "first": first, "seconds": seconds})

    def forget(self) -> None:
        """Begin anew."""
        self._ask("DELETE", "/_seen")

    def seen(self) -> Any:
        """``counts`` by insert_id, ``events`` by insert_id, ``requests``, ``largest`` (bytes)."""
        return self._ask("GET", "/_seen")


def python(script: str, *arguments: object, env: dict[str, str], **options: Any) -> subprocess.Popen[str]:
    """A program that runs beside this one; its output is text."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options
    )
