"""What the application can reach stays its own: to read, set, iterate, pickle, copy, mount and patch."""

import copy
import inspect
import io
import os
import pickle
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import amplitude
import httpx
import httpx2
import pytest
import requests
import urllib3
from amplitude.constants import PluginType

import amplitude_ai
from amplitude_ai.testing import EventList

from .bare_server import ANSWER, PATH
from .filed import Filed

wrapt = pytest.importorskip("wrapt")

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
ROOT = str(Path(__file__).parents[1])


def only(events):
    """The one record."""
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    return record


READS = {
    "copyfileobj": lambda raw: _copied(raw),
    "lines": lambda raw: b"".join(raw),
    "readlines": lambda raw: b"".join(raw.readlines()),
    "next": lambda raw: b"".join(iter(lambda: next(raw, b""), b"")),
    "read": lambda raw: raw.read(),
    "read1": lambda raw: b"".join(iter(lambda: raw.read1(7), b"")),
    "read_chunked": lambda raw: b"".join(raw.read_chunked(9, decode_content=True)) if raw.chunked else raw.read(),
    "stream": lambda raw: b"".join(raw.stream(11, decode_content=True)),
}


def _copied(raw):
    target = io.BytesIO()
    shutil.copyfileobj(raw, target)
    return target.getvalue()


@pytest.mark.parametrize("path", [PATH, "/x/v1/chat/completions"], ids=["chunked", "length"])
@pytest.mark.parametrize("read", READS)
def test_raw_is_urllib3s_own(bare_server, events, read, path):
    """``decode_content`` arrives, every way of reading gives what it gave, and the call is one record."""
    response = requests.post(bare_server.url + path, json=ASKED, stream=True)
    assert type(response.raw) is urllib3.response.HTTPResponse
    response.raw.decode_content = True
    assert READS[read](response.raw) == ANSWER
    assert (only(events)["input_tokens"], only(events)["success"]) == (3, True)


def test_adapters_stay_the_users(events):
    """The session gives out the adapter that was mounted, and later mounts are used."""
    session = requests.Session()
    mine = requests.adapters.HTTPAdapter()
    session.mount("http://", mine)
    assert session.get_adapter("http://x/v1/chat/completions") is mine


def test_watched_sessions_travel(bare_server):
    """A session that is watched by hand pickles and copies, what is set on its adapters arrives, and the copy works."""
    events = EventList()
    session = amplitude_ai.instrumented_requests(amplitude_client=events)
    session.get_adapter(bare_server.url).max_retries = 7
    for twin in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session)):
        assert twin.get_adapter(bare_server.url).max_retries == 7
        assert twin.post(bare_server.url + PATH, json=ASKED).content == ANSWER


def test_a_custom_adapter_with_a_file(events):
    """An adapter whose ``raw`` is a plain file is read as it was."""

    session = requests.Session()
    session.mount("mock://", Filed(ANSWER))
    response = session.post("mock://api.openai.com/v1/chat/completions", json=ASKED)
    assert response.content == ANSWER
    assert only(events)["input_tokens"] == 3


