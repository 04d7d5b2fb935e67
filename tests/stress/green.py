"""gunicorn with gevent's and eventlet's workers, preloaded and not: every event arrives, and nobody has to wait for us.

While the first model call of a worker is under way, plain requests come in beside it: the longest of them is printed
next to what it takes without us, in the same server. The hub must not stall: that would show as seconds.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.neighbours.__main__ import make
from tests.neighbours._environments import FOLDER

from ._run import Amplitude, environment, row
from .servers import records, wait_for

WSGI = """
import os, requests
if os.environ.get("WITH_US"):
    import amplitude_ai
    amplitude_ai.install_transport()
def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    text = "plain"
    if name != "plain":
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": name}]}
        answer = requests.post(os.environ["MODELS"], json=body, timeout=20, headers={"X-Amplitude-User-Id": name})
        text = answer.json()["choices"][0]["message"]["content"].split()[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [text.encode()]
"""
#: A hub that stalls makes a plain request wait for seconds; a busy machine makes it wait for a part of one.
STALL_SECONDS = 2.0


def run(amplitude: Amplitude, models: str, requests: int = 100) -> bool:
    """Each kind of worker that is installed, both ways."""
    fine = True
    for kind, python in (("gevent", sys.executable), ("eventlet", _with_eventlet())):
        looked = subprocess.run([python, "-c", f"import gunicorn.workers.g{kind}"], capture_output=True)
        if looked.returncode:
            fine &= row("green", f"gunicorn, {kind}", "not installed; left out (pip install '.[stress]')", True)
            continue
        for more in ([], ["--preload"]):
            plainly = _serve(amplitude, models, requests, [python, kind], more, {})[0]
            longest, right, errors, ended = _serve(amplitude, models, requests, [python, kind], more, {"WITH_US": "1"})
            title = f"gunicorn, {kind}{', preloaded' if more else ''}, {requests} calls"
            calls, again = records(amplitude, "user_id")
            outcome = (
                f"{right} answers, {len(calls)} records of {len(set(calls))} calls, {again} events again; a plain "
                f"request beside the first call {longest * 1000:.0f} ms ({plainly * 1000:.0f} without us)"
            )
            whole = right == requests == len(calls) == len(set(calls))
            good = whole and ended and longest < plainly + STALL_SECONDS
            if not good:
                print(errors[-1500:])
            fine &= row("green", title, outcome + ("" if ended else "; SIGTERM was not obeyed"), good)
    return fine


def _with_eventlet() -> str:
    """A Python that has eventlet and a gunicorn that still knows it (newer ones do not)."""
    if make("eventlet") is not None:
        return sys.executable
    return str(FOLDER / "eventlet" / "bin" / "python")


def _serve(
    amplitude: Amplitude, models: str, requests: int, with_what: list[str], more: list[str], us: dict[str, str]
) -> tuple[float, int, str, bool]:
    """The longest plain request in seconds, right answers, what the server said, whether it ended when told to."""
    python, kind = with_what
    amplitude.forget()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(name: str) -> bytes:
        with opener.open(f"http://127.0.0.1:{port}/{name}", timeout=30) as response:
            return bytes(response.read())

    with tempfile.TemporaryDirectory() as place:
        Path(place, "program.py").write_text(WSGI)
        env = environment(amplitude.url, MODELS=f"{models}/v1/chat/completions", **us)
        command = ["-m", "gunicorn", "-w", "1", "-k", kind, "--log-level", "error", "-b", f"127.0.0.1:{port}", *more]
        server = subprocess.Popen(
            [python, *command, "program:app"], cwd=place, env=env, stderr=subprocess.PIPE, text=True
        )
        wait_for(port)
        ask("plain")  # the worker is up
        longest = _beside(lambda: ask("call-0"), lambda: ask("plain"))
        with ThreadPoolExecutor(8) as pool:
            names = [f"call-{number}" for number in range(1, requests)]
            right = 1 + sum(pool.map(lambda name: ask(name) == name.encode(), names))
        server.send_signal(signal.SIGTERM)
        ended = True
        try:
            _, errors = server.communicate(timeout=45)
        except subprocess.TimeoutExpired:
            ended = False
            server.kill()
            _, errors = server.communicate()
    return longest, right, errors, ended


def _beside(first: Callable[[], bytes], plain: Callable[[], bytes]) -> float:
    """How long the longest of the plain requests took that were made while ``first`` was under way, and just after."""
    thread = threading.Thread(target=first)
    thread.start()
    longest = 0.0
    until = time.monotonic() + 1.5  # the worker's first look, its first parse, its first delivery
    while thread.is_alive() or time.monotonic() < until:
        began = time.monotonic()
        plain()
        longest = max(longest, time.monotonic() - began)
    return longest
