"""Events on disk until they are acknowledged: what a process leaves behind, the next one sends, once."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from amplitude_ai import AIConfig, _guard
from amplitude_ai._models import Event, Scope
from amplitude_ai.delivery._delivery import Delivery
from amplitude_ai.delivery._spool import Spool
from amplitude_ai.delivery._spool_file import SpoolFile

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="flock and file modes")


def event(number, config, **properties):
    return Event("llm_message", 1772409599500, f"id-{number}", properties, Scope(user_id="user123"), config=config)


@pytest.fixture
def config(tmp_path):
    return AIConfig(spool=tmp_path / "deep" / "spool.db")


@pytest.fixture
def counts():
    return Counter()


@pytest.fixture
def new_delivery(counts):
    """Makes the delivery of another process."""
    made = []

    def make():
        made.append(Delivery(lambda name: counts.update([name])))
        return made[-1]

    yield make
    for one in made:
        one.prepare_exit(time.monotonic() + 1)


def soon(seconds=5.0):
    return time.monotonic() + seconds


def rows(path):
    with closing(sqlite3.connect(path)) as connection:
        return [body for (body,) in connection.execute("SELECT body FROM events ORDER BY id")]


def written(path):
    """How many rows, of a file that another process may only be making."""
    try:
        return len(rows(path))
    except sqlite3.OperationalError:
        return 0


def deliver(delivery, config, *numbers, **properties):
    delivery.gather([(event(number, config, **properties), None) for number in numbers])
    delivery.commit()


def test_on_disk_before_it_is_sent_and_gone_when_it_has_arrived(server, new_delivery, config, counts):
    """While Amplitude is silent the file holds the events; after its answer it holds none."""
    delivery = new_delivery()
    server.gate.clear()
    deliver(delivery, config, 1, 2, 3, model_name="gpt")
    assert [b'"id-%d"' % number in body for number, body in enumerate(rows(config.spool), 1)] == [True] * 3
    server.gate.set()
    assert delivery.flush(soon()) is True
    assert rows(config.spool) == []
    assert sorted(server.ids()) == ["id-1", "id-2", "id-3"]
    assert counts == {"emitted": 3, "delivered": 3}


def test_what_the_end_of_the_process_leaves_is_sent_by_the_next(server, new_delivery, config, counts):
    """Not a loss, and said so; nothing is sent by a process whose file it is not."""
    first = new_delivery()
    server.answers = [(500, {})] * 3
    deliver(first, config, 1, 2)
    assert first.flush(soon(0.05)) is False
    first.prepare_exit(soon(0))
    assert counts["left_in_spool"] == 2
    assert "unacknowledged_at_exit" not in counts
    second = new_delivery()
    deliver(second, config, 3)
    second.tick()
    assert second.flush(soon()) is True
    assert {"id-1", "id-2", "id-3"} == set(server.ids())
    assert counts["resent"] == 2
    assert rows(config.spool) == []
    sent = next(one for one in server.events if one["insert_id"] == "id-1")
    assert (sent["event_type"], sent["user_id"], sent["time"]) == ("llm_message", "user123", 1772409599500)


def test_two_processes_share_a_file_and_send_nothing_twice(server, new_delivery, config):
    """The other one lives: what it has in hand is its own."""
    one, other = new_delivery(), new_delivery()
    server.gate.clear()
    deliver(one, config, 1, 2)
    deliver(other, config, 3, 4)
    one.tick()
    other.tick()
    server.gate.set()
    assert one.flush(soon())
    assert other.flush(soon())
    assert sorted(server.ids()) == ["id-1", "id-2", "id-3", "id-4"]


def test_what_the_client_gives_up_is_tried_again(server, new_delivery, config, counts, monkeypatch):
    """Amplitude was away for longer than its SDK tries: the events wait on disk, and arrive in the end."""
    monkeypatch.setattr("amplitude_ai.delivery._sender.RETRIES", 2)
    monkeypatch.setattr("amplitude_ai.delivery._spooling.SEARCH_SECONDS", 0.1)
    delivery = new_delivery()
    server.answers = [(500, {})] * 2
    deliver(delivery, config, 1)
    assert delivery.flush(soon()) is False
    assert counts["kept_in_spool"] == 1
    time.sleep(0.15)
    delivery.tick()
    assert delivery.flush(soon()) is True
    assert server.ids() == ["id-1"]
    assert rows(config.spool) == []


def test_what_amplitude_refuses_is_not_sent_again(server, new_delivery, config, counts):
    """A bad event would be refused for ever."""
    delivery = new_delivery()
    server.answers = [(400, {"error": "bad", "events_with_invalid_fields": {"time": [0]}})]
    deliver(delivery, config, 1, 2)
    assert delivery.flush(soon()) is False
    assert rows(config.spool) == []
    assert (counts["dropped_answer_400"], counts["delivered"]) == (1, 1)


def test_more_than_may_wait_for_an_answer(server, new_delivery, config, counts, monkeypatch):
    """Without a spool they would be dropped; with it they wait on disk."""
    monkeypatch.setattr("amplitude_ai.delivery._delivery.MAX_PENDING", 5)
    monkeypatch.setattr("amplitude_ai.delivery._spooling.SEARCH_SECONDS", 0.0)
    delivery = new_delivery()
    server.gate.clear()
    deliver(delivery, config, *range(12))
    assert counts["waiting_in_spool"] == 7
    server.gate.set()
    for _ in range(3):
        assert delivery.flush(soon())
        delivery.tick()
    assert delivery.flush(soon())
    assert sorted(server.ids()) == sorted(f"id-{number}" for number in range(12))
    assert counts["delivered"] == 12


def test_more_than_may_wait_goes_on_as_soon_as_there_is_room(server, new_delivery, config, counts, monkeypatch):
    """A burst that overflowed to disk does not wait for the next search, tick after tick."""
    monkeypatch.setattr("amplitude_ai.delivery._delivery.MAX_PENDING", 5)
    delivery = new_delivery()
    deliver(delivery, config, 22)
    delivery.tick()  # a search, and the next one 30 s later
    deliver(delivery, config, *range(22))
    for _ in range(5):
        assert delivery.flush(soon())
        delivery.tick()
    assert delivery.flush(soon())
    assert sorted(server.ids()) == sorted(f"id-{number}" for number in range(23))


def test_several_calls_are_put_on_disk_together(server, new_delivery, config, monkeypatch):
    """With the next commit, or when they are many; before the first of them is sent, in order."""
    writes = []
    add = SpoolFile.add
    monkeypatch.setattr(SpoolFile, "add", lambda self, *told: (writes.append(len(told[2])), add(self, *told))[1])
    server.gate.clear()
    delivery = new_delivery()
    for number in range(150):
        delivery.gather([(event(number, config), None)])
    assert writes == [100]
    delivery.commit()
    assert writes == [100, 50]
    assert [b'"id-%d"' % number in body for number, body in enumerate(rows(config.spool))] == [True] * 150
    server.gate.set()
    assert delivery.flush(soon())
    assert sorted(server.ids()) == sorted(f"id-{number}" for number in range(150))
    assert rows(config.spool) == []


@pytest.mark.parametrize("number", [1, 2, 5, 7, 99, 100, 126])
def test_each_row_is_known_by_its_id(tmp_path, number):
    """However many are written at once, and when others write to the file too."""
    one, other = (SpoolFile(tmp_path / "spool.db", 10**9, 60, lambda why, rows: None) for _ in range(2))
    other.add("there", "b", [b"other"] * 3)
    ids = one.add("here", "a", [b"%d" % index for index in range(number)])
    other.add("there", "b", [b"other"] * 3)
    assert one.read(ids) == {row: b"%d" % index for index, row in enumerate(ids)}
    one.remove(ids[1:])
    assert one.read(ids) == {ids[0]: b"0"}
    assert len(rows(tmp_path / "spool.db")) == 7
    one.close()
    other.close()


def test_the_file_is_bounded(tmp_path, counts):
    """The oldest make room, and are counted."""
    spool = Spool(tmp_path / "spool.db", 1_000_000, 60, lambda name: counts.update([name]))
    for number in range(400):
        (row,) = spool.add("here", [event(number, None, text="x" * 10_000)])
        assert row is not None
    spool.close()
    assert (tmp_path / "spool.db").stat().st_size < 3_500_000
    assert counts["dropped_spool_full"] == 400 - len(rows(tmp_path / "spool.db"))
    assert b'"id-399"' in rows(tmp_path / "spool.db")[-1]


def test_old_events_are_dropped(tmp_path, counts):
    """Amplitude would no longer know that it has them."""
    path = tmp_path / "spool.db"
    first = Spool(path, 10**7, 3600, lambda name: counts.update([name]))
    first.add("here", [event(1, None), event(2, None)])
    first.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE events SET written_s = written_s - 7200 WHERE id = 1")
    connection.commit()
    connection.close()
    second = Spool(path, 10**7, 3600, lambda name: counts.update([name]))
    assert [one.insert_id for _, one in second.take("here", 10)] == ["id-2"]
    assert counts["dropped_spool_old"] == 1
    second.close()


def test_events_go_to_their_own_project_only(tmp_path, counts):
    """A file shared by programs with different API keys."""
    first = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: counts.update([name]))
    first.add("project-a", [event(1, None)])
    first.close()
    second = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: counts.update([name]))
    assert second.take("project-b", 10) == []
    assert [one.insert_id for _, one in second.take("project-a", 10)] == ["id-1"]
    second.close()


def test_no_secret_is_on_disk(server, new_delivery, config):
    """The API key stays in memory; the file names the project by a hash."""
    delivery = new_delivery()
    server.gate.clear()
    deliver(delivery, config, 1)
    written = b"".join(path.read_bytes() for path in config.spool.parent.iterdir() if path.is_file())
    assert b"id-1" in written
    assert b"a-key" not in written
    server.gate.set()
    assert delivery.flush(soon())


@posix
def test_private_modes(server, new_delivery, config):
    """Prompts and answers are nobody else's business."""
    delivery = new_delivery()
    deliver(delivery, config, 1)
    for path in [config.spool, *config.spool.parent.iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert delivery.flush(soon())


@pytest.mark.parametrize("damage", [b"no database at all, and long enough to be read as one" * 50, "directory"])
def test_a_file_that_cannot_be_used_costs_no_event(server, new_delivery, config, counts, damage):
    """Events are sent without it; a damaged one is set aside and begun anew."""
    config.spool.parent.mkdir(parents=True)
    if damage == "directory":
        config.spool.mkdir()
    else:
        config.spool.write_bytes(damage)
    delivery = new_delivery()
    deliver(delivery, config, 1)
    deliver(delivery, config, 2)
    assert delivery.flush(soon()) is True
    assert sorted(server.ids()) == ["id-1", "id-2"]
    assert counts["spool_errors"] >= 1
    if damage != "directory":
        assert config.spool.with_name("spool.db.damaged").read_bytes() == damage
        assert rows(config.spool) == []


def test_an_unreadable_row_is_counted(tmp_path, counts):
    """What is no event is no reason to stop."""
    first = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: counts.update([name]))
    first.add("here", [event(1, None)])
    first._file.add("here", first._me(), [b"{", b'{"color": 1}'])
    first.close()
    second = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: counts.update([name]))
    assert [one.insert_id for _, one in second.take("here", 10)] == ["id-1"]
    assert counts["spool_errors"] == 2
    second.close()


