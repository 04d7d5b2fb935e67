"""Events reach a client, and what became of them is told truthfully. Against a small Amplitude on loopback."""

import decimal
import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from amplitude import Amplitude, BaseEvent, Config
from amplitude.constants import PluginType
from amplitude.plugin import DestinationPlugin, EventPlugin

from amplitude_ai import _guard
from amplitude_ai._models import Event, Scope
from amplitude_ai.delivery import _sender
from amplitude_ai.delivery._delivery import Delivery
from amplitude_ai.delivery._sender import destinations_of

ROOT = Path(__file__).parent.parent
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def counts():
    return Counter()


@pytest.fixture
def delivery(counts):
    made = Delivery(lambda name: counts.update([name]))
    yield made
    made.prepare_exit(time.monotonic() + 1)


@pytest.fixture
def own_client(server):
    """A client as users make it, which waits ten seconds before it sends."""
    made = Amplitude("own-key", Config(server_url=server.url))
    yield made
    server.gate.set()
    made.shutdown()
    storage = destinations_of(made)[0].storage
    with storage.lock:
        storage.lock.notify_all()


def event(insert_id="id-1", event_type="llm_message", user_id="user123", **properties):
    return Event(event_type, 1772409599500, insert_id, properties, Scope(user_id=user_id))


def soon(seconds=5.0):
    return time.monotonic() + seconds


def returns_within(seconds, run):
    """What ``run`` gives; a bound that tells waiting for its deadline from waiting for the answer, on any machine."""
    begun = time.monotonic()
    given = run()
    assert time.monotonic() - begun < seconds
    return given


class Collector:
    def __init__(self):
        self.events = []

    def track(self, event):
        self.events.append(event)


# To Amplitude --------------------------------------------------------------------------------------------------------


def test_with_a_key_events_go_to_amplitude(server, delivery, counts):
    """The server of the environment gets them; flush is True once they are acknowledged; short ids are let through."""
    for i in range(50):
        delivery.deliver(event(f"id-{i}", user_id="bob", total_tokens=i))
    assert delivery.flush(soon()) is True  # in five seconds; Amplitude's SDK alone waits for ten
    assert sorted(server.ids()) == sorted(f"id-{i}" for i in range(50))
    first = server.events[0]
    assert (first["event_type"], first["user_id"], first["time"]) == ("llm_message", "bob", 1772409599500)
    assert server.requests[0]["api_key"] == "a-key"
    assert server.requests[0]["options"] == {"min_id_length": 1}
    assert counts == {"emitted": 50, "delivered": 50}


def test_events_leave_without_being_asked(server, delivery):
    """A service that never calls flush has its events at Amplitude within seconds."""
    delivery.deliver(event())
    end = soon(4)
    while not server.events and time.monotonic() < end:
        time.sleep(0.05)
    assert server.ids() == ["id-1"]


def test_a_users_own_client_need_not_wait_for_its_interval(own_client, server, delivery):
    """Its ten seconds are cut short by flush, its configuration's callback still called, its own events untouched."""
    answers = []
    own_client.configuration.callback = lambda event, code, message: answers.append((event.event_type, code))
    own_client.track(BaseEvent("own_event", user_id="user123"))
    delivery.deliver(event(), own_client)
    assert delivery.flush(soon()) is True  # in five seconds
    assert sorted(answers) == [("llm_message", 200), ("own_event", 200)]


def test_flush_does_not_say_true_before_the_answer(own_client, server, delivery):
    """Nor does it wait past its deadline."""
    server.gate.clear()
    for client in (None, own_client):
        delivery.deliver(event(), client)
    assert returns_within(3, lambda: delivery.flush(soon(0.2))) is False  # the gate alone would hold it for twenty
    server.gate.set()
    assert delivery.flush(soon()) is True


