"""gunicorn, uvicorn and celery for real: every event of a load arrives, also of what was under way at the stop."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ._run import Amplitude, environment, row

WSGI = """
import itertools, os, sys
import amplitude_ai, httpx2
amplitude_ai.install_transport()
client = httpx2.Client(trust_env=False)
def app(environ, start_response):
    name = environ["PATH_INFO"].strip("/")
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": name}]}
    with amplitude_ai.context(user_id="user-" + name, properties={"call": name}):
        answer = client.post(os.environ["MODELS"], json=body)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.json()["choices"][0]["message"]["content"].split()[0].encode()]
if os.environ.get("WARM"):  # the master itself makes a call before it forks
    with amplitude_ai.context(user_id="user-master", properties={"call": "call-0"}):
        # With a client of its own: the workers must not share its connection.
        httpx2.post(os.environ["MODELS"], json={"model": "m", "messages": [{"role": "user", "content": "call-0"}]})
"""
ASGI = """
import os
import amplitude_ai, httpx2
amplitude_ai.install_transport()
client = httpx2.AsyncClient(trust_env=False, limits=httpx2.Limits(max_connections=None))
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    name = scope["path"].strip("/")
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": name}]}
    with amplitude_ai.context(user_id="user-" + name, properties={"call": name}):
        answer = await client.post(os.environ["MODELS"], json=body)
    text = answer.json()["choices"][0]["message"]["content"].split()[0].encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text})
"""
CELERY = """
import os
import celery, httpx2, amplitude_ai
amplitude_ai.install_transport()
client = httpx2.Client(trust_env=False)
app = celery.Celery("work", broker="filesystem://", backend=None)
place = os.environ["PLACE"]
app.conf.broker_transport_options = {"data_folder_in": place, "data_folder_out": place, "control_folder": place + "-c"}
app.conf.worker_hijack_root_logger = False
@app.task(name="ask")
def ask(name):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": name}]}
    with amplitude_ai.context(user_id="user-" + name, properties={"call": name}):
        client.post(os.environ["MODELS"], json=body)
"""


def run(amplitude: Amplitude, models: str, requests: int = 400) -> bool:
    """Each server that is installed."""
    gunicorn = ["-m", "gunicorn", "-w", "4", "--log-level", "error", "-b", "127.0.0.1:{port}"]
    uvicorn = ["-m", "uvicorn", "--log-level", "error", "--port", "{port}"]
    fine = _web(amplitude, models, requests, "gunicorn, 4 sync workers", WSGI, [*gunicorn, "program:app"])
    fine &= _web(
        amplitude,
        models,
        requests,
        "gunicorn, preloaded after a call",
        WSGI,
        [*gunicorn, "--preload", "program:app"],
        WARM="1",
    )
    fine &= _web(amplitude, models, requests, "uvicorn", ASGI, [*uvicorn, "program:app"])
    return fine & _celery(amplitude, models, requests)


def _installed(what: str) -> bool:
    return importlib.util.find_spec(what) is not None


def _web(
    amplitude: Amplitude, models: str, requests: int, title: str, text: str, command: list[str], **more: str
) -> bool:
    if not _installed(command[1]):
        return row("servers", title, "not installed; left out (pip install '.[stress]')", True)
    amplitude.forget()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        Path(place, "program.py").write_text(text)
        env = environment(amplitude.url, MODELS=f"{models}/v1/chat/completions", **more)
        filled = [part.format(port=port) for part in command]
        server = subprocess.Popen([sys.executable, *filled], cwd=place, env=env, stderr=subprocess.PIPE, text=True)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(number: int) -> bool:
            with opener.open(f"http://127.0.0.1:{port}/call-{number}", timeout=30) as response:
                return response.read() == f"call-{number}".encode()

        wait_for(port)
        with ThreadPoolExecutor(16) as pool:
            right = sum(pool.map(ask, range(1, requests + 1)))
        server.send_signal(signal.SIGTERM)  # at once: what the workers have in hand is theirs to bring home
        _, errors = server.communicate(timeout=60)
    return _told(amplitude, title, requests + bool(more), right + bool(more), errors)


def _celery(amplitude: Amplitude, models: str, requests: int) -> bool:
    title = "celery, 4 prefork workers"
    if not _installed("celery"):
        return row("servers", title, "not installed; left out (pip install '.[stress]')", True)
    amplitude.forget()
    with tempfile.TemporaryDirectory() as place:
        Path(place, "program.py").write_text(CELERY)
        Path(place, "queue").mkdir()
        env = environment(
            amplitude.url, MODELS=f"{models}/v1/chat/completions", PLACE=str(Path(place, "queue")), C_FORCE_ROOT="1"
        )
        queue = f"import program\nfor n in range(1, {requests + 1}): program.ask.delay(f'call-{{n}}')"
        subprocess.run([sys.executable, "-c", queue], cwd=place, env=env, check=True, timeout=120)
        command = ["-m", "celery", "-A", "program", "worker", "-c", "4", "--pool", "prefork", "-l", "error"]
        worker = subprocess.Popen(
            [sys.executable, *command], cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while any(Path(place, "queue").glob("*.msg")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)  # the last ones are being worked on
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=60)
    return _told(amplitude, title, requests, requests, errors)


def records(amplitude: Amplitude, field: str) -> tuple[list[str], int]:
    """The field that says which call each record is of, and how many events came again by the same id."""
    seen = amplitude.seen()
    calls = [event[field] for event in seen["events"].values() if event["event_type"] == "llm_message"]
    return calls, sum(seen["counts"].values()) - len(seen["counts"])


def _told(amplitude: Amplitude, title: str, requests: int, right: int, errors: str) -> bool:
    calls, again = records(amplitude, "call")
    outcome = f"{right} answers, {len(calls)} records of {len(set(calls))} calls, {again} events again by the same id"
    ok = right == requests == len(calls) == len(set(calls))
    if not ok and errors:
        print(errors[-1500:])
    return row("servers", f"{title}, {requests} calls, SIGTERM", outcome, ok)


def wait_for(port: int) -> None:
    """Until something listens there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")
