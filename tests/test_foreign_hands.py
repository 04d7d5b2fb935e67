"""What others choose, or put on an object of a library, is theirs: asked once, called, copied without us."""

import copy
import functools
import http.server
import io
import pickle
import threading
from unittest import mock

import aiohttp
import httpx
import httpx2
import pytest
import requests

import amplitude_ai
from amplitude_ai.testing import EventList

from .bare_server import ANSWER, PATH
from .filed import Filed

ASKED = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}


def only(events):
    """The one record."""
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    return record


def test_a_session_that_takes_turns_is_asked_once(bare_server, events):
    """A session whose adapters rotate (a pool of proxies) loses no turn."""
    asked = []

    class Turns(requests.Session):
        def get_adapter(self, url):
            asked.append(url)
            return super().get_adapter(url)

    with Turns() as session:
        assert session.post(bare_server.url + PATH, json=ASKED).content == ANSWER
    assert len(asked) == 1
    assert only(events)["input_tokens"] == 3


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_client_that_takes_turns_is_asked_once(bare_server, events, library):
    """The same for a client's transports."""
    asked = []

    class Turns(library.Client):
        def _transport_for_url(self, url):
            asked.append(url)
            return super()._transport_for_url(url)

    with Turns() as client:
        assert client.post(bare_server.url + PATH, json=ASKED).content == ANSWER
    assert len(asked) == 1
    assert only(events)["input_tokens"] == 3


class Marking(requests.adapters.HTTPAdapter):
    """Puts its own methods on a response, as CacheControl does to know when a chunked body ends."""

    def send(self, request, *args, **kwargs):
        response = super().send(request, *args, **kwargs)
        raw = response.raw
        self.seen = []

        def marked(name, *args, **kwargs):
            self.seen.append(name)
            return getattr(type(raw), name)(raw, *args, **kwargs)

        for name in ("_raw_read", "_handle_chunk", "_update_chunk_length", "close"):
            setattr(raw, name, functools.partial(marked, name))
        return response


@pytest.mark.parametrize(
    ("path", "called"),
    [(PATH, {"_update_chunk_length", "_handle_chunk"}), ("/x" + PATH, {"_raw_read"})],
    ids=["chunked", "length"],
)
def test_what_another_put_on_a_response_is_called(bare_server, events, path, called):
    """A method that somebody else put on one response is called as it would be without us."""
    adapter = Marking()
    with requests.Session() as session:
        session.mount("http://", adapter)
        response = session.post(bare_server.url + path, json=ASKED)
        response.raw.close()
    assert response.content == ANSWER
    assert called | {"close"} <= set(adapter.seen)
    assert only(events)["input_tokens"] == 3


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda raw: pickle.loads(pickle.dumps(raw))])
def test_a_file_that_is_a_body_is_copied(events, copied):
    """A file that an adapter gave as a body pickles and copies as it would without us."""

    session = requests.Session()
    session.mount("mock://", Filed(ANSWER))
    response = session.post("mock://api.openai.com/v1/chat/completions", json=ASKED, stream=True)
    again = copied(response.raw)
    assert type(again) is io.BytesIO
    assert again.read() == ANSWER


async def test_a_reader_is_set_and_shown_as_itself(bare_server, events):
    """What is set on aiohttp's reader arrives there, and it shows itself as it is."""
    async with aiohttp.ClientSession() as session, session.post(bare_server.url + PATH, json=ASKED) as response:
        assert repr(response.content).startswith("<StreamReader")
        response.content._low_water = 7
        assert response.content._content._low_water == 7
        with pytest.raises(AttributeError):
            response.content.no_such_slot = 1
        assert await response.read() == ANSWER
    assert only(events)["input_tokens"] == 3


def test_a_body_that_is_no_bytes_is_a_call_all_the_same(events):
    """A custom transport that yields text: the library says so, and the call is recorded with its error."""

    class Texts(httpx.SyncByteStream):
        def __iter__(self):
            yield "text"

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Texts()))
    with pytest.raises(TypeError), httpx.Client(transport=transport) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASKED)
    assert only(events)["http_status"] == 200
    assert amplitude_ai.stats()["odd_chunks"] == 1