@pytest.mark.parametrize("answer", [(500, {}), (None, {}), (429, {}), (413, {})])
def test_what_may_be_tried_again_is(server, delivery, counts, answer):
    """Server errors, a reset connection, throttling, too large a request: the events arrive in the end."""
    left = [answer, answer]
    # Each event is dated by itself when it is tried again, and may come alone: one that is too large is too large.
    server.judge = lambda events: left.pop() if left and (answer[0] != 413 or len(events) > 1) else None
    for i in range(3):
        delivery.deliver(event(f"id-{i}"))
    assert delivery.flush(soon()) is True
    assert sorted(set(server.ids())) == ["id-0", "id-1", "id-2"]
    assert counts == {"emitted": 3, "delivered": 3}


def test_one_refused_event_costs_no_other(server, delivery, counts):
    """A 400 that names one event: the rest arrive, the loss is counted, and flush says so, once."""
    server.answers = [(400, {"error": "bad", "events_with_invalid_fields": {"time": [1]}})]
    for i in range(3):
        delivery.deliver(event(f"id-{i}"))
    assert delivery.flush(soon()) is False
    assert sorted(server.ids()) == ["id-0", "id-2"]
    assert counts == {"emitted": 3, "delivered": 2, "dropped_answer_400": 1}
    assert delivery.flush(soon()) is True


def test_a_refusal_that_names_no_event_costs_only_the_bad_one(server, delivery, counts):
    """The request is halved until the bad one stands alone."""
    server.judge = lambda events: (400, {"error": "no"}) if any(e["insert_id"] == "id-5" for e in events) else None
    for i in range(8):
        delivery.deliver(event(f"id-{i}"))
    assert delivery.flush(soon(2)) is False
    assert counts["dropped_answer_400"] == 1
    assert sorted(server.ids()) == [f"id-{i}" for i in range(8) if i != 5]


def test_requests_are_bounded_by_bytes(server, delivery, counts):
    """Forty events with long texts, which are 100 KB each, are several requests of less than a megabyte."""
    for i in range(40):
        delivery.deliver(event(f"id-{i}", output_content="x" * 100_000))
    assert delivery.flush(soon())
    assert len(server.events) == 40
    assert 4 < len(server.requests) < 20
    assert max(server.sizes) < 1_000_000


def test_an_enormous_event_is_cut(server, delivery, counts):
    """What the user added goes first; what we measured arrives."""
    enormous = {f"mine_{i}": ["y" * 1000] * 500 for i in range(10)}
    delivery.deliver(event(**enormous, total_tokens=7))
    delivery.deliver(event("id-2"))
    assert delivery.flush(soon())
    first, _ = sorted(server.events, key=lambda one: one["insert_id"])
    assert first["event_properties"]["total_tokens"] == 7
    assert "mine_0" not in first["event_properties"]
    assert max(server.sizes) < 1_000_000


@pytest.mark.parametrize("own", [False, True])
def test_a_wrong_api_key_is_found_out_at_once(server, own_client, delivery, counts, own, caplog):
    """Amplitude's SDK forgets such events without calling back; flush is False and does not wait for ever."""
    server.answers = [(400, {"error": "Invalid API key: a-key"})]
    delivery.deliver(event(), own_client if own else None)
    assert returns_within(15, lambda: delivery.flush(soon(30))) is False
    assert sum(number for name, number in counts.items() if name.startswith("dropped")) == 1


# What is sent --------------------------------------------------------------------------------------------------------


def test_long_answers_are_sent_whole_once(server, delivery):
    """Properties are cut at 1,024 characters by Amplitude, ``$llm_message.text`` is not. Ours stay as they are."""
    text = "ä" * 3000
    given = {"output_content": text, "input_content": text, "inner": {"text": text}}
    one = event(**given)
    delivery.deliver(one)
    delivery.deliver(event("id-2", "user_message", content="short"))
    delivery.deliver(event("id-3", "user_message", content=text))
    assert delivery.flush(soon())
    sent = {event["insert_id"]: event["event_properties"] for event in server.events}
    assert sent["id-1"]["$llm_message"] == {"text": text}
    assert [len(sent["id-1"][name]) for name in ("output_content", "input_content")] == [1024, 1024]
    assert sent["id-2"] == {"content": "short"}
    assert sent["id-3"]["$llm_message"] == {"text": text}
    assert one.properties == given