@posix
@pytest.mark.parametrize("how", ["deleted", "replaced", "directory deleted"])
def test_a_spool_that_somebody_takes_away_is_begun_anew(tmp_path, how):
    """What is written to a file that is gone would survive nothing; its rows are not taken for the new file's."""
    path = tmp_path / "place" / "spool.db"
    spool = Spool(path, 10**7, 3600, lambda name: None)
    (old, other) = spool.add("here", [event(1, None), event(2, None)])
    if how == "replaced":
        stranger = Spool(tmp_path / "another.db", 10**7, 3600, lambda name: None)
        stranger.add("there", [event(8, None), event(9, None)])
        stranger.close()
        os.replace(tmp_path / "another.db", path)
    elif how == "deleted":
        path.unlink()
    else:
        shutil.rmtree(path.parent)
    (new,) = spool.add("here", [event(3, None)])
    spool.done(old)
    spool.put_back("here", other)
    spool.tidy()
    assert len(rows(path)) == (3 if how == "replaced" else 1)
    spool.put_back("here", new)
    spool.tidy()
    assert [one.insert_id for _, one in spool.take("here", 10)] == ["id-3"]
    watching = Spool(path, 10**7, 3600, lambda name: None)
    assert watching.take("here", 10) == []  # this process lives, and says so again
    watching.close()
    spool.done(new)
    spool.tidy()
    assert len(rows(path)) == (2 if how == "replaced" else 0)
    spool.close()


