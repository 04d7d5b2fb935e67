"""What the application can reach stays its own: to read, set, iterate, pickle, copy, mount and patch."""

import copy
import gzip
import inspect
import io
import pickle
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import httpx2
import pytest
import requests
import urllib3

import amplitude_ai
from amplitude_ai.testing import EventList

wrapt = pytest.importorskip("wrapt")

ANSWER = (
    b'{"model": "gpt-4o",\n"choices": [{"message": {"role": "assistant", "content": "Hi"}}],\n'
    b'"usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}\n'
)
ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
PATH = "/v1/chat/completions"


class Handler(BaseHTTPRequestHandler):
    """Answers with gzip when it is taken; says which headers came."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(self.headers.items())
        body = gzip.compress(ANSWER)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-encoding", "gzip")
        if self.path == PATH:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 40):
                part = body[at : at + 40]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """A server that compresses."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.got = []
    running.url = f"http://127.0.0.1:{running.server_port}"
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()


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
def test_raw_is_urllib3s_own(server, events, read, path):
    """``decode_content`` arrives, every way of reading gives what it gave, and the call is one record."""
    response = requests.post(server.url + path, json=ASKED, stream=True)
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


def test_watched_sessions_travel(server):
    """A session that is watched by hand pickles and copies, what is set on its adapters arrives, and the copy works."""
    events = EventList()
    session = amplitude_ai.instrumented_requests(amplitude_client=events)
    session.get_adapter(server.url).max_retries = 7
    for twin in (pickle.loads(pickle.dumps(session)), copy.deepcopy(session)):
        assert twin.get_adapter(server.url).max_retries == 7
        assert twin.post(server.url + PATH, json=ASKED).content == ANSWER


def test_a_custom_adapter_with_a_file(events):
    """An adapter whose ``raw`` is a plain file is read as it was."""

    class Filed(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.raw, response.url, response.request = 200, io.BytesIO(ANSWER), "x", request
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("mock://", Filed())
    response = session.post("mock://api.openai.com/v1/chat/completions", json=ASKED)
    assert response.content == ANSWER
    assert only(events)["input_tokens"] == 3


def test_wrappers_of_others_are_called_as_they_were(server):
    """OpenTelemetry, ddtrace and Elastic put wrapt's descriptors on a class: before us and after us, in any order."""
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
        assert urllib3.request("POST", server.url + "/other", body=b"x").status == 200
        assert requests.post(server.url + PATH, json=ASKED).content == ANSWER
        amplitude_ai.uninstall_transport()
        assert vars(urllib3.HTTPConnectionPool)["urlopen"] is theirs
    finally:
        amplitude_ai.uninstall_transport()
        urllib3.HTTPConnectionPool.urlopen = original
    assert seen == ["127.0.0.1", "127.0.0.1"]
    assert only(events)["success"] is True


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


@pytest.mark.parametrize("send", ["requests", "httpx2", "httpx"])
def test_no_header_of_ours_reaches_a_server_that_is_not_watched(server, events, send):
    """They are for us, wherever the call goes."""
    post = {"requests": requests.post, "httpx2": httpx2.post, "httpx": httpx.post}[send]
    post(server.url + "/search", headers={"X-Amplitude-User-Id": "ann"}, content=b"x") if send != "requests" else post(
        server.url + "/search", headers={"X-Amplitude-User-Id": "ann"}, data=b"x"
    )
    assert not [name for name, _ in server.got[0] if name.lower().startswith("x-amplitude")]


def test_repeated_headers_stay_repeated(server, events):
    """Taking ours away leaves the others as they were."""
    headers = urllib3.HTTPHeaderDict({"X-Amplitude-User-Id": "ann"})
    headers.add("X-Tag", "one")
    headers.add("X-Tag", "two")
    urllib3.request("POST", server.url + PATH, headers=headers, json=ASKED)
    sent = [(name, value) for name, value in server.got[0] if name.lower().startswith("x-")]
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
