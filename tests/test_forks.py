"""Forks: a program of one thread forks as one, whatever of ours waits, and nothing is lost or told twice by it."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from amplitude_ai import _worker
from amplitude_ai._worker import Worker

ROOT = Path(__file__).parents[1]
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
linux = pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts threads as Linux lists them")

#: The hook that is registered first runs last, as near to the fork as can be.
PROGRAM = """
import os, sys, time
counts, waits = [], []
os.register_at_fork(before=lambda: counts.append(len(os.listdir("/proc/self/task"))))
import amplitude_ai
from amplitude_ai import _worker
_worker.LEAVES_FOR_FORK = True  # on Python 3.11 too, which does not warn
_worker.LEAVE_SECONDS = 20.0  # the machine may be busy
import amplitude_ai.delivery._sender as sender
sender.LEAVE_SECONDS = 20.0
import httpx2
answer = {"id": "1", "model": "gpt-4o", "choices": [{"message": {"role": "assistant", "content": "Fine."}}]}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
client = amplitude_ai.instrumented_httpx(transport=transport, user_id="ann-lee")

def ask(name):
    with amplitude_ai.context(properties={"call": name}):
        client.post("https://api.openai.com/v1/chat/completions",
                    json={"model": "gpt-4o", "messages": [{"role": "user", "content": name}]})

os.register_at_fork(before=lambda: waits.append(-time.perf_counter()))
os.register_at_fork(after_in_parent=lambda: waits.append(time.perf_counter()))
for number in range(8):
    ask(f"parent-{number}")
    if number % 4 == 1:
        amplitude_ai.flush()
    elif number % 4 == 2:
        time.sleep(0.4)  # the events wait for others to share their request
    if number % 4 == 3:
        ask(f"parent-{number}-again")
    child = os.fork()
    if child == 0:
        ask(f"child-{number}")
        os._exit(0 if amplitude_ai.flush(10) else 1)
    assert os.waitpid(child, 0)[1] == 0
assert amplitude_ai.flush(10)
print(counts, sum(waits))
"""


def run(**environment):
    """The program's counts of threads, and the names of the calls that were promised."""
    command = [sys.executable, "-W", "always::DeprecationWarning:__main__", "-c", PROGRAM]
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    names = [f"{who}-{number}" for number in range(8) for who in ("parent", "child")]
    return ended, sorted([*names, "parent-3-again", "parent-7-again"])


@linux
def test_one_thread_at_the_fork_with_the_local_store(tmp_path):
    """Nobody is warned of a second thread, on Python 3.12 and newer too, and each call is in the store, once."""
    ended, promised = run(AMPLITUDE_AI_STORE=str(tmp_path / "events.db"), AMPLITUDE_API_KEY="")
    assert ended.stderr.count("multi-threaded") == 0
    assert ended.stdout.startswith(str([1] * 8))
    connection = sqlite3.connect(tmp_path / "events.db")
    rows = connection.execute("SELECT properties FROM events WHERE event_type = 'llm_message'").fetchall()
    connection.close()
    assert sorted(json.loads(properties)["call"] for (properties,) in rows) == promised


@linux
def test_one_thread_at_the_fork_with_amplitude(server):
    """The thread that waits to send ends too; what waited for others to share its request is sent after the fork."""
    ended, promised = run()
    if sys.version_info[:2] != (3, 13):  # it counts after the hooks: what waits to be sent has its thread again
        assert ended.stderr.count("multi-threaded") == 0
    assert ended.stdout.startswith(str([1] * 8))
    messages = [one for one in server.events if one["event_type"] == "llm_message"]
    assert sorted(one["event_properties"]["call"] for one in messages) == promised
    assert len(set(server.ids())) == len(server.ids())


class Handler:
    """Keeps what it is given."""

    def __init__(self):
        self.items = []
        self.ticks = 0

    def process(self, item):
        self.items.append(item)

    def commit(self):
        pass

    def due_s(self):
        return float("inf")

    def tick(self):
        self.ticks += 1


@posix
def test_two_threads_fork_at_a_time(monkeypatch):
    """The one that is later waits in vain, and each gives back what it took itself: the worker goes on."""
    monkeypatch.setattr(_worker, "FORK_SECONDS", 0.05)
    handler = Handler()
    worker = Worker(handler)
    worker.submit(1)
    assert worker.drain(5)
    other_is_in, first_is_out = threading.Event(), threading.Event()

    def other():
        worker.before_fork()
        other_is_in.set()
        assert first_is_out.wait(5)
        worker.after_fork_in_parent()

    worker.before_fork()
    thread = threading.Thread(target=other)
    thread.start()
    assert other_is_in.wait(5)
    worker.after_fork_in_parent()
    first_is_out.set()
    thread.join(5)
    worker.submit(2)
    assert worker.drain(5)
    assert handler.items == [1, 2]


