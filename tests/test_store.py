"""The local store: one SQLite file, several writers, five views."""

import gc
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from amplitude import Amplitude, BaseEvent
from amplitude.constants import PluginType
from amplitude.plugin import AmplitudeDestinationPlugin, EventPlugin

from amplitude_ai import AIConfig, _guard
from amplitude_ai._config import store_limits
from amplitude_ai._models import Event, Scope
from amplitude_ai.delivery import _store_schema
from amplitude_ai.delivery._ai_event import AIEvent
from amplitude_ai.delivery._delivery import Delivery
from amplitude_ai.delivery._location import default_path
from amplitude_ai.delivery._sender import destinations_of, make_store_client
from amplitude_ai.delivery._spool_file import SpoolFile
from amplitude_ai.delivery._sqlite import open_private
from amplitude_ai.delivery._store import Store
from amplitude_ai.delivery._store_destination import LocalStoreDestination, _row
from amplitude_ai.delivery._store_waiting import ATTEMPT_SECONDS, TOGETHER
from amplitude_ai.sessions.schema import COMMON, SCHEMA

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file modes and fork")

#: 2026-03-01T23:59:59.500Z
TIME = 1772409599500
SOMEBODY = Scope(user_id="user123")


def put(store, insert_id, event_type="llm_message", time_ms=TIME, user_id="user123", **properties):
    store.write(
        insert_id=insert_id,
        event_type=event_type,
        time_ms=time_ms,
        user_id=user_id,
        device_id=None,
        properties=json.dumps(properties),
    )


def rows(path, statement):
    connection = sqlite3.connect(path)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement)]
    finally:
        connection.close()


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "events.db")
    yield made
    made.close()


def test_the_queries_of_the_documentation_run_as_they_stand(store):
    """Cost a user, error rate a model, tokens a day: on the views, without a change."""
    put(store, "1", model_name="gpt-4", cost_usd=0.5, total_tokens=10, success=True)
    put(store, "2", model_name="gpt-4", cost_usd=1.5, total_tokens=20, success=True)
    put(store, "3", model_name="gpt-4", success=False, time_ms=TIME + 1000)
    put(store, "4", model_name="claude", total_tokens=7, success=True, time_ms=TIME + 1000, user_id="user4")
    assert rows(
        store.path,
        """
        SELECT user_id, AVG(cost_usd) as avg_cost
        FROM llm_message
        WHERE cost_usd IS NOT NULL
        GROUP BY user_id
        """,
    ) == [{"user_id": "user123", "avg_cost": 1.0}]
    rates = rows(
        store.path,
        """
        SELECT model_name,
               COUNT(*) as total_calls,
               SUM(CASE WHEN success = false THEN 1 ELSE 0 END) as errors,
               SUM(CASE WHEN success = false THEN 1 ELSE 0 END) * 100.0 / COUNT(*) as error_rate
        FROM llm_message
        GROUP BY model_name
        """,
    )
    assert {row["model_name"]: (row["total_calls"], row["errors"]) for row in rates} == {
        "gpt-4": (3, 1),
        "claude": (1, 0),
    }
    assert rows(
        store.path,
        """
        SELECT DATE(time) as date,
               SUM(total_tokens) as daily_tokens,
               SUM(cost_usd) as daily_cost
        FROM llm_message
        WHERE total_tokens IS NOT NULL
        GROUP BY DATE(time)
        ORDER BY date
        """,
    ) == [
        {"date": "2026-03-01", "daily_tokens": 30, "daily_cost": 2.0},
        {"date": "2026-03-02", "daily_tokens": 7, "daily_cost": None},
    ]


@pytest.mark.parametrize("event_type", list(SCHEMA))
def test_each_event_is_a_view_with_a_column_a_property(store, event_type):
    """`time` is ISO-8601 in UTC; a property that is absent is NULL; custom ones are in `properties`."""
    properties = {name: f"value of {name}" for name in (*COMMON, *SCHEMA[event_type])}
    put(store, "1", event_type, **properties, tier="pro")
    put(store, "2", "something_else")
    (row,) = rows(store.path, f'SELECT * FROM "{event_type}"')
    assert json.loads(row.pop("properties"))["tier"] == "pro"
    top = {"time": "2026-03-01T23:59:59.500Z", "user_id": "user123", "device_id": None, "insert_id": "1"}
    assert row == {**top, **properties}


