"""One bounded queue and its one thread."""

import contextlib
import os
import threading
import time
from types import SimpleNamespace

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import _guard, _worker
from amplitude_ai._worker import Worker
from amplitude_ai.testing import EventList


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


class Handler:
    def __init__(self):
        self.items = []
        self.commits = []
        self.ticks = 0
        self.gate = threading.Event()
        self.gate.set()

    def process(self, item):
        self.gate.wait(5)
        if item == "boom":
            raise RuntimeError("boom")
        self.items.append(item)

    def commit(self):
        self.commits.append(len(self.items))

    def due_s(self):
        return float("inf")

    def tick(self):
        self.ticks += 1


def test_items_are_handled_in_order_and_drain_waits_for_them():
    """What was submitted before ``drain`` is handled when it returns True; its action runs after."""
    handler = Handler()
    worker = Worker(handler)
    for i in range(100):
        assert worker.submit(i, size=10)
    seen_at_action = []
    assert worker.drain(5, lambda: seen_at_action.append(len(handler.items)))
    assert handler.items == list(range(100))
    assert seen_at_action == [100]
    assert worker.waiting == (0, 0)


def test_what_was_gathered_is_written_when_nothing_more_comes(monkeypatch):
    """After the last of the items that wait, before ``drain`` is told, and after an item that is handled inline."""
    monkeypatch.setattr(_worker, "TICK_SECONDS", 60)
    handler = Handler()
    handler.gate.clear()
    worker = Worker(handler)
    for i in range(10):
        worker.submit(i)
    handler.gate.set()
    assert worker.drain(5)
    assert handler.commits[-1] == 10
    assert len([number for number in handler.commits if 0 < number < 10]) <= 1  # not after each
    worker.submit(10)
    wait_for(lambda: 11 in handler.commits)
    assert 11 in handler.commits
    worker.run_inline(11)
    assert handler.commits[-1] == 12


def test_drain_says_when_the_time_was_not_enough():
    """A worker that is stuck is told, not waited for."""
    handler = Handler()
    handler.gate.clear()
    worker = Worker(handler)
    worker.submit(1)
    begun = time.monotonic()
    assert worker.drain(0.05) is False
    assert time.monotonic() - begun < 2
    handler.gate.set()
    assert worker.drain(5) is True


def test_the_queue_is_bounded_by_count_and_the_loss_is_counted():
    """Past the limit an item is refused, with a reason in the counters."""
    handler = Handler()
    handler.gate.clear()
    worker = Worker(handler, max_items=3)
    before = _guard.counted("dropped_queue_full")
    results = [worker.submit(i) for i in range(10)]
    handler.gate.set()
    assert worker.drain(5)
    assert results.count(False) == _guard.counted("dropped_queue_full") - before >= 6
    assert len(handler.items) == results.count(True)


def test_a_burst_of_twenty_thousand_calls_fits():
    """Also where the worker gets no turn while they are made."""
    handler = Handler()
    handler.gate.clear()
    worker = Worker(handler)
    assert all(worker.submit(number, size=1200) for number in range(20_000))
    assert not worker.submit("more") or not worker.submit("more")
    handler.gate.set()
    assert worker.drain(30)
    assert len(handler.items) >= 20_000


def test_the_queue_is_bounded_by_bytes():
    """A few huge items are refused before they fill the memory; room comes back when they are handled."""
    handler = Handler()
    handler.gate.clear()
    worker = Worker(handler, max_bytes=100)
    before = _guard.counted("dropped_queue_bytes")
    assert worker.submit("a", 60)
    assert not worker.submit("b", 60)
    assert _guard.counted("dropped_queue_bytes") == before + 1
    handler.gate.set()
    assert worker.drain(5)
    assert worker.submit("c", 60)


@pytest.mark.swallows
def test_an_error_in_the_handler_costs_one_item():
    """The worker survives what it is given."""
    handler = Handler()
    worker = Worker(handler)
    worker.submit("boom")
    worker.submit("after")
    assert worker.drain(5)
    assert handler.items == ["after"]