@posix
@pytest.mark.parametrize("starts", [False, True])
def test_what_comes_during_a_fork_is_handled_after_it(monkeypatch, starts):
    """Another thread's item starts no worker meanwhile; on Python 3.13 the next item does, where none waits."""
    monkeypatch.setattr(_worker, "LEAVES_FOR_FORK", True)
    monkeypatch.setattr(_worker, "STARTS_AFTER_FORK", starts)
    monkeypatch.setattr(_worker, "TICK_SECONDS", 0.01)
    handler = Handler()
    worker = Worker(handler)
    worker.submit(1)
    assert worker.drain(5)
    worker.before_fork()
    assert worker._thread is None
    worker.submit(2)
    assert worker._thread is None
    worker.after_fork_in_parent()
    assert worker._thread is not None
    assert worker.drain(5)
    assert handler.items == [1, 2]
    worker.before_fork()
    worker.after_fork_in_parent()
    assert (worker._thread is not None) is starts
    worker.submit(3)
    assert worker.drain(5)
    assert handler.items == [1, 2, 3]


@posix
def test_a_fork_in_the_midst_of_a_burst(monkeypatch):
    """The worker leaves what waits to the one that comes after the fork."""
    monkeypatch.setattr(_worker, "LEAVES_FOR_FORK", True)
    monkeypatch.setattr(_worker, "LEAVE_SECONDS", 0.0)
    handler = Handler()
    worker = Worker(handler)
    for number in range(5_000):
        worker.submit(number)
        if number % 1_000 == 500:
            worker.before_fork()
            assert worker._thread is None
            worker.after_fork_in_parent()
    assert worker.drain(10)
    assert handler.items == list(range(5_000))


class Late(Worker):
    """Is held up where it has just seen that it is to go."""

    def __init__(self, handler):
        self.sees, self.goes = threading.Event(), threading.Event()
        self.told = _worker._NEVER
        super().__init__(handler)

    @property
    def _leave_s(self):
        told = self.told
        if told != _worker._NEVER and self.is_current() and not self.goes.is_set():
            self.sees.set()
            assert self.goes.wait(10)
        return told

    @_leave_s.setter
    def _leave_s(self, value):
        self.told = value


@posix
@pytest.mark.parametrize("drains", [False, True])
def test_a_worker_that_goes_when_the_fork_is_over(monkeypatch, drains):
    """Nobody starts another while it is there; what came meanwhile is handled all the same, without a further call."""
    monkeypatch.setattr(_worker, "LEAVES_FOR_FORK", True)
    monkeypatch.setattr(_worker, "FORK_SECONDS", 0.05)
    handler = Handler()
    worker = Late(handler)
    worker.submit(1)
    assert worker.drain(5)
    worker.before_fork()
    assert worker.sees.wait(5)
    worker.after_fork_in_parent()
    worker.submit(2)
    threading.Timer(0.1, worker.goes.set).start()
    if drains:
        assert worker.drain(5)
    deadline = time.monotonic() + 5
    while handler.items != [1, 2] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert handler.items == [1, 2]


#: Forks while a thread of ours is at work, on the application's thread or on ours.
AT_WORK = """
import os, sys, threading, time
import amplitude_ai
import httpx2
forked = []

def fork():
    child = os.fork()
    if child == 0:
        done = []
        thread = threading.Thread(target=lambda: done.append(threading.current_thread().name))
        thread.start()
        thread.join()
        others = [one for one in threading.enumerate() if one is not threading.current_thread()]
        sys.stderr.flush()
        os._exit(0 if done == ["Thread-1 (<lambda>)"] and not others else 1)
    forked.append(os.waitpid(child, 0)[1])

class Client:
    def track(self, event):
        first = not at_work.is_set()
        at_work.set()
        if first and sys.argv[1] == "ours":
            fork()
        go_on.wait(20)

at_work, go_on = threading.Event(), threading.Event()
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"id": "1", "choices": []}))
client = amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=Client())
client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
assert at_work.wait(20)
if sys.argv[1] == "theirs":
    fork()
while not forked:
    time.sleep(0.001)
go_on.set()
assert amplitude_ai.flush(20)
assert not any(forked), forked
"""


@posix
@pytest.mark.parametrize("thread", ["theirs", "ours"])
def test_a_fork_while_we_are_at_work(thread):
    """What stands for our thread in ``threading`` is gone in the child, whose threads work and are numbered as ever."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", AT_WORK, thread]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