def test_a_value_that_cannot_be_sent_costs_nothing_but_itself(server, own_client, delivery):
    """NaN, a Decimal, a tuple, ``None`` in a list, also where a plugin puts them in after us."""

    class Careless(EventPlugin):
        def __init__(self):
            super().__init__(PluginType.ENRICHMENT)

        def execute(self, event):
            event.event_properties["added"] = {1, 2, 3}
            return event

    own_client.add(Careless())
    delivery.deliver(event(cost=decimal.Decimal("0.5"), bad=float("nan"), pair=(1, None), fine=1), own_client)
    assert delivery.flush(soon())
    assert server.events[0]["event_properties"] == {"cost": 0.5, "pair": [1], "fine": 1, "added": [1, 2, 3]}


def test_ids_amplitude_refuses_are_replaced(server, own_client, delivery, counts):
    """Short and reserved user ids go to a property; each such user keeps a device id of their own."""
    for i, user in enumerate(["bob", "eve", "bob", "unknown", "0000000", "user123"]):
        delivery.deliver(event(f"id-{i}", user_id=user), own_client)
    assert delivery.flush(soon())
    sent = sorted(server.events, key=lambda event: event["insert_id"])
    assert ["user_id" in event for event in sent] == [False] * 5 + [True]
    assert [event["event_properties"].get("user_id") for event in sent[:4]] == ["bob", "eve", "bob", "unknown"]
    devices = [event.get("device_id") for event in sent]
    assert devices[0] == devices[2]
    assert len(set(devices)) == 5
    assert counts["ids_replaced"] == 5


def test_the_local_store_keeps_ids_as_they_are(delivery, counts, tmp_path, monkeypatch):
    """Amplitude's rules are not the store's: a query for user 'bob' finds bob, and texts are whole."""
    monkeypatch.setenv("AMPLITUDE_AI_STORE", str(tmp_path / "events.db"))
    delivery.deliver(event(user_id="unknown", output_content="x" * 3000))
    delivery.deliver(event("id-2", user_id="bob"))
    assert delivery.flush(soon()) is True
    connection = sqlite3.connect(tmp_path / "events.db")
    found = connection.execute("SELECT user_id, length(output_content) FROM llm_message ORDER BY insert_id").fetchall()
    connection.close()
    assert dict(found) == {"unknown": 3000, "bob": None}
    assert counts == {"emitted": 2, "delivered": 2}


@pytest.mark.swallows
def test_an_event_that_cannot_be_made_is_told(delivery):
    """An error of our own loses that event only, and flush does not hide it."""
    client = Collector()
    delivery.deliver(Event("llm_message", 1, "broken", None), client)
    delivery.deliver(event("fine"), client)
    assert [made.insert_id for made in client.events] == ["fine"]
    assert delivery.flush(soon()) is False


def test_no_content_reaches_a_log(server, own_client, delivery, caplog):
    """Amplitude's SDK hands every sent event to its logger, and prints those whose plugins fail."""

    class Broken(EventPlugin):
        def __init__(self):
            super().__init__(PluginType.ENRICHMENT)

        def execute(self, event):
            raise ValueError("broken")

    own_client.add(Broken())
    with caplog.at_level(logging.DEBUG):
        delivery.deliver(event(output_content="the secret"))
        delivery.deliver(event(output_content="the secret"), own_client)
        assert delivery.flush(soon())
    assert caplog.records
    for record in caplog.records:
        assert "the secret" not in repr([str(value) for value in vars(record).values()])


# Other clients -------------------------------------------------------------------------------------------------------


def test_any_object_with_track_is_a_client(delivery, counts):
    """Tracked is delivered; it gets whole texts in an event of Amplitude's class."""
    client = Collector()
    delivery.deliver(event(content="x" * 3000), client)
    assert delivery.flush(soon(0)) is True
    (made,) = client.events
    assert isinstance(made, BaseEvent)
    assert made.event_properties == {"content": "x" * 3000}
    assert counts == {"emitted": 1, "delivered": 1}


