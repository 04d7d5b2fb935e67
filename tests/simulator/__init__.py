"""A simulator of the model providers: a real HTTP/1.1 server, in a process of its own, on loopback.

``python -m tests.simulator --port 8000`` runs it by hand. In tests::

    with Simulator() as simulator:
        client = openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="test")
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "[sim:model=gpt-5]"}])
        assert simulator.requests()[0].model == "gpt-5"

``_directives`` lists what a request may ask for, ``_answers`` how tokens are counted. One file per provider's formats.
Standard library only, and nothing of ``amplitude_ai``.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ._answers import Tokens

__all__ = ["Received", "Simulator", "Tokens"]

_ROOT = Path(__file__).resolve().parents[2]
#: Talks to the simulator whatever proxies the environment names.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Received:
    """A request that arrived, and what it was answered.

    Attributes:
        path: path and query.
        headers: with lower-case names.
        status: of the answer; ``None`` while it is under way.
        model: that answered; ``None`` for errors.
        told: the usage the client has been sent so far, normalised; ``None`` when none was.
        tool_calls: how many tools the answer calls.
        whole: the answer was sent to its end, and no error cut it short.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None
    model: str | None
    told: Tokens | None
    tool_calls: int
    whole: bool

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Simulator:
    """Runs the simulator's process for the length of a ``with`` block (or of `start` to `stop`)."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Simulator:
        """Start it, and wait until it listens.

        Raises:
            RuntimeError: it did not start; what it said is on stderr.
        """
        command = [sys.executable, "-m", "tests.simulator", "--port", str(self._port), "--with-parent"]
        # It ends with its standard input, so also when this process is killed.
        self._process = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the simulator ended with status {self._process.wait()} instead of listening")
        return self

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def requests(self) -> list[Received]:
        """What arrived since the start, or since `clear`."""
        return [_received(entry) for entry in self._call("GET")]

    def clear(self) -> None:
        """Forget what arrived."""
        self._call("DELETE")

    def _call(self, method: str) -> Any:
        with _direct.open(urllib.request.Request(f"{self.url}/_sim/requests", method=method), timeout=5) as response:
            return json.load(response)


def _received(entry: dict[str, Any]) -> Received:
    told = entry.pop("told")
    body = base64.b64decode(entry.pop("body"))
    return Received(**entry, body=body, told=None if told is None else Tokens(**told))