def test_the_same_insert_id_is_the_same_event(store):
    """Sending again does no harm."""
    put(store, "1", model_name="first")
    put(store, "1", model_name="second")
    assert rows(store.path, "SELECT model_name FROM llm_message") == [{"model_name": "first"}]


def test_unknown_events_are_kept(store):
    """An event type of the user's own has no view, but a row."""
    put(store, "1", "checkout", total=5)
    assert rows(store.path, "SELECT event_type, properties FROM events") == [
        {"event_type": "checkout", "properties": '{"total": 5}'}
    ]


@posix
def test_only_the_owner_may_read_it(tmp_path):
    """File, its WAL and shared memory 0600, the directory 0700; an existing directory keeps its mode."""
    store = Store(tmp_path / "deep" / "events.db")
    before = os.umask(0)
    try:
        put(store, "1")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep").iterdir()}
    assert modes == {"events.db": 0o600, "events.db-wal": 0o600, "events.db-shm": 0o600}
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700
    store.close()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["events.db"]


def test_two_processes_and_threads_write_at_once(store):
    """Nothing is lost and nothing fails, from the making of the file on."""
    script = (
        "import sys, json; from amplitude_ai.delivery._store import Store\n"
        "store = Store(sys.argv[1])\n"
        "sys.stdin.readline()\n"
        "for i in range(200):\n"
        "    store.write(insert_id=f'{sys.argv[2]}-{i}', event_type='llm_message', time_ms=i, user_id=None,\n"
        "                device_id='d', properties='{}')\n"
    )
    command = [sys.executable, "-c", script, str(store.path)]
    others = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, cwd=ROOT) for name in "ab"]
    threads = [threading.Thread(target=lambda n=n: [put(store, f"{n}-{i}") for i in range(100)]) for n in range(2)]
    for other in others:
        other.stdin.write(b"go\n")
        other.stdin.close()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(10) for other in others] == [0, 0]
    assert rows(store.path, "SELECT COUNT(*) AS n FROM llm_message") == [{"n": 600}]
    assert rows(store.path, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]


@posix
def test_a_forked_child_writes_with_a_connection_of_its_own(store):
    """Even when another thread was writing at the moment of the fork."""
    put(store, "parent")
    store._lock.acquire()  # a thread that is not there in the child
    pid = os.fork()
    if pid == 0:
        try:
            put(store, "child")
            store.close()
        finally:
            os._exit(0)
    store._lock.release()
    os.waitpid(pid, 0)
    put(store, "parent again")
    assert {row["insert_id"] for row in rows(store.path, "SELECT insert_id FROM events")} == {
        "parent",
        "child",
        "parent again",
    }


@pytest.mark.parametrize("kind", [LocalStoreDestination, Store, "spool"])
def test_what_nobody_closed_closes_its_file(tmp_path, kind):
    """From Python 3.13 on an application that lets go of one would be warned of an unclosed database."""
    if kind == "spool":
        left = SpoolFile(tmp_path / "spool.db", 10**7, 3600, lambda why, number: None)
        left.add("here", "me", [b"{}"])
    else:
        left = kind(tmp_path / "events.db")
        store = left.store if kind is LocalStoreDestination else left
        put(store, "one")
        left.itself = left  # as clients and plugins are
        left = store
        del store
    connection = left._connection
    del left
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


@posix
def test_a_deleted_file_is_made_anew(store):
    """A developer who deletes the store while the program runs starts a new one."""
    put(store, "1")
    for path in store.path.parent.iterdir():
        path.unlink()
    put(store, "2")
    assert rows(store.path, "SELECT insert_id FROM events") == [{"insert_id": "2"}]