def test_a_client_that_raises_costs_only_that_event(delivery, counts):
    """The loss is counted and flush says so; nothing reaches the worker."""

    class Faulty(Collector):
        def track(self, event):
            if event.insert_id == "bad":
                raise OSError("no")
            super().track(event)

    client = Faulty()
    for name in ("a-good", "bad", "b-good"):
        delivery.deliver(event(name), client)
    assert delivery.flush(soon()) is False
    assert [made.insert_id for made in client.events] == ["a-good", "b-good"]
    assert counts == {"emitted": 2, "delivered": 2, "dropped_track": 1}


def test_a_client_that_tracks_more_while_it_tracks(delivery):
    """A client that itself emits events does not meet its own lock: the new ones come after."""
    seen = []

    class Chatty:
        busy = False

        def track(self, made):
            assert not self.busy
            self.busy = True
            if made.insert_id == "first":
                delivery.deliver(event("second"), self)
            seen.append(made.insert_id)
            self.busy = False

    delivery.deliver(event("first"), Chatty())
    assert seen == ["first", "second"]


def test_flush_waits_for_a_clients_own_flush_but_not_for_ever(delivery):
    """A stand-in with ``flush`` has it called; one that hangs makes the answer False in time."""

    class Slow(Collector):
        seconds = 0.05

        def flush(self):
            time.sleep(self.seconds)
            self.flushed = True

    client = Slow()
    delivery.deliver(event(), client)
    assert delivery.flush(soon()) is True
    assert client.flushed
    client.seconds = 6
    assert returns_within(4, lambda: delivery.flush(soon(0.1))) is False


def test_a_filter_is_no_loss(own_client, delivery, counts):
    """A plugin that drops an event does what it is there for: counted, and nobody waits for an answer."""

    class Filter(EventPlugin):
        def __init__(self):
            super().__init__(PluginType.ENRICHMENT)

        def execute(self, event):
            return None

    own_client.add(Filter())
    delivery.deliver(event(), own_client)
    assert delivery.flush(soon()) is True
    assert counts == {"emitted": 1, "dropped_by_client": 1}


def test_a_destination_of_the_users_own_need_not_answer(own_client, server, delivery, counts):
    """Only destinations known to call back are waited for; others beside them change nothing."""

    class Kafka(DestinationPlugin):
        def __init__(self):
            super().__init__()
            self.seen = []

        def execute(self, event):
            self.seen.append(event.insert_id)

        def flush(self):
            pass

    kafka = Kafka()
    own_client.add(kafka)
    delivery.deliver(event("both"), own_client)
    assert delivery.flush(soon()) is True
    assert (server.ids(), kafka.seen) == (["both"], ["both"])
    assert counts == {"emitted": 1, "delivered": 1}


def test_events_that_wait_for_an_answer_are_bounded(server, delivery, counts, monkeypatch):
    """Amplitude's SDK keeps any number of events in memory; past the bound they are dropped and counted."""
    monkeypatch.setattr("amplitude_ai.delivery._delivery.MAX_PENDING", 5)
    server.gate.clear()
    for i in range(8):
        delivery.deliver(event(f"id-{i}"))
    server.gate.set()
    assert delivery.flush(soon()) is False
    assert counts == {"emitted": 5, "delivered": 5, "dropped_pending_full": 3}


# Forks and exits -----------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("own", [False, True])
def test_a_forked_child_delivers_its_own_events_and_only_those(server, own_client, delivery, own):
    """Threads stay in the parent, locks may come over locked: both processes deliver, each event once."""
    client = own_client if own else None
    delivery.deliver(event("warm-up"), client)
    assert delivery.flush(soon())
    delivery.deliver(event("parents"), client)  # buffered at the moment of the fork
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            delivery.after_fork()
            delivery.deliver(event("childs"), client)
            code = 0 if delivery.flush(soon()) else 2
        finally:
            os._exit(code)
    assert delivery.flush(soon()) is True
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sorted(server.ids()) == ["childs", "parents", "warm-up"]


