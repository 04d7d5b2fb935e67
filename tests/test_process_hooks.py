"""Ends of a process that no exit hook sees, and forks at bad moments."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from amplitude_ai import _process_hooks, _worker
from amplitude_ai._worker import Worker

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")

UVICORN_LIKE = """
import signal, sys
import amplitude_ai
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
amplitude_ai.instrumented_httpx().post(sys.argv[1], json=body)
signal.raise_signal(signal.SIGTERM)  # the server stops in good order ...
assert stopping
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.raise_signal(signal.SIGTERM)  # ... and dies of it after all
"""


@posix
def test_a_server_that_dies_of_the_signal_it_has_caught(simulator, server):
    """As uvicorn does: its parent sees the signal, and Amplitude the events."""
    done = subprocess.run(
        [sys.executable, "-c", UVICORN_LIKE, f"{simulator.url}/v1/chat/completions"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )
    assert done.returncode == -signal.SIGTERM
    assert [one["event_type"] for one in server.events].count("llm_message") == 1


OPEN = """
import os, signal, sys, threading
import amplitude_ai, httpx2
body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "[sim:chunks=40,slow=0.2]"}]}
client = amplitude_ai.instrumented_httpx()
reading = threading.Event()
def read():
    with client.stream("POST", sys.argv[1], json=body) as response:
        for _ in response.iter_lines():
            reading.set()
threading.Thread(target=read, daemon=True).start()
assert reading.wait(10)
if sys.argv[2] == "signal":
    signal.raise_signal(signal.SIGTERM)
if os.fork() == 0:
    os._exit(0)  # what its parent reads is its parent's
os.wait()
os._exit(3)
"""


@posix
@pytest.mark.parametrize(("way", "code"), [("signal", -signal.SIGTERM), ("os._exit", 3)])
def test_what_threads_read_when_a_process_ends_itself_is_told(simulator, server, way, code):
    """A thread of uvicorn's pool is in the midst of a stream when the server dies of its signal."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPEN, f"{simulator.url}/v1/chat/completions", way],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )
    assert done.returncode == code
    calls = [one["event_properties"] for one in server.events if one["event_type"] == "llm_message"]
    assert [call["stream_aborted"] for call in calls] == [True]


def test_other_signals_are_nobody_elses_business(monkeypatch):
    """A signal with a handler, or one that does not end the process, has only its own effect."""
    raised, ended = [], []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    _process_hooks.before_own_death(lambda: ended.append(1))
    _process_hooks.before_own_death(lambda: ended.append(2))
    monkeypatch.setattr(signal, "getsignal", lambda number: lambda *_: None)
    signal.raise_signal(signal.SIGTERM)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT + 40)
    assert ended == []
    signal.raise_signal(signal.SIGTERM)
    assert ended == [1]
    assert raised == [signal.SIGTERM, signal.SIGINT + 40, signal.SIGTERM]


CHILD = """
import os, sys, time
import amplitude_ai, httpx2
from amplitude_ai import _runtime
way, url, place = sys.argv[1:]

class Written:
    def track(self, event):
        with open(place, "a") as file: file.write(event.event_type + chr(10))
        if way == "hanging": time.sleep(60)

amplitude_ai.install_transport(amplitude_client=Written())
body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
httpx2.post(url, json=body)
amplitude_ai.flush() if way != "hanging" else None
child = os.fork()
if not child:
    if way != "idle": httpx2.post(url, json=body)
    began = time.perf_counter()
    _runtime.runtime.worker._start = (lambda: os.abort()) if way == "idle" else _runtime.runtime.worker._start
    os._exit(7)
began = time.perf_counter()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(time.perf_counter() - began)
if way == "hanging": os.kill(os.getpid(), 9)
"""


@posix
@pytest.mark.parametrize(("way", "calls"), [("busy", 2), ("idle", 1)])
def test_a_child_that_leaves_by_os_exit_tells_its_call(simulator, tmp_path, way, calls):
    """rq's jobs end so, with no hook run. A child that made no call starts nothing, and is gone at once."""
    place = tmp_path / "events"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, way, f"{simulator.url}/v1/chat/completions", str(place)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert place.read_text().splitlines().count("llm_message") == calls