@posix
def test_of_killed_processes_nothing_stays(tmp_path):
    """A process that is killed when all its events had arrived leaves its claim; the next to look removes it."""
    owners = tmp_path / "spool.db.owners"
    for _ in range(3):
        child = os.fork()
        if child == 0:
            spool = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: None)
            spool.take("here", 10)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
    living = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: None)
    living.add("here", [event(1, None)])
    assert len(list(owners.iterdir())) >= 2
    next_one = Spool(tmp_path / "spool.db", 10**7, 3600, lambda name: None)
    assert next_one.take("here", 10) == []
    assert {one.name for one in owners.iterdir()} == {living._me(), next_one._me()}
    living.close()
    next_one.close()
    assert list(owners.iterdir()) == []


@posix
def test_a_forked_child_has_no_claim(server, new_delivery, config, counts):
    """It neither sends nor removes what its parent has in hand, and does not keep the parent alive for others."""
    spool = Spool(config.spool, 10**7, 3600, lambda name: None)
    spool.add("here", [event(1, None)])
    child = os.fork()
    if child == 0:
        spool.after_fork()
        nothing = spool.take("here", 10) == []
        (row,) = spool.add("here", [event(2, None)])
        spool.done(row)
        spool.tidy()
        os._exit(0 if nothing else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(rows(config.spool)) == 1
    spool.close()


CHILD = """
import sys, time
import amplitude_ai
client = amplitude_ai.instrumented_httpx(session_id="s")
url, calls = sys.argv[1], int(sys.argv[2])
for number in range(calls):
    client.post(url, json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Hello {number}"}]})
    print(number, flush=True)
if calls:
    time.sleep(60)
amplitude_ai.flush(10)
"""


def child(simulator, spool, calls, **env):
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, f"{simulator.url}/v1/chat/completions", str(calls)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "AMPLITUDE_AI_SPOOL": str(spool), **env},
    )