def test_a_mocked_adapter_is_a_call_all_the_same(events):
    """What a mock answers is made of mocks."""
    answer = mock.MagicMock(is_redirect=False, history=[])
    with mock.patch("requests.adapters.HTTPAdapter.send", return_value=answer):
        assert requests.post("https://api.openai.com/v1/chat/completions", json=ASKED) is answer
    assert "http_status" not in only(events)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_request_that_is_sent_again_is_the_same_persons(by_hand):
    """A redirect is a copy without our headers, a prepared request may be sent twice: both keep whose they are."""
    events = EventList()
    answers = iter([307, 200, 200])

    class Redirecting(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code, response.url, response.request = next(answers), request.url, request
            response.raw = io.BytesIO(ANSWER)
            if response.status_code == 307:
                response.headers["location"] = request.url + "?again=1"
            return response

        def close(self):
            pass

    session = requests.Session()
    session.mount("https://", Redirecting())
    if by_hand:
        amplitude_ai.instrument(session, amplitude_client=events)
    else:
        amplitude_ai.install_transport(amplitude_client=events)
    try:
        request = requests.Request(
            "POST", "https://api.openai.com/v1/chat/completions", json=ASKED, headers={"X-Amplitude-User-Id": "ann"}
        )
        prepared = session.prepare_request(request)
        assert [session.send(prepared).status_code for _ in range(2)] == [200, 200]
        amplitude_ai.flush()
    finally:
        amplitude_ai.uninstall_transport()
    assert [event.user_id for event in events.events if event.event_type == "llm_message"] == ["ann", "ann"]


class Digest(http.server.BaseHTTPRequestHandler):
    """Asks for a digest, and answers who has one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(dict(self.headers))
        known = self.headers.get("authorization", "").startswith("Digest ")
        body = ANSWER if known else b'{"error": {"message": "Who?", "type": "authentication_error"}}'
        self.send_response(200 if known else 401)
        if not known:
            self.send_header("www-authenticate", 'Digest realm="llm", nonce="1", qop="auth"')
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def digest_server():
    """A server that wants HTTP digest authentication."""
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Digest)
    running.got = []
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("way", ["by hand", "hooked", "both"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_second_try_that_goes_past_the_session(digest_server, way, stream):
    """HTTPDigestAuth sends again by the response's connection: the same call's next attempt; nothing of ours stays."""
    events = EventList()
    if way != "by hand":
        amplitude_ai.install_transport(amplitude_client=events)
    session = requests.Session() if way == "hooked" else amplitude_ai.instrumented_requests(amplitude_client=events)
    own = requests.Session.get_adapter(session, "http://")
    seen = []
    try:
        answer = session.post(
            f"http://127.0.0.1:{digest_server.server_port}{PATH}",
            json=ASKED,
            auth=requests.auth.HTTPDigestAuth("ann", "secret"),
            headers={"X-Amplitude-User-Id": "robert"},
            stream=stream,
            hooks={"response": lambda response, **_: seen.append(response.status_code)},
        )
        assert answer.content == ANSWER
        assert answer.connection is own
        assert answer.history[0].connection is own
    finally:
        amplitude_ai.uninstall_transport()
    assert amplitude_ai.flush()
    first, second = events.of_type("llm_message")
    assert [one["http_status"] for one in (first, second)] == [401, 200]
    assert [one["attempt"] for one in (first, second)] == [0, 1]
    assert first["session_id"] == second["session_id"]
    assert {event.user_id for event in events.events} == {"robert"}
    assert not [name for got in digest_server.got for name in got if name.lower().startswith("x-amplitude")]


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_watching_transport_is_the_transport(library):
    """``isinstance`` answers, and a copy is made, as without us."""

    class Own(library.MockTransport):
        pass

    client = library.Client(transport=Own(lambda request: library.Response(200)))
    amplitude_ai.instrument(client, amplitude_client=EventList())
    assert isinstance(client._transport, Own)
    assert isinstance(client._transport, library.BaseTransport)
    assert type(copy.copy(client._transport)) is Own
    with library.Client() as plain:
        amplitude_ai.instrument(plain, amplitude_client=EventList())
        assert isinstance(plain._transport, library.HTTPTransport)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_a_stream_that_is_copied_half_way(library, copied):
    """The copy is the library's own stream; what is read by it, and its end, is not the call's."""
    answer = ANSWER + b" " * 70_000

    class Pieces(library.SyncByteStream):
        def __iter__(self):
            yield from (answer[:40], answer[40:])

    events = EventList()
    client = amplitude_ai.instrumented_httpx(
        library.__name__,
        transport=library.MockTransport(lambda request: library.Response(200, stream=Pieces())),
        amplitude_client=events,
    )
    with client.stream("POST", "https://api.openai.com" + PATH, json=ASKED) as response:
        pieces = response.iter_raw()
        assert next(pieces) == answer[:40]
        again = copied(response.stream._stream)
        assert type(again) is Pieces
        assert b"".join(again) == answer
        del again
        assert b"".join(pieces) == answer[40:]
    record = only(events)
    assert (record["input_tokens"], record.get("stream_aborted", False)) == (3, False)