EXEC = """
import os, sys
import amplitude_ai, httpx2
url, place, way = sys.argv[1:]

class Written:
    def track(self, event):
        with open(place, "a") as file: file.write(event.event_type + chr(10))

client = amplitude_ai.instrumented_httpx(amplitude_client=Written())
for number in range(2):
    client.post(url, json={"model": "m", "messages": [{"role": "user", "content": f"Hi {number}"}]})
    try:
        os.execvp("no-such-program", ["x"])  # is looked for in every directory of the path
    except FileNotFoundError:
        pass
    try:
        os.execv()
    except TypeError as exc:
        assert "execv expected 2 arguments" in str(exc), exc
assert os.execve in os.supports_fd
if os.fork() == 0:
    os.execv(sys.executable, [sys.executable, "-c", ""])
os.wait()
next = [sys.executable, "-c", "print('the next program')"]
if way == "execv":
    os.execv(sys.executable, next)
elif way == "execve":
    os.execve(sys.executable.encode(), argv=next, env=os.environ)
else:
    os.execlp(sys.executable, *next)
"""


@posix
@pytest.mark.parametrize("way", ["execv", "execve", "execlp"])
def test_a_process_that_becomes_another_program_tells_its_calls_first(simulator, tmp_path, way):
    """Reloaders begin anew so (tornado's, CherryPy's). One that fails to, and a child, have nothing to tell."""
    place = tmp_path / "events"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", EXEC, f"{simulator.url}/v1/chat/completions", str(place), way],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )
    assert done.stdout == "the next program\n", done.stderr
    told = place.read_text().splitlines()
    assert told.count("llm_message") == 2
    assert told.count("llm_run_finished") == 1
    assert told[-1] == "llm_run_finished"  # not where it failed to


@posix
def test_os_exit_does_not_wait_for_a_track_that_hangs(simulator, tmp_path):
    """Whoever calls it wants to be gone."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            CHILD,
            "hanging",
            f"{simulator.url}/v1/chat/completions",
            str(tmp_path / "events"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )
    assert 0.9 < float(done.stdout) < 4


@posix
def test_a_fork_waits_for_the_item_in_hand():
    """A child that is made in the middle of a write would have SQLite's locks held for ever."""
    busy, done = threading.Event(), []

    class Slow:
        def process(self, item):
            busy.set()
            time.sleep(0.05)
            done.append(item)

        def commit(self):
            pass

        def due_s(self):
            return float("inf")

        def tick(self):
            pass

    worker = Worker(Slow())
    worker.submit("item")
    assert busy.wait(5)
    worker.before_fork()
    assert done == ["item"]
    worker.after_fork_in_parent()
    worker.submit("another")
    assert worker.drain(5)
    assert done == ["item", "another"]


@posix
def test_a_fork_does_not_wait_for_a_track_that_hangs(monkeypatch):
    """It waits a moment, once for each item that hangs; the parent and the worker go on."""
    monkeypatch.setattr(_worker, "FORK_SECONDS", 0.1)
    busy, gate = threading.Event(), threading.Event()

    class Hanging:
        def process(self, item):
            busy.set()
            gate.wait(20)

        def commit(self):
            pass

        def due_s(self):
            return float("inf")

        def tick(self):
            pass

    worker = Worker(Hanging())
    worker.submit("item")
    assert busy.wait(5)
    waits = []
    for _ in range(20):
        began = time.perf_counter()
        worker.before_fork()
        waits.append(time.perf_counter() - began)
        worker.after_fork_in_parent()
    assert waits[0] >= 0.1
    assert sum(waits[1:]) < waits[0]  # nineteen that did not wait
    gate.set()
    assert worker.drain(5)


def test_a_worker_whose_thread_is_gone_is_started_anew():
    """Whatever ended it, the next item finds a thread."""

    items = []

    class Handler:
        def process(self, item):
            items.append(item)

        def commit(self):
            pass

        def due_s(self):
            return float("inf")

        def tick(self):
            pass

    worker = Worker(Handler())
    worker.submit(1)
    assert worker.drain(5)
    first = worker._thread
    worker._queue, queue = type(worker._queue)(), worker._queue  # its thread sees that it is no more this worker's
    worker._wake.set()
    worker._thread = None
    assert queue == type(queue)()
    worker.submit(2)
    assert worker.drain(5)
    assert items == [1, 2]
    assert worker._thread not in (None, first)