@posix
def test_a_client_used_before_the_fork_works_when_first_seen_after_it(server, own_client):
    """Its owner tracked events of their own, then forked: its threads are missing in the child, and are made anew."""
    own_client.track(BaseEvent("own_event", user_id="user123"))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child = Delivery(lambda name: None)
            child.deliver(event("childs"), own_client)
            code = 0 if child.flush(soon()) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert server.ids() == ["childs"]


SCRIPT = """
import sys, time
from amplitude_ai import _ends
from amplitude_ai._runtime import runtime
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, Event, Scope
client = None
if sys.argv[1] == "own":
    from amplitude import Amplitude, BaseEvent, Config
    client = Amplitude("own-key", Config(server_url=sys.argv[2]))
    client.track(BaseEvent("own_event", user_id="user123", insert_id="own"))  # starts a thread that is no daemon
_ends.EXIT_SECONDS = float(sys.argv[3])
event = Event("llm_message", 1772409599500, "only", {}, Scope(Binding(client), "user123"))
runtime.emit_made(lambda runs: [event], client, AIConfig(), 0)
print(time.time(), flush=True)
"""


def run_script(way, url, exit_seconds=5.0, errors="", **env):
    """Run `SCRIPT`; seconds from its last line to its end."""
    command = [sys.executable, "-c", SCRIPT, way, url, str(exit_seconds)]
    env = {key: value for key, value in {**os.environ, **env}.items() if value is not None}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=30)
    ended = time.time()
    assert done.returncode == 0
    assert errors in done.stderr if errors else not done.stderr
    return ended - float(done.stdout)


@pytest.mark.parametrize("way", ["store", "key", "own"])
def test_a_script_of_one_event_loses_nothing_and_ends_at_once(server, tmp_path, way):
    """Within half a second of its last line, though Amplitude's SDK alone makes it wait for ten."""
    path = tmp_path / "events.db"
    key = "a-key" if way == "key" else None
    assert run_script(way, server.url, AMPLITUDE_API_KEY=key, AMPLITUDE_AI_STORE=str(path)) < 5  # ten without us
    if way == "store":
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT insert_id FROM llm_message").fetchall() == [("only",)]
        connection.close()
        assert server.events == []
    else:
        assert sorted(server.ids()) == (["only", "own"] if way == "own" else ["only"])


@pytest.mark.parametrize("way", ["key", "own"])
def test_a_server_that_is_away_holds_the_end_up_until_the_deadline(server, way):
    """Connections are refused: the process says that events were lost and ends, whatever waits to try again."""
    server.server.shutdown()
    server.server.server_close()
    seconds = run_script(way, server.url, exit_seconds=0.2, errors="were not acknowledged")
    assert seconds < 4  # 0.2 by design, and the time that a refused request takes on a busy machine


def test_events_that_amplitude_held_back_do_not_hold_the_end_up(server):
    """A throttled event waits for 30 seconds, and the thread of the user's client for ten: it gets one last chance."""
    server.answers = [(429, {"throttled_events": [0, 1]})] * 2
    seconds = run_script("own", server.url, exit_seconds=1, errors="were not acknowledged")
    assert seconds < 8  # one by design, ten or thirty without us; this machine may be busy
    assert "only" in server.ids()


def test_a_dead_server_delays_the_end_until_the_deadline_only(server, delivery, own_client, counts):
    """Events without an answer are abandoned and counted; a later flush does not wait for them again."""
    server.gate.clear()
    delivery.deliver(event("a"))
    delivery.deliver(event("b"), own_client)
    assert delivery.flush(soon(0.1)) is False
    delivery.prepare_exit(soon(0.1))
    returns_within(10, lambda: delivery.flush(soon(30)))
    assert counts["unacknowledged_at_exit"] == 2