def test_a_hand_made_status(events):
    """A mock's response whose status is no number breaks nothing of ours, and the call is one record."""

    class Odd(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.raw, response.url, response.request = "200", io.BytesIO(ANSWER), "x", request
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("mock://", Odd())
    assert session.post("mock://api.openai.com/v1/chat/completions", json=ASKED).content == ANSWER
    assert only(events)["input_tokens"] == 3


def test_wrappers_of_others_are_called_as_they_were(bare_server):
    """OpenTelemetry, ddtrace and Elastic put wrapt's descriptors on a class; these came before us."""
    seen = []

    def note(wrapped, instance, args, kwargs):
        seen.append(instance.host)
        return wrapped(*args, **kwargs)

    original = vars(urllib3.HTTPConnectionPool)["urlopen"]
    wrapt.wrap_function_wrapper(urllib3.HTTPConnectionPool, "urlopen", note)
    theirs = vars(urllib3.HTTPConnectionPool)["urlopen"]
    try:
        events = EventList()
        amplitude_ai.install_transport(amplitude_client=events)
        assert urllib3.request("POST", bare_server.url + "/other", body=b"x").status == 200
        assert requests.post(bare_server.url + PATH, json=ASKED).content == ANSWER
        amplitude_ai.uninstall_transport()
        assert vars(urllib3.HTTPConnectionPool)["urlopen"] is theirs
    finally:
        amplitude_ai.uninstall_transport()
        urllib3.HTTPConnectionPool.urlopen = original
    assert seen == ["127.0.0.1", "127.0.0.1"]
    assert only(events)["success"] is True


def test_wrappers_that_came_after_us_stay_when_we_go(bare_server):
    """They say that they are what they are around: ours."""
    seen = []

    def note(wrapped, instance, args, kwargs):
        seen.append(instance.host)
        return wrapped(*args, **kwargs)

    events = EventList()
    original = vars(urllib3.HTTPConnectionPool)["urlopen"]
    try:
        amplitude_ai.install_transport(amplitude_client=events)
        wrapt.wrap_function_wrapper(urllib3.HTTPConnectionPool, "urlopen", note)
        theirs = vars(urllib3.HTTPConnectionPool)["urlopen"]
        for _ in range(2):
            amplitude_ai.uninstall_transport()
            assert vars(urllib3.HTTPConnectionPool)["urlopen"] is theirs
            assert urllib3.request("POST", bare_server.url + PATH, json=ASKED).data == ANSWER
            amplitude_ai.install_transport(amplitude_client=events)
            assert urllib3.request("POST", bare_server.url + PATH, json=ASKED).data == ANSWER
            amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
        urllib3.HTTPConnectionPool.urlopen = original
    assert len(seen) == 4
    assert len(events.of_type("llm_message")) == 2


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_methods_keep_their_colour(library, events):
    """A coroutine function stays one, with its name and signature."""
    for name in ("aclose", "__aexit__", "_send_single_request"):
        method = getattr(library.AsyncClient, name)
        assert inspect.iscoroutinefunction(method)
        assert method.__name__ == name
    assert not inspect.iscoroutinefunction(library.Client.close)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_transports_stay_the_users(library, events):
    """The client picks the transport it was given; its response's stream is of the library's class."""
    mine = library.MockTransport(lambda request: library.Response(200, content=ANSWER))
    with library.Client(transport=mine) as client:
        url = library.URL("https://api.openai.com/v1/chat/completions")
        assert client._transport_for_url(url) is mine
        assert client.post(url, json=ASKED).content == ANSWER
    assert only(events)["input_tokens"] == 3


def test_attributes_of_a_wrapped_transport_arrive():
    """What is set on the transport of a client that is watched by hand arrives at the user's own."""
    mine = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    client = amplitude_ai.instrumented_httpx(transport=mine, amplitude_client=EventList())
    client._transport.budget = 5
    assert mine.budget == 5


def test_a_client_without_hash_closes(events):
    """Its calls are recorded, and it closes."""

    class Unhashable(httpx2.Client):
        def __eq__(self, other):
            return self is other

        __hash__ = None

    mine = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    with Unhashable(transport=mine) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
    assert only(events)["input_tokens"] == 3


SENDERS = {
    "requests": lambda url, headers: requests.post(url, headers=headers, data=b"x"),
    "httpx2": lambda url, headers: httpx2.post(url, headers=headers, content=b"x"),
    "httpx": lambda url, headers: httpx.post(url, headers=headers, content=b"x"),
    "urllib3": lambda url, headers: urllib3.request("POST", url, headers=headers, body=b"x"),
    "http.client": lambda url, headers: urllib.request.urlopen(urllib.request.Request(url, b"x", headers)).read(),
}


@pytest.mark.parametrize("send", SENDERS)
def test_no_header_of_ours_reaches_a_server_that_is_not_watched(bare_server, events, send):
    """They are for us, wherever the call goes."""
    SENDERS[send](bare_server.url + "/search", {"X-Amplitude-User-Id": "ann", "X-Own": "1"})
    names = [name.lower() for name, _ in bare_server.got[0]]
    assert "x-own" in names
    assert not [name for name in names if name.startswith("x-amplitude")]


def test_repeated_headers_stay_repeated(bare_server, events):
    """Taking ours away leaves the others as they were."""
    headers = urllib3.HTTPHeaderDict({"X-Amplitude-User-Id": "ann"})
    headers.add("X-Tag", "one")
    headers.add("X-Tag", "two")
    urllib3.request("POST", bare_server.url + PATH, headers=headers, json=ASKED)
    sent = [(name, value) for name, value in bare_server.got[0] if name.lower().startswith("x-")]
    assert [value for name, value in sent if name == "X-Tag"] in (["one", "two"], ["one, two"])
    assert not [name for name, _ in sent if name.lower().startswith("x-amplitude")]


@pytest.mark.swallows
def test_the_worker_outlives_system_exit():
    """What the user's own code raises on it is counted; the next call is recorded. What that code asks is not."""
    calls = []
    mine = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    plain = httpx2.Client(transport=mine)

    def redact(text):
        calls.append(text)
        plain.post("https://api.openai.com/v1/chat/completions", json=ASKED)
        if len(calls) == 1:
            raise SystemExit(3)
        return text

    events = EventList()
    config = amplitude_ai.AIConfig(redact=redact)
    amplitude_ai.install_transport(amplitude_client=events, ai_config=config)
    try:
        with httpx2.Client(transport=mine) as client:
            for _ in range(3):
                client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
                amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
    assert 2 <= len(events.of_type("llm_message")) <= 3


def test_an_empty_list_is_a_client():
    """A stand-in that is false is still the one that was given."""

    class Listed(list):
        def track(self, event):
            self.append(event)

    mine = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    events = Listed()
    with amplitude_ai.instrumented_httpx(transport=mine, amplitude_client=events) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
    assert amplitude_ai.flush()
    assert [event.event_type for event in events].count("llm_message") == 1


@pytest.mark.parametrize("kind", ["amplitude", "own"])
def test_flushing_the_client_flushes_us_first(tmp_path, kind):
    """As the specification's troubleshooting says; the client is tied once, pickles, copies and dies as before."""
    client = Own()
    if kind == "amplitude":
        client = amplitude.Amplitude("key", amplitude.Config(flush_interval_millis=60_000))
        for destination in list(client._Amplitude__timeline.plugins[PluginType.DESTINATION]):
            client.remove(destination)
        client.add(Destination())
    answer = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    for _ in range(2):
        with amplitude_ai.instrumented_httpx(transport=answer, amplitude_client=client) as http:
            http.post("https://api.openai.com" + PATH, json=ASKED)
    client.flush()
    assert [event.event_type for event in SEEN].count("llm_message") == 2
    assert SEEN[-1] == "flushed"
    if kind == "own":
        for twin in (pickle.loads(pickle.dumps(client)), copy.deepcopy(client)):
            SEEN.clear()
            twin.flush()
            assert SEEN == ["flushed"]
    assert amplitude_ai.flush()


class Flushed(str):
    event_type = None


SEEN = []


class Own:
    """A client of a user's own, which pickles."""

    def track(self, event):
        SEEN.append(event)

    def flush(self):
        SEEN.append(Flushed("flushed"))


class Destination(amplitude.DestinationPlugin):
    """A destination of a user's own."""

    def execute(self, event):
        SEEN.append(event)
        return event

    def flush(self):
        SEEN.append(Flushed("flushed"))


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


IMPORTS = """
import sys, types, importlib.machinery, importlib.abc, importlib.util
import amplitude_ai
from amplitude_ai.instrumentation import install
amplitude_ai.install_transport()
way = sys.argv[1]

class ReadOnly(importlib.abc.Loader):
    __slots__ = ("inner",)
    def __init__(self, inner): object.__setattr__(self, "inner", inner)
    def create_module(self, spec): return self.inner.create_module(spec)
    def exec_module(self, module): return self.inner.exec_module(module)
    def __setattr__(self, name, value): raise AttributeError("read-only")

class Foreign(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "requests": return None
        if way == "asks all finders":
            if getattr(self, "busy", False): return None
            self.busy = True
            try: return importlib.util.find_spec(name)
            finally: self.busy = False
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = ReadOnly(spec.loader)
        return spec

if way == "zip":
    import zipfile, os
    home = os.path.dirname(importlib.util.find_spec("requests").origin)
    with zipfile.ZipFile(sys.argv[2], "w") as packed:
        for name in os.listdir(home):
            if name.endswith(".py"): packed.write(os.path.join(home, name), "requests/" + name)
    sys.path.insert(0, sys.argv[2])
else:
    sys.meta_path.insert(len(sys.meta_path) if way == "last" else 0, Foreign())
import requests
import colorsys  # a finder in front of ours found requests: told with the next import
assert requests.Session.send.__wrapped__, "not hooked"
assert type(requests.__spec__.loader).__module__ != "amplitude_ai.instrumentation._imports"
assert requests.__loader__ is requests.__spec__.loader
assert "exec_module" not in getattr(requests.__loader__, "__dict__", {})
amplitude_ai.uninstall_transport()
assert not hasattr(requests.Session.send, "__wrapped__")
assert not [each for each in sys.meta_path if "amplitude" in type(each).__module__]
"""


@pytest.mark.parametrize("way", ["read-only", "asks all finders", "last", "zip"])
def test_libraries_imported_later_keep_their_loaders(tmp_path, way):
    """Whoever loads a module (a zip, a read-only loader, a finder that asks the others) loads it as before."""
    arguments = [sys.executable, "-W", "error", "-c", IMPORTS, way, str(tmp_path / "packed.zip")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=os.environ | {"PYTHONPATH": ROOT})
    assert done.returncode == 0, done.stderr


def test_a_mounted_adapter_is_watched_whenever_it_is_mounted(bare_server):
    """``session.mount`` after ``instrumented_requests``: the adapter stays the user's own; its calls are recorded."""
    events = EventList()
    session = amplitude_ai.instrumented_requests(amplitude_client=events)
    mine = requests.adapters.HTTPAdapter(max_retries=3)
    session.mount("http://", mine)
    session.post(bare_server.url + PATH, json=ASKED)
    assert session.get_adapter(bare_server.url) is mine
    assert only(events)["input_tokens"] == 3


MANY_CLIENTS = """
import threading, time
hooks, register = [], threading._register_atexit
threading._register_atexit = lambda hook, *args, **kwargs: (hooks.append(repr(hook)), register(hook, *args, **kwargs))
import httpx2, amplitude_ai
from amplitude_ai import _ends
class Hanging:
    def track(self, event): pass
    def flush(self): time.sleep(60)
answer = httpx2.MockTransport(lambda request: httpx2.Response(200, json={}))
for number in range(4):
    client = amplitude_ai.instrumented_httpx(transport=answer, amplitude_client=Hanging())
    client.post("https://api.openai.com/v1/chat/completions", json={"model": "m", "messages": []})
began = time.perf_counter()
amplitude_ai.flush(0.1)
_ends.EXIT_SECONDS = 1.0
assert len([hook for hook in hooks if "at_exit" in hook]) == 1, hooks
import atexit
atexit._run_exitfuncs()
threading._shutdown()
print(time.perf_counter() - began)
"""


def test_clients_that_hang_share_one_deadline_at_the_end():
    """Four clients whose ``flush()`` hangs: one exit hook, and the end takes the deadline once, not once for each."""
    arguments = [sys.executable, "-c", MANY_CLIENTS]
    env = os.environ | {"PYTHONPATH": ROOT}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 3 * 1.0  # by design 0.1 + 1.0 and the last 0.2 seconds; 5 for every client before
