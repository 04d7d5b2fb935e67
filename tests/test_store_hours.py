"""Hours that are over, summed up: the overview says the same with them as without, whatever happens to events."""

import json
import sqlite3

import pytest
from msgspec.structs import fields, replace

from amplitude_ai import _clock
from amplitude_ai.delivery._store import Store
from amplitude_ai.delivery._store_hours import HourSums, sum_up
from amplitude_ai.look import _cube
from amplitude_ai.look._filter import Filter
from amplitude_ai.look._kinds import HOUR_MS
from amplitude_ai.look._reader import Reader
from benchmarks.store_world import world

pytest.importorskip("starlette")
from amplitude_ai.page._overview import overview

#: Noon of a day; the world of the tests ends here.
END_MS = 1_772_452_800_000
NEVER = Filter(user=None, until_ms=END_MS + HOUR_MS)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two thousand events of thirty days, nothing summed up."""
    store = Store(tmp_path_factory.mktemp("hours") / "events.db")
    store._hours = HourSums()
    store._hours.visit = lambda *_: None
    for row in world(2_000, END_MS):
        if row[1] == "llm_message":
            said = json.loads(row[5])
            row = (*row[:5], json.dumps({**said, "cache_savings_usd": said.get("cost_usd")}))
        names = ("insert_id", "event_type", "time_ms", "user_id", "device_id", "properties")
        store.write(**dict(zip(names, row[:6], strict=True)))
    store.close()
    return store.path


@pytest.fixture
def summed(made, tmp_path):
    """A copy of it with every hour summed up but the last, and a connection to it."""
    source, copy = sqlite3.connect(made), sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    source.backup(copy)
    source.close()
    sums = HourSums()
    for _ in range(100):
        sums.visit(copy, END_MS / 1000)
    yield tmp_path / "events.db", copy
    copy.close()


def same(one, other):
    """Two overviews, figure by figure; sums of fractions in whatever order they were added."""
    for field in fields(one):
        if field.name != "charts":
            assert flat(getattr(one, field.name)) == pytest.approx(flat(getattr(other, field.name)), abs=1e-9), (
                field.name
            )


def flat(value, path=""):
    """Every figure by where it is."""
    if isinstance(value, dict):
        return {key: each for name in value for key, each in flat(value[name], f"{path}.{name}").items()}
    if isinstance(value, list):
        return {key: each for place, one in enumerate(value) for key, each in flat(one, f"{path}.{place}").items()}
    return {path: value}


def hours(connection):
    return {hour for (hour,) in connection.execute("SELECT hour FROM hours")}


@pytest.mark.parametrize(
    "which",
    [
        NEVER,
        Filter(since_ms=END_MS - 30 * 24 * HOUR_MS + 1, until_ms=END_MS - 1),
        Filter(since_ms=END_MS - 7 * 24 * HOUR_MS + 1_234_567),
        Filter(since_ms=END_MS - 5 * HOUR_MS),
        Filter(since_ms=END_MS - 24 * HOUR_MS, until_ms=END_MS - 24 * HOUR_MS + 60_000),
        Filter(model="claude"),
        Filter(errors=True),
    ],
    ids=["all", "month", "week", "hours", "minute", "model", "errors"],
)
def test_the_overview_is_the_same(made, summed, which):
    """With sums and without, for whole hours and parts of them, with filters and without."""
    assert len(hours(summed[1])) > 90
    same(overview(made, which), overview(summed[0], which))


@pytest.mark.parametrize("end", ["of the hour", "of a call"])
def test_of_a_short_time_every_stretch_is_right(made, summed, end):
    """Steps shorter than an hour, and an end in the middle of an hour that is summed up."""
    connection = summed[1]
    found = connection.execute("SELECT time_ms FROM events WHERE event_type = 'llm_message' ORDER BY 1")
    times = [time for (time,) in found]
    first = next(time for time in times[300:] if len([one for one in times if time <= one < time + 60_000]) > 2)
    hour = first // HOUR_MS * HOUR_MS
    assert hour // HOUR_MS in hours(connection)
    week = Filter(since_ms=hour - 7 * 24 * HOUR_MS, until_ms=first + 1)
    which = Filter(since_ms=hour, until_ms=hour + HOUR_MS) if end == "of the hour" else week
    same(overview(made, which), overview(summed[0], which))


def test_the_sums_are_read(summed):
    """Of a long time the events of the last hours only are read one by one: a sum that is wrong shows."""
    path, connection = summed
    connection.execute("UPDATE hour_sums SET calls = calls + 1000000 WHERE kind = 'model'")
    assert overview(path, NEVER).total["calls"] > 1_000_000
    with Reader(path) as reader:
        parts = _cube.stretches(reader, NEVER)
    assert len(parts.summed) == 1
    assert len(parts.live) == 2


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM events WHERE id = :id",
        "UPDATE events SET time_ms = time_ms + 7200000 WHERE id = :id",
        "UPDATE events SET properties = json_set(properties, '$.total_tokens', 7) WHERE id = :id",
        "INSERT INTO events (insert_id, event_type, time_ms, properties, details) "
        "SELECT 'new', event_type, time_ms, properties, '{}' FROM events WHERE id = :id",
    ],
    ids=["removed", "moved", "changed", "added"],
)
def test_a_change_makes_its_hour_forgotten(made, summed, change):
    """Whoever changes an event, by whatever program: its hour is read anew, and summed up anew at a later visit."""
    path, connection = summed
    before = hours(connection)
    (row,) = connection.execute("SELECT id FROM events WHERE event_type = 'llm_message' LIMIT 1 OFFSET 300").fetchone()
    plain = sqlite3.connect(path)
    plain.execute(change, {"id": row})
    plain.commit()
    plain.close()
    forgotten = before - hours(connection)
    assert len(forgotten) >= 1 or change.startswith("INSERT")
    left = {hour for (hour,) in connection.execute("SELECT DISTINCT hour FROM hour_sums")}
    assert left == hours(connection)
    live = _without_sums(path)
    same(live, overview(path, NEVER))
    sums = HourSums()
    for _ in range(100):
        sums.visit(connection, END_MS / 1000)
    assert forgotten <= hours(connection) | {_emptied(connection, hour) for hour in forgotten}
    same(live, overview(path, NEVER))
    with Reader(path) as reader:
        assert len(_cube.stretches(reader, NEVER).summed) == 1


def _without_sums(path):
    connection = sqlite3.connect(path)
    copy = sqlite3.connect(path.with_name("plain.db"))
    connection.backup(copy)
    copy.execute("DELETE FROM hours")
    copy.execute("DELETE FROM hour_sums")
    copy.commit()
    connection.close()
    copy.close()
    return overview(path.with_name("plain.db"), NEVER)


def _emptied(connection, hour):
    span = (hour * HOUR_MS, (hour + 1) * HOUR_MS)
    found = connection.execute("SELECT count(*) FROM events WHERE time_ms >= ? AND time_ms < ?", span).fetchone()[0]
    return None if found else hour


def test_an_hour_that_is_not_over_is_not_summed_up(made, summed):
    """Nor is one that was over a moment ago: what happened in it may not have arrived."""
    _, connection = summed
    assert max(hours(connection)) * HOUR_MS < END_MS - HOUR_MS


def test_whoever_writes_sums_up(tmp_path, monkeypatch):
    """A store sums up its hours by itself, a few at each of its looks around, and an older one's little by little."""
    now = [END_MS / 1000]
    monkeypatch.setattr(_clock, "wall_s", lambda: now[0])
    monkeypatch.setattr(_clock, "monotonic_s", lambda: now[0])
    store = Store(tmp_path / "events.db")

    def put(number, time_ms):
        properties = json.dumps({"session_id": "s", "success": True, "latency_ms": 5, "cost_usd": 0.5})
        store.write(
            insert_id=str(number),
            event_type="llm_message",
            time_ms=time_ms,
            user_id="ann",
            device_id=None,
            properties=properties,
        )

    for number in range(40):
        put(number, END_MS - number * HOUR_MS)
    counts = []
    for number in range(100, 106):
        now[0] += 61
        put(number, END_MS)
        connection = sqlite3.connect(store.path)
        counts.append(len(hours(connection)))
        connection.close()
    store.close()
    assert counts[0] == 24
    assert counts[-1] == 39
    assert overview(store.path, Filter()).total["cost_usd"] == 23.0