def test_bytes_are_counted_right_from_many_threads():
    """However many threads submit at once, the byte count comes back to zero."""
    handler = Handler()
    worker = Worker(handler)

    def produce():
        for _ in range(500):
            worker.submit("x", 7)

    threads = [threading.Thread(target=produce) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.drain(10)
    worker._add_bytes(0)
    assert len(handler.items) == 4000
    assert worker.waiting == (0, 0)


def test_the_clock_ticks_without_items():
    """Sessions end by silence: the worker wakes for the clock."""
    handler = Handler()
    worker = Worker(handler)
    worker.submit(1)
    deadline = time.monotonic() + 5
    while not handler.ticks and time.monotonic() < deadline:
        time.sleep(0.02)
    assert handler.ticks


def test_drain_on_the_worker_itself_does_not_wait_for_itself():
    """A plugin that flushes from the worker gets an honest False, not a deadlock."""
    answers = []

    class Flushing(Handler):
        def process(self, item):
            answers.append(worker.drain(5))

    worker = Worker(Flushing())
    worker.submit(1)
    assert worker.drain(5)
    assert answers == [False]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_starts_empty_and_works():
    """The parent's items stay the parent's; the child's worker starts anew."""
    handler = Handler()
    worker = Worker(handler)
    worker.submit("parent")
    assert worker.drain(5)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        worker.after_fork()
        worker.submit("child")
        worker.drain(5)
        os.write(write, repr(handler.items).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    assert os.read(read, 1000).decode() == "['parent', 'child']"
    os.close(read)


def test_a_test_suite_that_forbids_sleeping(monkeypatch):
    """``time.sleep`` replaced by something that raises does not end the worker."""

    def forbidden(seconds):
        raise AssertionError("no sleeping in tests")

    monkeypatch.setattr(time, "sleep", forbidden)
    handler = Handler()
    worker = Worker(handler)
    for number in range(3):
        worker.submit(number)
    assert worker.drain(5)
    assert handler.items == [0, 1, 2]


@pytest.mark.parametrize(("kept_waiting_s", "most"), [(0.0, 1), (0.0005, 2), (0.005, 13), (0.5, 13)])
def test_the_interpreter_is_left_to_who_wants_it(monkeypatch, kept_waiting_s, most):
    """After each item; where many wait, after a part of the time that the worker itself was kept waiting."""
    now, stints = [0.0], [0]

    class Handler:
        def process(self, item):
            now[0] += 0.0001
            stints[-1] += 1

        def commit(self):
            pass

        def due_s(self):
            return float("inf")

        def tick(self):
            pass

    def pause(seconds):
        now[0] += kept_waiting_s
        stints.append(0)

    monkeypatch.setattr(_worker, "_pause", pause)
    monkeypatch.setattr(_worker, "_clock", SimpleNamespace(monotonic_s=lambda: now[0]))
    worker = Worker(Handler())
    worker._queue.extend((number, 0) for number in range(1000))
    worker._handle_all(worker._queue, 1000.0)
    assert sum(stints) == 1000
    assert set(stints[-_worker.PAUSING_ITEMS : -1]) == {1}
    assert max(stints) == most
    assert stints[:2] == [1, most]


def test_an_application_waits_for_all_its_threads(monkeypatch):
    """Who joins all that ``threading`` lists, or waits until there is but one, does not wait for ours, nor fails."""
    at_work, gate, told = threading.Event(), threading.Event(), []

    class Logging(Handler):
        def process(self, item):
            told.append((threading.current_thread().name, threading.current_thread().is_alive()))
            at_work.set()
            gate.wait(5)

    before = threading.enumerate()
    worker = Worker(Logging())
    worker.submit(1)
    assert at_work.wait(5)
    for thread in threading.enumerate():  # at work: not an error, and not waited for
        if thread not in before:
            thread.join()
    gate.set()
    assert worker.drain(5)
    while threading.active_count() > len(before):
        time.sleep(0.001)
    for number in range(2, 5):  # after it was hidden it is again what it was
        worker.submit(number)
        assert worker.drain(5)
    assert told == [("amplitude-ai", True)] * 4


@pytest.fixture
def rests_at_once(monkeypatch):
    """A worker that nothing but an item, or what is due, makes look within a minute."""
    monkeypatch.setattr(_worker, "REST_SECONDS", 0)
    monkeypatch.setattr(_worker, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(_worker, "PATIENCE_SECONDS", 0.001)
    for name in ("LOOK_SECONDS", "LONGEST_REST_SECONDS"):
        monkeypatch.setattr(_worker, name, 60)


def test_a_worker_at_rest_is_woken_by_the_next_item(rests_at_once):
    """Time after time: each is handled at once, though the worker would look a minute later."""
    handler = Handler()
    worker = Worker(handler)
    for number in range(50):
        worker.submit(number)
        wait_for(lambda number=number: number in handler.items)
        assert handler.items[-1] == number
        wait_for(lambda: worker._rests)
        assert worker._rests


def test_no_item_is_slept_through_that_comes_while_the_worker_goes_to_rest(rests_at_once):
    """Two threads hand over at the very moments at which it does."""
    handler = Handler()
    worker = Worker(handler)

    def hand_over(own):
        for number in range(2000):
            worker.submit((own, number))
            if number % 7 == own:
                time.sleep(0)

    threads = [threading.Thread(target=hand_over, args=(own,)) for own in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: len(handler.items) == 4000)
    assert len(handler.items) == 4000


def test_an_item_that_comes_between_the_last_look_and_the_wait_is_seen(rests_at_once):
    """The worker is asked what is due when it has looked and does not yet wait: nobody wakes it then."""

    class Late(Handler):
        def due_s(self):
            if len(self.items) == 1:
                worker._queue.append(("late", 0))  # as `submit` does that saw nobody at rest
            return 60.0

    handler = Late()
    worker = Worker(handler)
    worker.submit("first")
    wait_for(lambda: "late" in handler.items)
    assert handler.items == ["first", "late"]


def test_a_worker_at_rest_ticks_when_something_is_due(rests_at_once):
    """And no earlier: what has a time is told then, whatever else happens."""

    class Due(Handler):
        def due_s(self):
            return 0.05 if self.ticks < 3 else 60.0

    handler = Due()
    worker = Worker(handler)
    worker.submit(1)
    wait_for(lambda: handler.ticks >= 3)
    time.sleep(0.2)
    assert 3 <= handler.ticks <= 4


@pytest.mark.swallows
def test_a_handler_that_cannot_tell_what_is_due_is_asked_again(rests_at_once):
    """It is counted, and items are handled all the same."""

    class Broken(Handler):
        def due_s(self):
            if self.items != [1, 2]:
                raise RuntimeError("broken")
            return 60.0

    before = _guard.counted("internal_errors")
    handler = Broken()
    worker = Worker(handler)
    worker.submit(1)
    wait_for(lambda: _guard.counted("internal_errors") > before)
    worker.submit(2)
    wait_for(lambda: 2 in handler.items)
    assert handler.items == [1, 2]
    assert _guard.counted("internal_errors") > before


@pytest.mark.parametrize("at_rest", [False, True], ids=["start", "rest"])
@pytest.mark.parametrize(
    "hurry",
    [
        lambda worker: worker.drain(30),
        lambda worker: worker.submit("urgent", urgent=True),
        lambda worker: [worker.submit(number) for number in range(60)],
        lambda worker: worker._send_away(time.perf_counter() + 30),
    ],
    ids=["drain", "urgent", "many", "fork"],
)
def test_who_wakes_the_worker_goes_on_first_unless_it_must_hurry(rests_at_once, monkeypatch, at_rest, hurry):
    """It would take the interpreter from who goes on with the answer: a hundredth of a second in the first call."""
    handler = Handler()
    worker = Worker(handler, max_items=1000)
    if at_rest:
        worker.submit("before")
        wait_for(lambda: worker._rests)
    monkeypatch.setattr(_worker, "PATIENCE_SECONDS", 60)
    worker.submit("item")
    time.sleep(0.1)
    assert "item" not in handler.items
    hurry(worker)
    wait_for(lambda: "item" in handler.items)
    assert "item" in handler.items


def test_a_thread_that_is_killed_at_its_birth_is_replaced(monkeypatch):
    """By what was thrown into the thread that starts it. One that comes late after all leaves again."""
    born, start = [], _worker.start
    monkeypatch.setattr(_worker, "BIRTH_SECONDS", 0.05)
    monkeypatch.setattr(_worker, "start", lambda run, name: born.append(run))
    handler = Handler()
    worker = Worker(handler)
    worker.submit(1)
    worker.submit(2)
    assert len(born) == 1
    time.sleep(0.1)
    monkeypatch.setattr(_worker, "start", start)
    worker.submit(3)
    assert worker.drain(5)
    assert handler.items == [1, 2, 3]
    born[0]()  # ends
    assert worker.drain(5)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_is_thrown_while_a_worker_starts_leaves_it_startable(monkeypatch, error):
    """The item is handled with the next."""
    start = _worker.start

    def thrown(run, name):
        raise error

    monkeypatch.setattr(_worker, "start", thrown)
    handler = Handler()
    worker = Worker(handler)
    with contextlib.suppress(KeyboardInterrupt):
        worker.submit(1)
    monkeypatch.setattr(_worker, "start", start)
    worker.submit(2)
    assert worker.drain(5)
    assert handler.items == [1, 2]


def test_an_urgent_item_that_starts_the_worker_is_handled_at_once(monkeypatch):
    """With a spool it is on disk in a moment, in the first call too."""
    monkeypatch.setattr(_worker, "PATIENCE_SECONDS", 60)
    handler = Handler()
    Worker(handler).submit("item", urgent=True)
    wait_for(lambda: handler.items)
    assert handler.items == ["item"]


def test_a_worker_at_rest_hears_of_what_an_inline_item_makes_due(rests_at_once):
    """It asked before what is due, and would rest for a minute."""

    class Due(Handler):
        def due_s(self):
            return 0.05 if self.items[-1:] == ["inline"] else 60.0

    handler = Due()
    worker = Worker(handler)
    worker.submit("before")
    wait_for(lambda: worker._rests)
    ticks = handler.ticks
    worker.run_inline("inline")
    wait_for(lambda: handler.ticks > ticks)
    assert handler.ticks > ticks


def test_silence_is_told_while_the_worker_rests(rests_at_once):
    """A run ends by its time-out, though no call comes any more and nobody looks for a minute."""
    answer = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    }
    client = amplitude_ai.instrumented_httpx(
        transport=httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer)),
        amplitude_client=(events := EventList()),
        ai_config=amplitude_ai.AIConfig(session_timeout_ms=300),
    )
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
    client.post("https://api.openai.com/v1/chat/completions", json=body)
    assert amplitude_ai.flush(10)
    wait_for(lambda: events.of_type("llm_run_finished"))
    assert [one["end_reason"] for one in events.of_type("llm_run_finished")] == ["timeout"]
    client.close()


def test_drain_replaces_a_worker_that_was_killed_at_its_birth(monkeypatch):
    """CPython gives the newborn what is thrown into the thread that starts it, and no other item may come."""
    begin = _worker.start
    started = []

    def still_born(run, name):
        started.append(name)
        return begin(bool if len(started) == 1 else run, name)

    monkeypatch.setattr(_worker, "start", still_born)
    monkeypatch.setattr(_worker, "BIRTH_SECONDS", 0.05)
    handler = Handler()
    worker = Worker(handler)
    worker.submit("item")
    assert worker.drain(10)
    assert handler.items == ["item"]
    assert len(started) == 2