@posix
def test_killed_and_started_again(simulator, server, tmp_path):
    """``kill -9`` while Amplitude is away; the next process sends all of it without making a call itself."""
    server.gate.clear()
    first = child(simulator, tmp_path / "spool.db", 3)
    for _ in range(3):
        first.stdout.readline()
    end = soon(10)
    while time.monotonic() < end and written(tmp_path / "spool.db") < 7:  # run_started, 3 of 2
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    first.stdout.close()
    server.gate.set()
    time.sleep(0.1)
    server.requests.clear()
    second = child(simulator, tmp_path / "spool.db", 0)
    assert second.wait(20) == 0
    second.stdout.close()
    types = Counter(one["event_type"] for one in server.events)
    assert types == {"llm_run_started": 1, "user_message": 3, "llm_message": 3}
    assert len(set(server.ids())) == 7


@pytest.mark.parametrize("wrong", [1, "", b"x", ["a"]])
def test_wrong_arguments(wrong):
    """Named at once."""
    with pytest.raises(TypeError, match=r"AIConfig\(spool="):
        AIConfig(spool=wrong)


def test_bounds_are_checked():
    """As are the other limits."""
    with pytest.raises(ValueError, match="spool_max_bytes"):
        AIConfig(spool_max_bytes=0)
    with pytest.raises(TypeError, match="spool_max_age_s"):
        AIConfig(spool_max_age_s=0.5)


def test_the_log_says_it_once(tmp_path, caplog):
    """A disk that is full fills no log."""
    _guard._logged.clear()
    spool = Spool(tmp_path, 10**7, 3600, lambda name: None)
    for number in range(3):
        assert spool.add("here", [event(number, None)]) == [None]
    assert len([line for line in caplog.messages if "spool" in line]) == 1


FORKED = """
import os, sys, time
from pathlib import Path
from amplitude_ai import AIConfig
from amplitude_ai._models import Event, Scope
from amplitude_ai.delivery._spool import Spool
spool = Spool(Path(sys.argv[1]), 10**6, 10**6, print)
assert spool.add("d", [Event("llm_message", 1772409599500, "id-1", {}, Scope(user_id="user123"), config=AIConfig())])
child = os.fork()
if child == 0:
    spool.after_fork()
    os.close(1)  # the test waits for the end of what is printed
    time.sleep(20)
print(child, flush=True)
os._exit(0)
"""


@posix
def test_a_child_does_not_keep_its_parents_claim(tmp_path):
    """The parent is gone, its forked child lives on: what the parent left is sent by whoever comes next."""
    path = tmp_path / "spool.db"
    done = subprocess.run([sys.executable, "-c", FORKED, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    child = int(done.stdout)
    try:
        with closing(Spool(path, 10**6, 10**6, print)) as spool:
            assert [made.insert_id for _, made in spool.take("d", 10)] == ["id-1"]
    finally:
        os.kill(child, signal.SIGKILL)


def test_what_has_arrived_is_removed_without_a_flush(server, new_delivery, config):
    """A service that never flushes keeps nothing on disk that Amplitude has."""
    delivery = new_delivery()
    deliver(delivery, config, 1, 2)
    end = soon()
    while rows(config.spool) and time.monotonic() < end:
        delivery.tick()
        time.sleep(0.02)
    assert rows(config.spool) == []
    assert sorted(server.ids()) == ["id-1", "id-2"]