def test_views_follow_the_version_and_rows_stay(store):
    """A store of an older version gets today's columns."""
    put(store, "1", model_name="m")
    store.close()
    connection = sqlite3.connect(store.path)
    connection.executescript("DROP VIEW llm_message; CREATE VIEW llm_message AS SELECT 1 AS old FROM events;")
    connection.close()
    put(store, "2", model_name="m")
    assert rows(store.path, "SELECT model_name FROM llm_message") == [{"model_name": "m"}] * 2


def test_a_newer_versions_store_is_left_alone(store):
    """We do not know its layout, so we neither write to it nor change it."""
    connection = sqlite3.connect(store.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(_store_schema.NewerStoreError):
        put(store, "1")


def test_where_it_is(monkeypatch, tmp_path):
    """The environment's word, else the data directory the system provides, never a relative XDG directory."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AMPLITUDE_AI_STORE", "~/mine.db")
    assert default_path() == tmp_path / "mine.db"
    monkeypatch.delenv("AMPLITUDE_AI_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_path() == tmp_path / ".local/share/amplitude-ai/events.db"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path() == tmp_path / "data/amplitude-ai/events.db"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_path() == tmp_path / "Library/Application Support/amplitude-ai/events.db"


class Tag(EventPlugin):
    def __init__(self):
        super().__init__(PluginType.ENRICHMENT)

    def execute(self, event):
        event.event_properties["tag"] = (1, 2)
        return event


@pytest.fixture
def client(store):
    answers = []
    made = Amplitude("key")
    for destination in destinations_of(made):
        if isinstance(destination, AmplitudeDestinationPlugin):
            made.remove(destination)
    made.configuration.callback = lambda event, code, message: answers.append(code)
    made.answers = answers
    made.add(LocalStoreDestination(store.path))
    yield made
    made.shutdown()


def test_as_a_plugin_it_stores_whole_events_and_reports(client, store):
    """Enrichments come before it, text is not cut, what is no column is in ``details``, and callbacks are called."""
    answers = []
    client.add(Tag())
    client.track(
        BaseEvent(
            "llm_message",
            user_id="user123",
            app_version="1.2",
            event_properties={"output_content": "x" * 5000},
            callback=lambda event, code, message: answers.append(code),
        )
    )
    (row,) = rows(
        store.path, "SELECT output_content, e.properties, details FROM llm_message JOIN events e USING (insert_id)"
    )
    assert row["output_content"] == "x" * 5000
    assert json.loads(row["properties"])["tag"] == [1, 2]
    assert json.loads(row["details"])["app_version"] == "1.2"
    assert client.answers == answers == [200]


def test_a_store_that_cannot_be_written_is_reported_not_raised(client, store):
    """The event's callback gets 500, and a counter rises."""
    store.path.mkdir()
    before = _guard.counted("dropped_store")
    client.track(BaseEvent("llm_message", user_id="user123"))
    assert client.answers == [500]
    assert _guard.counted("dropped_store") == before + 1


@pytest.mark.parametrize("damage", ["no database", "pages overwritten"])
def test_a_damaged_store_is_set_aside_and_a_new_one_begun(client, store, damage):
    """The event is stored, and what was there stays beside it, byte for byte."""
    put(store, "0")
    store.close()
    garbage = b"not a database at all, but a text" * 1000
    if damage == "pages overwritten":
        garbage = store.path.read_bytes()[:100] + garbage
    store.path.write_bytes(garbage)
    before = _guard.counted("store_set_aside")
    client.track(BaseEvent("llm_message", user_id="user123", insert_id="after"))
    assert client.answers[-1] == 200
    assert rows(store.path, "SELECT insert_id FROM events") == [{"insert_id": "after"}]
    assert store.path.with_name("events.db.damaged").read_bytes() == garbage
    assert _guard.counted("store_set_aside") == before + 1


def test_a_locked_store_does_not_hold_up_who_tracks(client, store, monkeypatch):
    """The events are written in order when the lock is gone, and only then acknowledged."""
    put(store, "0")
    waits = []
    write = Store.write_all

    def noted(self, rows, wait_s):
        if threading.current_thread() is threading.main_thread():
            waits.append(wait_s)
        write(self, rows, wait_s)

    monkeypatch.setattr(Store, "write_all", noted)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(5):
        client.track(BaseEvent("llm_message", user_id="user123", insert_id=f"n{number}"))
    # Track came back with the lock still held, and nobody was told that anything is stored.
    assert client.answers == []
    assert waits == [ATTEMPT_SECONDS]  # the first's, in vain: the others are put behind it
    other.execute("ROLLBACK")
    other.close()
    wait_for(lambda: len(client.answers) == 5)
    assert client.answers == [200] * 5
    assert [row["insert_id"] for row in rows(store.path, "SELECT insert_id FROM events ORDER BY id")] == [
        "0",
        *(f"n{number}" for number in range(5)),
    ]


def test_what_still_waits_at_the_end_is_counted(client, store):
    """Shutdown does not wait for ever for a lock, and says what was lost."""
    put(store, "0")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    before = _guard.counted("dropped_store")
    client.track(BaseEvent("llm_message", user_id="user123"))
    client.shutdown()
    assert client.answers == [500]
    assert _guard.counted("dropped_store") == before + 1
    other.close()


@pytest.fixture
def delivered(store):
    """What `Delivery` counts, and the delivery of events to a client whose only destination is the store."""
    counts = Counter()
    delivery = Delivery(lambda name: counts.update([name]))
    client = make_store_client(store.path)
    yield counts, delivery, client
    client.shutdown()


def made_events(number, **changes):
    return [
        Event("llm_message", TIME, f"n{index}", {"cost_usd": index}, SOMEBODY, **changes) for index in range(number)
    ]


def test_events_of_the_worker_are_written_together(delivered, store, monkeypatch):
    """Many in one transaction, in order; they are acknowledged when that is done, not before."""
    counts, delivery, client = delivered
    writes = []
    write = Store.write_all
    monkeypatch.setattr(
        Store, "write_all", lambda self, some, wait_s: (writes.append(len(some)), write(self, some, wait_s))
    )
    for event in made_events(3 * TOGETHER // 2):
        delivery.deliver(event, client)
    assert (writes, counts["delivered"]) == ([TOGETHER], TOGETHER)
    delivery.commit()
    assert (writes, counts["delivered"]) == ([TOGETHER, TOGETHER // 2], 3 * TOGETHER // 2)
    assert [row["insert_id"] for row in rows(store.path, "SELECT insert_id FROM events ORDER BY id")] == [
        f"n{index}" for index in range(3 * TOGETHER // 2)
    ]
    delivery.commit()
    assert len(writes) == 2


@pytest.mark.parametrize("number", [1, 2, 4, 5, 19, 20, 21, 99, 126, 199])
def test_any_number_of_rows_is_stored(store, number):
    """Whatever statements they are split into; those that are there already are left out."""
    some = [(f"n{index}", "t", index, None, None, "{}", "{}", 1) for index in range(number)]
    store.write_all([*some[number // 2 :], *some[:1]])
    store.write_all(some)
    assert sorted(row["time_ms"] for row in rows(store.path, "SELECT time_ms FROM events")) == list(range(number))


@pytest.mark.parametrize("wrong", [{"insert_id": "half\ud800"}, {"time_ms": 2**70}, {"insert_id": b"\xff"}])
def test_an_event_that_cannot_be_stored_costs_no_other(delivered, store, wrong):
    """It is counted, those written together with it are stored."""
    counts, delivery, client = delivered
    before = _guard.counted("dropped_store")
    events = made_events(10)
    events[4] = replace(events[4], **wrong)
    for event in events:
        delivery.deliver(event, client)
    delivery.commit()
    assert len(rows(store.path, "SELECT 1 FROM events")) == counts["delivered"] >= 9
    assert _guard.counted("dropped_store") - before == counts["dropped_answer_500"] == 10 - counts["delivered"]


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_full_disk_is_not_tried_for_each_event(delivered, monkeypatch, error):
    """Where the file is at fault one more attempt shows it; all are counted, and with room again the next is stored."""
    counts, delivery, client = delivered
    before = _guard.counted("dropped_store")
    writes = []

    def full(self, some, wait_s):
        writes.append(len(some))
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write_all", full)
        for event in made_events(100):
            delivery.deliver(event, client)
        delivery.commit()
    assert writes == [100, 1]
    assert _guard.counted("dropped_store") - before == counts["dropped_answer_500"] == 100
    delivery.deliver(Event("llm_message", TIME, "later", {}, SOMEBODY), client)
    delivery.commit()
    assert counts["delivered"] == 1


def test_a_flush_writes_what_is_held(delivered, store):
    """Whoever flushes does not wait for the worker to be done."""
    counts, delivery, client = delivered
    delivery.deliver(made_events(1)[0], client)
    assert rows(store.path, "SELECT name FROM sqlite_master WHERE name = 'events'") == []
    assert delivery.flush(time.monotonic() + 5)
    assert counts["delivered"] == 1
    assert len(rows(store.path, "SELECT 1 FROM events")) == 1


@posix
def test_what_is_held_stays_with_the_parent(delivered, store):
    """A child that is forked meanwhile does not write it too, and goes on with its own."""
    counts, delivery, client = delivered
    delivery.deliver(made_events(1)[0], client)
    child = os.fork()
    if child == 0:
        delivery.after_fork()
        delivery.deliver(Event("llm_message", TIME, "child", {}, SOMEBODY), client)
        delivery.commit()
        os._exit(0)
    os.waitpid(child, 0)
    assert [row["insert_id"] for row in rows(store.path, "SELECT insert_id FROM events")] == ["child"]
    delivery.commit()
    assert len(rows(store.path, "SELECT 1 FROM events")) == 2
    assert counts["delivered"] == 1


def test_a_store_that_is_damaged_meanwhile_loses_nothing_that_was_held(delivered, store):
    """All of them are in the new one."""
    counts, delivery, client = delivered
    put(store, "0")
    store.close()
    store.path.write_bytes(b"not a database at all, but a text" * 1000)
    for event in made_events(30):
        delivery.deliver(event, client)
    delivery.commit()
    assert len(rows(store.path, "SELECT 1 FROM events")) == counts["delivered"] == 30


def test_a_callback_that_exits_does_not_end_the_thread(client, store, monkeypatch):
    """The events behind it are stored all the same, also where the application forbids time.sleep."""

    def forbidden(seconds):
        raise SystemExit

    def exits(event, code, message):
        client.answers.append(code)
        if event.insert_id == "1":
            raise SystemExit

    client.configuration.callback = exits
    monkeypatch.setattr(_guard, "on_internal_error", None)
    put(store, "0")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    client.track(BaseEvent("llm_message", user_id="user123", insert_id="1"))
    client.track(BaseEvent("llm_message", user_id="user123", insert_id="2"))
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", forbidden)
        threading.Event().wait(0.5)  # some attempts in vain
    other.close()
    wait_for(lambda: len(client.answers) == 2)
    assert [row["insert_id"] for row in rows(store.path, "SELECT insert_id FROM events ORDER BY id")] == ["0", "1", "2"]


def test_the_oldest_make_room_when_the_store_is_full(store):
    """The file stays within its bound, the newest events are there, and what went is counted."""
    store.limit(1_000_000, 10**9)
    before = _guard.counted("dropped_store_full")
    for number in range(2000):
        put(store, f"n{number}", output_content="x" * 2000)
    ((kept, last),) = [tuple(row.values()) for row in rows(store.path, "SELECT count(*), max(id) FROM events")]
    assert 150 < kept < 250
    assert last == 2000
    assert _guard.counted("dropped_store_full") == before + 2000 - kept
    store.close()
    assert store.path.stat().st_size < 1_100_000


def test_events_are_kept_for_so_long_only(store, monkeypatch):
    """What was stored too long ago goes with the first write of a process; when it happened does not matter."""
    for number in range(500):
        put(store, f"old{number}", "checkout", time_ms=int(time.time() * 1000))
    put(store, "recent", time_ms=1)
    change = sqlite3.connect(store.path)
    with change:
        change.execute("UPDATE events SET stored_s = stored_s - 7200 WHERE insert_id LIKE 'old%'")
    change.close()
    store.close()
    before = _guard.counted("dropped_store_old")
    monkeypatch.setenv("AMPLITUDE_AI_STORE_MAX_AGE_S", "3600")
    next_process = Store(store.path)
    put(next_process, "now")
    next_process.close()
    assert rows(store.path, "SELECT insert_id FROM events ORDER BY id") == [
        {"insert_id": "recent"},
        {"insert_id": "now"},
    ]
    assert _guard.counted("dropped_store_old") == before + 500


def test_a_store_of_the_version_before_is_used_on(store):
    """Its table gets the column it lacks; an older version that writes to it later may leave that out."""
    put(store, "1")
    store.close()
    connection = sqlite3.connect(store.path)
    connection.executescript("ALTER TABLE events DROP COLUMN stored_s; DROP INDEX events_by_time")
    connection.close()
    put(store, "2", time_ms=int(time.time() * 1000))
    assert [row["stored_s"] is None for row in rows(store.path, "SELECT stored_s FROM events ORDER BY id")] == [
        True,
        False,
    ]


def test_the_bounds_are_options_and_variables(client, store, monkeypatch):
    """The config's word goes before the environment's, and that before the defaults; nonsense is refused."""
    assert store_limits(None) == (1024**3, 30 * 24 * 3600)
    monkeypatch.setenv("AMPLITUDE_AI_STORE_MAX_BYTES", "5000")
    monkeypatch.setenv("AMPLITUDE_AI_STORE_MAX_AGE_S", "soon")
    assert store_limits(AIConfig()) == (5000, 30 * 24 * 3600)
    assert store_limits(AIConfig(store_max_bytes=7, store_max_age_s=8)) == (7, 8)
    with pytest.raises(ValueError, match="store_max_bytes"):
        AIConfig(store_max_bytes=0)
    config = AIConfig(store_max_bytes=100_000, store_max_age_s=60)
    client.track(AIEvent(Event("llm_message", TIME, "i1", {}, Scope(user_id="user123"), config=config)))
    destination = next(each for each in destinations_of(client) if isinstance(each, LocalStoreDestination))
    assert (destination.store.max_bytes, destination.store.max_age_s) == (100_000, 60)


@pytest.mark.parametrize("chosen", [True, False])
def test_the_place_nobody_chose_is_a_warning(monkeypatch, tmp_path, caplog, chosen):
    """Prompts on a disk are something to know of."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AMPLITUDE_AI_STORE", raising=False)
    if chosen:
        monkeypatch.setenv("AMPLITUDE_AI_STORE", str(tmp_path / "mine.db"))
    caplog.set_level("INFO", logger="amplitude.ai")
    client = Amplitude("key")
    client.add(LocalStoreDestination())
    client.add(LocalStoreDestination())
    client.shutdown()
    assert [record.levelname for record in caplog.records if "local store" in record.message] == [
        "INFO" if chosen else "WARNING"
    ]


# Views on which sums are right ---------------------------------------------------------------------------------


def told(store, *calls, tools=()):
    """Attempts (call id, attempt, turn, properties) and tools (turn, success) as events of the store."""
    for number, (call_id, attempt, turn, more) in enumerate(calls):
        facts = {"call_id": call_id, "attempt": attempt, "turn_id": turn, "turn_index": int(turn[1:]), **more}
        put(store, f"m{number}", session_id="s1", **{"operation": "chat", "success": True, **facts})
    for number, (turn, success) in enumerate(tools):
        put(store, f"t{number}", "tool_called", session_id="s1", turn_id=turn, success=success)


def test_sums_by_call_turn_and_session(store):
    """A retried call is one, with the tokens of all attempts and the end of the last; totals count nothing twice."""
    told(
        store,
        ("a", 0, "t0", {"success": False, "latency_ms": 100.0, "error_type": "overloaded"}),
        ("a", 1, "t0", {"total_tokens": 10, "cost_usd": 1.0, "latency_ms": 50.0, "retry_delay_ms": 200.0}),
        ("b", 0, "t1", {"total_tokens": 5, "cost_usd": 0.5, "operation": "embeddings", "latency_ms": 1.0}),
        ("c", 0, "t1", {"success": False, "latency_ms": 1.0}),
        tools=[("t0", True), ("t1", False)],
    )
    for number in range(2):
        put(store, f"u{number}", "user_message", session_id="s1", turn_id=f"t{number}", turn_index=number, content="Hi")
    put(store, "end", "llm_run_finished", session_id="s1", total_tokens=15, run_total_tokens=15, end_reason="exit")
    calls = rows(store.path, "SELECT call_id, attempts, retries, success, latency_ms FROM calls ORDER BY call_id")
    assert [tuple(one.values()) for one in calls] == [("a", 2, 1, 1, 350.0), ("b", 1, 0, 1, 1.0), ("c", 1, 0, 0, 1.0)]
    sums = "SELECT COUNT(*) AS n, SUM(total_tokens) AS tokens, SUM(cost_usd) AS usd"
    assert rows(store.path, f"{sums}, AVG(success = 0) AS rate FROM calls") == [
        {"n": 3, "tokens": 15, "usd": 1.5, "rate": pytest.approx(1 / 3)}
    ]
    assert rows(store.path, f"{sums} FROM turns") == [{"n": 2, "tokens": 15, "usd": 1.5}]
    assert rows(store.path, f"{sums} FROM sessions") == [{"n": 1, "tokens": 15, "usd": 1.5}]
    (first, second) = rows(
        store.path,
        "SELECT content, calls, messages, other_calls, errors, tool_calls, tool_errors, success "
        "FROM turns ORDER BY turn_id",
    )
    assert tuple(first.values()) == ("Hi", 1, 1, 0, 0, 1, 0, 1)
    assert tuple(second.values()) == ("Hi", 2, 1, 1, 1, 1, 1, 0)
    (session,) = rows(store.path, "SELECT turns, calls, errors, retries, tool_calls, end_reason FROM sessions")
    assert tuple(session.values()) == (2, 3, 1, 1, 2, "exit")


def test_events_told_without_ids_are_calls_of_their_own(store):
    """Events told by hand, and those of earlier versions, have no ``call_id``."""
    for number in range(2):
        put(store, str(number), session_id="s1", total_tokens=5)
    assert rows(store.path, "SELECT COUNT(*) AS n, SUM(total_tokens) AS tokens FROM calls") == [{"n": 2, "tokens": 10}]


def test_a_file_that_stays_busy_is_given_up(tmp_path):
    """After the time that was given, and not before: another process may hold it for ever."""
    path = tmp_path / "events.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        open_private(path, _store_schema.migrate, 0.05)
    holder.execute("ROLLBACK")
    holder.close()
    open_private(path, _store_schema.migrate, 0.05).close()


@pytest.mark.parametrize("library", ["amplitude-python/1", "", None, {}])
def test_what_a_plugin_leaves_as_the_library_keeps_no_event_out(library):
    """Nor what else stands beside it."""
    event = BaseEvent("x", user_id="user1", groups={"a": "b"})
    event.library = library
    told = {"groups": {"a": "b"}} | ({} if library in (None, {}) else {"library": library})
    assert json.loads(_row(event)[6]) == told
    event.groups = None
    assert json.loads(_row(event)[6]) == {name: value for name, value in told.items() if name != "groups"}


def test_a_plugin_of_the_destination_alone_acts_on_what_is_stored(client, store):
    """Its own timeline is passed by only while nothing is in it."""
    destination = next(each for each in destinations_of(client) if isinstance(each, LocalStoreDestination))
    plugin = Tag()
    for number, change in enumerate((bool, lambda: destination.add(plugin), lambda: destination.remove(plugin))):
        change()
        client.track(AIEvent(Event("llm_message", TIME, f"id-{number}", {"a": 1})))
    kept = [json.loads(row["properties"]) for row in rows(store.path, "SELECT properties FROM events ORDER BY id")]
    assert kept[0] == kept[2] == {"a": 1}
    assert kept[1] != kept[0]