def test_importing_the_delivery_loads_no_amplitude():
    """`import amplitude_ai` stays light: the SDK is loaded by the first event."""
    code = "import sys, amplitude_ai._runtime, amplitude_ai.delivery._delivery; assert 'amplitude' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_loss_is_logged_once_not_per_event(delivery, caplog):
    """A thousand refused events are one line and a counter."""

    class Faulty:
        def track(self, event):
            raise OSError("no")

    _guard.reset()
    client = Faulty()
    with caplog.at_level(logging.WARNING):
        for i in range(100):
            delivery.deliver(event(f"id-{i}"), client)
    assert len(caplog.records) == 1


# Much at once ---------------------------------------------------------------------------------------------------------


def wait_for(condition):
    deadline = soon(10)
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_several_requests_are_under_way_where_much_waits(server, delivery, counts, monkeypatch):
    """Amplitude's answers bound what is sent otherwise; each event is sent once, and little is sent by one thread."""
    monkeypatch.setattr(_sender, "BATCH_EVENTS", 10)
    server.gate.clear()
    for number in range(100):
        delivery.deliver(event(f"id-{number}"))
    assert wait_for(lambda: len(server.sizes) == _sender.REQUESTS)
    time.sleep(0.05)
    assert len(server.sizes) == _sender.REQUESTS
    server.gate.set()
    assert delivery.flush(soon())
    assert sorted(server.ids()) == sorted(f"id-{number}" for number in range(100))
    assert counts["delivered"] == 100
    sender = destinations_of(delivery._default)[0].workers
    assert wait_for(lambda: sender._helpers == 0)
    delivery.deliver(event("one-more"))
    assert delivery.flush(soon())
    assert len(server.sizes) == 11


def test_what_fails_is_tried_again_whichever_thread_sent_it(server, delivery, counts, monkeypatch):
    """Errors, resets and requests that are too large, three at a time: nothing is lost or acknowledged twice."""
    monkeypatch.setattr(_sender, "BATCH_EVENTS", 10)
    server.answers = [(500, {}), (None, {}), (413, {}), (429, {}), (503, {})]
    for number in range(100):
        delivery.deliver(event(f"id-{number}"))
    wait_for(lambda: delivery.flush(soon(1)))
    assert sorted(server.ids()) == sorted(f"id-{number}" for number in range(100))
    assert counts["delivered"] == 100


def test_amplitudes_own_endpoints_are_sent_gzip(server, delivery, counts, monkeypatch):
    """As its other SDKs do; a small body is not worth it, and another server may not know it."""
    delivery.deliver(event("elsewhere", output_content="text " * 1000))
    assert delivery.flush(soon())
    monkeypatch.setattr(_sender, "ZIPPING", frozenset({server.url}))
    delivery.deliver(event("small"))
    assert delivery.flush(soon())
    delivery.deliver(event("large", output_content="text " * 1000))
    assert delivery.flush(soon())
    assert server.encodings == [None, None, "gzip"]
    assert server.ids() == ["elsewhere", "small", "large"]
    assert server.sizes[2] < server.sizes[0] / 5


def test_where_gzip_is_refused_it_is_sent_plain(server, delivery, counts, monkeypatch):
    """A proxy in between may not know it: nothing is lost, and it is not tried again."""
    monkeypatch.setattr(_sender, "ZIPPING", frozenset({server.url}))
    server.answers = [(415, {"error": "Unsupported Media Type"})]
    for number in range(2):
        delivery.deliver(event(f"id-{number}", output_content="text " * 1000))
        assert delivery.flush(soon())
    assert server.encodings == ["gzip", None, None]
    assert counts["delivered"] == 2


def test_gzip_is_meant_for_all_of_amplitudes_endpoints():
    """Both zones, plain and batch."""
    hosts, paths = ("api2.amplitude.com", "api.eu.amplitude.com"), ("batch", "2/httpapi")
    assert {f"https://{host}/{path}" for host in hosts for path in paths} == _sender.ZIPPING