def test_readers_of_one_overview_agree(summed):
    """An hour that is forgotten between two readers of the same overview is read event by event by the second."""
    path, connection = summed
    with Reader(path) as reader, Reader(path) as later:
        parts = _cube.stretches(reader, NEVER)
        assert parts.hold_for(later)
        connection.execute("DELETE FROM events WHERE id = (SELECT min(id) FROM events)")
        assert not parts.hold_for(later)


def test_one_transaction_an_hour(summed):
    """A second program that sums up the same hour does no harm."""
    path, connection = summed
    other = sqlite3.connect(path, isolation_level=None)
    hour = max(hours(connection))
    before = connection.execute("SELECT count(*) FROM hour_sums").fetchone()
    assert sum_up(other, hour) > 0
    assert connection.execute("SELECT count(*) FROM hour_sums").fetchone() == before
    other.close()


def test_a_store_without_sums_is_read(made):
    """An older version's store, which has no such tables: event by event."""
    connection = sqlite3.connect(made.with_name("old.db"))
    source = sqlite3.connect(made)
    source.backup(connection)
    source.close()
    for trigger in ("delete", "update"):
        connection.execute(f"DROP TRIGGER hours_{trigger}")
    connection.execute("DROP TABLE hours")
    connection.execute("DROP TABLE hour_sums")
    connection.commit()
    connection.close()
    same(overview(made, NEVER), overview(made.with_name("old.db"), replace(NEVER)))
