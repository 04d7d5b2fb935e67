"""The standard library's ``http.client``, and what sends by it: each call once, everything else as it was."""

import copy
import http.client
import io
import json
import pickle
import re
import socket
import threading
import urllib.error
import urllib.request
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httplib2
import pytest
import requests
import urllib3
import vcr

import amplitude_ai
from amplitude_ai.testing import EventList

from .bare_server import PATH

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}]}
BODY = json.dumps(ASKED).encode()
STREAM = json.dumps({**ASKED, "stream": True, "stream_options": {"include_usage": True}}).encode()
JSON = {"Content-Type": "application/json"}
VOLATILE = re.compile(rb'"(id|created|system_fingerprint)": ?("[^"]*"|\d+)')


def told(events):
    """The records."""
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


def agree(record, received):
    """A record has the tokens the server told."""
    assert (record["input_tokens"], record["output_tokens"]) == (received.told.input, received.told.output)
    assert record["success"] is True


def said(body):
    """What an answer says, plain or streamed."""
    if body.startswith(b"{"):
        return json.loads(body)["choices"][0]["message"]["content"]
    frames = [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]
    return "".join(choice["delta"].get("content") or "" for frame in frames for choice in frame["choices"])


def connect(url):
    """A connection to a server."""
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)


def into(response):
    """By ``readinto``."""
    buffer, body = bytearray(50), b""
    while size := response.readinto(buffer):
        body += buffer[:size]
    return body


READ = {
    "read": lambda response: response.read(),
    "pieces": lambda response: b"".join(iter(lambda: response.read(50), b"")),
    "read1": lambda response: b"".join(iter(lambda: response.read1(50), b"")),
    "readline": lambda response: b"".join(iter(response.readline, b"")),
    "readlines": lambda response: b"".join(response.readlines()),
    "lines": lambda response: b"".join(response),
    "next": lambda response: b"".join(iter(lambda: next(response, b""), b"")),
    "readinto": into,
    "peeked": lambda response: response.peek(5)[:0] + response.read(),
    "reader": lambda response: io.BufferedReader(response, 64).read(),
    "text": lambda response: io.TextIOWrapper(response, "utf-8", newline="").read().encode(),
}


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["length", "chunked"])
@pytest.mark.parametrize("way", READ)
def test_every_way_of_reading(simulator, events, way, body):
    """The same bytes as from an unwatched connection, and one record; the response has nothing of ours afterwards."""
    bodies = []
    for _ in range(2):
        connection = connect(simulator.url)
        connection.request("POST", PATH, body, JSON)
        response = connection.getresponse()
        assert type(response) is http.client.HTTPResponse
        bodies.append(READ[way](response))
        assert not {"read", "read1", "readinto", "readline", "close"} & vars(response).keys()
        assert response.read() == b""
        connection.close()
        amplitude_ai.uninstall_transport()
    assert VOLATILE.sub(b"", bodies[0]) == VOLATILE.sub(b"", bodies[1])
    (record,) = told(events)
    agree(record, simulator.requests()[0])
    assert record["is_streaming"] is (body is STREAM)
    assert record["output_content"] == said(bodies[0])


def by_hand(connection, *parts):
    """A request that is built step by step."""
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(BODY)))
    connection.endheaders(*parts[:1])
    for part in parts[1:]:
        connection.send(part)


def chunked(connection):
    """Chunks whose framing is the application's."""
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for part in (BODY[:20], BODY[20:]):
        connection.send(b"%x;more\r\n%s\r\n" % (len(part), part))
    connection.send(b"0\r\n\r\n")


SENT = {
    "bytes": lambda connection: connection.request("POST", PATH, BODY, JSON),
    "bytearray": lambda connection: connection.request("POST", PATH, bytearray(BODY), JSON),
    "str": lambda connection: connection.request("POST", PATH, BODY.decode(), JSON),
    "file": lambda connection: connection.request(
        "POST", PATH, io.BytesIO(BODY), {**JSON, "Content-Length": str(len(BODY))}
    ),
    "text file": lambda connection: connection.request("POST", PATH, io.StringIO(BODY.decode()), JSON),
    "file, chunked": lambda connection: connection.request("POST", PATH, io.BytesIO(BODY), JSON),
    "iterable": lambda connection: connection.request("POST", PATH, [BODY[:9], BODY[9:]], JSON),
    "generator": lambda connection: connection.request("POST", PATH, iter([BODY[:9], BODY[9:]]), JSON),
    "by hand": lambda connection: by_hand(connection, BODY),
    "by hand, sent": lambda connection: by_hand(connection, None, BODY[:9], BODY[9:]),
    "by hand, a file": lambda connection: by_hand(connection, None, io.BytesIO(BODY)),
    "by hand, a text file": lambda connection: by_hand(connection, None, io.StringIO(BODY.decode())),
    "by hand, an iterable": lambda connection: by_hand(connection, None, [BODY[:9], BODY[9:]]),
    "by hand, chunked": chunked,
}


@pytest.mark.parametrize("way", SENT)
def test_every_way_of_sending(simulator, events, way):
    """The server gets the body, and the record has what was asked; the connection has nothing of ours afterwards."""
    connection = connect(simulator.url)
    before = set(vars(connection))
    SENT[way](connection)
    with closing(connection.getresponse()) as response:
        assert json.loads(response.read())["choices"]
    assert set(vars(connection)) == before
    connection.close()
    (received,) = simulator.requests()
    assert json.loads(received.body) == ASKED
    (record,) = told(events)
    agree(record, received)
    assert record["requested_model"] == "gpt-4o-mini"
    assert [event.event_properties["content"] for event in events.events if event.event_type == "user_message"] == [
        "Hello there"
    ]


def test_one_connection_for_many(simulator, events):
    """A connection that is kept alive: each call is a record, and all belong to one run."""
    connection = connect(simulator.url)
    for _ in range(3):
        connection.request("POST", PATH, BODY, JSON)
        connection.getresponse().read()
        connection.request("GET", "/v1/models")
        connection.getresponse().read()
    connection.close()
    records = told(events)
    assert len(records) == 3
    assert len({record["session_id"] for record in records}) == 1


def test_our_headers_stay_here(bare_server, events):
    """They say whose a call is, and reach no server, watched or not; others stay, repeated ones too."""
    connection = connect(bare_server.url)
    for path in (PATH, "/other"):
        connection.putrequest("POST", path)
        for name, value in (("X-Own", "1"), ("X-AMPLITUDE-USER-ID", "robert"), ("X-Own", "2"), ("Content-Length", "2")):
            connection.putheader(name, value)
        connection.endheaders(b"{}")
        connection.getresponse().read()
    connection.close()
    for got in bare_server.got:
        assert [pair for pair in got if pair[0].lower().startswith("x-")] == [("X-Own", "1"), ("X-Own", "2")]
    amplitude_ai.flush()
    assert {event.user_id for event in events.events} == {"robert"}


def test_urllib_request(simulator, events):
    """urllib.request: a plain call, a stream read by lines, an error, whose body the application reads too."""
    amplitude_ai.install_transport(amplitude_client=events)
    headers = {**JSON, "X-Amplitude-User-Id": "robert"}
    for body in (BODY, STREAM):
        with urllib.request.urlopen(urllib.request.Request(simulator.url + PATH, body, headers)) as response:
            assert type(response) is http.client.HTTPResponse
            assert list(response)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(simulator.url + PATH, BODY, {**headers, "x-sim": "status=429"}))
    with caught.value as refused:
        assert json.loads(refused.read())["error"]
    first, second, third = told(events)
    agree(first, simulator.requests()[0])
    agree(second, simulator.requests()[1])
    assert second["is_streaming"] is True
    assert (third["success"], third["http_status"]) == (False, 429)
    assert {event.user_id for event in events.events} == {"robert"}
    assert len({record["session_id"] for record in (first, second, third)}) == 1


def test_httplib2(simulator, events):
    """httplib2, which google-api-python-client sends by: compressed answers, our headers, one run a client."""
    client = httplib2.Http()
    headers = {**JSON, "X-Amplitude-User-Id": "robert"}
    for body in (BODY, STREAM):
        response, content = client.request(
            simulator.url + PATH, "POST", body, {**headers, "x-sim": "encoding=gzip", "accept-encoding": "gzip"}
        )
        assert (response.status, said(content)) == (200, told(events)[-1]["output_content"])
    client.close()
    assert headers["X-Amplitude-User-Id"] == "robert"
    records = told(events)
    for record, received in zip(records, simulator.requests(), strict=True):
        agree(record, received)
        assert not any(name.startswith("x-amplitude") for name in received.headers)
    assert {event.user_id for event in events.events} == {"robert"}
    assert len({record["session_id"] for record in records}) == 1


def test_httplib2_that_cannot_connect(events):
    """It connects before there is a request."""
    with pytest.raises(ConnectionRefusedError):
        httplib2.Http().request("http://127.0.0.1:9" + PATH, "POST", BODY, JSON)
    (record,) = told(events)
    assert (record["success"], record["error_type"]) == (False, "ConnectionRefusedError")
    assert record["requested_model"] == "gpt-4o-mini"


SUBCLASSES = {
    "urllib3": lambda url: urllib3.request("POST", url, body=BODY, headers=JSON).data,
    "urllib3, streamed": lambda url: b"".join(
        urllib3.request("POST", url, body=STREAM, headers=JSON, preload_content=False).stream()
    ),
    "requests": lambda url: requests.post(url, json=ASKED, timeout=10).content,
}


@pytest.mark.parametrize("way", SUBCLASSES)
def test_who_sends_by_a_subclass_is_recorded_once(simulator, events, way):
    """urllib3's connections are subclasses of ``http.client``'s."""
    assert SUBCLASSES[way](simulator.url + PATH)
    (record,) = told(events)
    agree(record, *simulator.requests())


def test_a_subclass_whose_own_hook_was_taken_off(simulator, events):
    """Elastic's ``uninstrument()`` takes our hook on urllib3 with it: the call is seen a floor below, once."""
    pool = urllib3.HTTPConnectionPool
    ours = pool.urlopen
    pool.urlopen = ours.__wrapped__
    try:
        for call in SUBCLASSES.values():
            assert call(simulator.url + PATH)
    finally:
        pool.urlopen = ours
    records = told(events)
    for record, received in zip(records, simulator.requests(), strict=True):
        agree(record, received)


class _Proxy(BaseHTTPRequestHandler):
    """Passes on what is tunnelled, and what is asked of it by a whole URL."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        self.server.asked.append(self.requestline)
        if self.server.refuses:
            self.send_error(403)
            return
        host, port = self.path.split(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=self._pass, args=(there, self.connection), daemon=True)
            back.start()
            self._pass(self.connection, there)
            back.join(5)
        self.close_connection = True

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def do_POST(self):
        self.server.asked.append(self.requestline)
        body = self.rfile.read(int(self.headers["content-length"]))
        where = urllib.request.Request(self.path)
        host, port = where.host.split(":")
        with socket.create_connection((host, int(port))) as there:
            head = f"POST {where.selector} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
            there.sendall(head.encode() + body)
            while data := there.recv(65536):
                self.wfile.write(data)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def proxy():
    """A proxy."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    running.asked, running.refuses = [], False
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("body", [BODY, [BODY[:9], BODY[9:]]], ids=["bytes", "iterable"])
def test_through_a_tunnel(simulator, events, proxy, body):
    """``set_tunnel``: the call is the server's at the end of it; what is sent to open it is no body."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
    connection.set_tunnel(simulator.url.removeprefix("http://"))
    connection.request("POST", PATH, body, JSON)
    assert json.loads(connection.getresponse().read())
    connection.close()
    assert len(proxy.asked) == 1
    (record,) = told(events)
    agree(record, *simulator.requests())
    assert f"http://{record['host']}" == simulator.url
    assert record["requested_model"] == "gpt-4o-mini"


def test_a_tunnel_that_is_refused(events, proxy):
    """The error is ``http.client``'s, the record a failed one."""
    proxy.refuses = True
    connection = http.client.HTTPSConnection("127.0.0.1", proxy.server_port, timeout=10)
    connection.set_tunnel("api.openai.com", 443)
    with pytest.raises(OSError, match="Tunnel connection failed: 403"):
        connection.request("POST", PATH, BODY, JSON)
    (record,) = told(events)
    assert (record["success"], record["host"], record["error_type"]) == (False, "api.openai.com", "OSError")


def test_a_proxy_that_is_asked_for_the_whole_url(simulator, events, proxy):
    """urllib.request asks a proxy so; the record names the server, not the proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{proxy.server_port}"}))
    with opener.open(urllib.request.Request(simulator.url + PATH, BODY, JSON)) as response:
        assert json.loads(response.read())
    assert "http://" in proxy.asked[0]
    (record,) = told(events)
    agree(record, *simulator.requests())
    assert f"http://{record['host']}" == simulator.url


def test_https_by_its_name(events):
    """An ``HTTPSConnection``'s call is recorded as the host's that it names."""
    connection = http.client.HTTPSConnection("api.openai.com", timeout=10)
    ours, theirs = socket.socketpair()
    answer = json.dumps({"model": "gpt-4o", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    theirs.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n{answer}".encode())
    with theirs:
        connection.sock = ours
        connection.request("POST", PATH + "?key=hidden", BODY, JSON)
        assert connection.getresponse().read() == answer.encode()
        connection.close()
        assert b"Host: api.openai.com\r\n" in theirs.recv(65536)
    (record,) = told(events)
    assert (record["host"], record["model_provider"], record["input_tokens"]) == ("api.openai.com", "openai", 3)


def refused_connection(server):
    """Nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", 9, timeout=10)
    connection.request("POST", PATH, BODY, JSON)


def cut(server):
    """The server hangs up."""
    connection = connect(server.url)
    connection.request("POST", PATH, BODY, {**JSON, "x-sim": "cut_body=1"})
    connection.getresponse().read()


def late_answer(server):
    """The server is slower than the time-out."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=0.2)
    connection.request("POST", PATH, BODY, {**JSON, "x-sim": "delay_headers=1"})
    connection.getresponse()


ENDS = {"refused": refused_connection, "cut": cut, "late": late_answer}


@pytest.mark.parametrize("way", ENDS)
def test_errors(simulator, events, way):
    """The application gets the error it would have got; the record names it."""
    raised = []
    for _ in range(2):
        with pytest.raises(Exception) as caught:  # which one it is, is compared
            ENDS[way](simulator)
        raised.append((type(caught.value), str(caught.value)))
        amplitude_ai.uninstall_transport()
    assert raised[0] == raised[1]
    (record,) = told(events)
    assert (record["success"], record["error_type"]) == (False, raised[0][0].__name__)


@pytest.fixture
def pipe():
    """A connection, and the other end of its socket."""
    connection = http.client.HTTPConnection("api.openai.com")
    ours, theirs = socket.socketpair()
    connection.sock = ours
    yield connection, theirs
    ours.close()
    theirs.close()


def test_an_answer_that_is_cut(pipe, events):
    """``IncompleteRead`` has what came; the record too, as a failed call."""
    connection, theirs = pipe
    came = b'data: {"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": "Half"}}]}\n\n'
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n" + came)
    theirs.shutdown(socket.SHUT_WR)
    connection.request("POST", PATH, STREAM, JSON)
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    assert caught.value.partial == came
    (record,) = told(events)
    assert (record["success"], record["error_type"]) == (False, "IncompleteRead")
    assert record["output_content"] == "Half"


def test_an_address_of_version_6(events):
    """Its colons are not the port's."""
    connection = http.client.HTTPConnection("::1", 8080)
    connection.sock, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    connection.request("POST", PATH, BODY, JSON)
    assert connection.getresponse().read() == b"{}"
    connection.close()
    theirs.close()
    (record,) = told(events)
    assert (record["host"], record["endpoint"]) == ("[::1]:8080", PATH)


def test_no_http_at_all(pipe, events):
    """A status line that is none."""
    connection, theirs = pipe
    theirs.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    connection.request("POST", PATH, BODY, JSON)
    with pytest.raises(http.client.BadStatusLine):
        connection.getresponse()
    (record,) = told(events)
    assert record["error_type"] == "BadStatusLine"


def test_a_body_that_is_not_taken(pipe, events):
    """The server answers and hangs up before it has the body: the answer can be read, and is the call's."""
    connection, theirs = pipe
    error = b'{"error": {"message": "Too large", "type": "invalid_request_error"}}'
    theirs.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\n\r\n%s" % (len(error), error))
    theirs.shutdown(socket.SHUT_RD)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Length", "999")
    connection.sock.shutdown(socket.SHUT_WR)
    with pytest.raises(BrokenPipeError):
        connection.endheaders(BODY)
    response = connection.getresponse()
    assert (response.status, response.read()) == (413, error)
    (record,) = told(events)
    assert (record["http_status"], record["error_type"]) == (413, "invalid_request_error")


def test_a_body_that_is_not_taken_and_no_answer(pipe, events):
    """The same where nobody looks for an answer."""
    connection, _ = pipe
    connection.sock.shutdown(socket.SHUT_WR)
    with pytest.raises(BrokenPipeError):
        connection.request("POST", PATH, BODY, JSON)
    connection.close()
    (record,) = told(events)
    assert (record["success"], record["error_type"]) == (False, "BrokenPipeError")


LEFT = {
    "closed": lambda connection: connection.close(),
    "forgotten": lambda connection: None,
}


@pytest.mark.parametrize("way", LEFT)
def test_an_answer_that_nobody_asks_for(simulator, events, way):
    """``getresponse`` is never called: there was a call, and nothing is known of its answer."""
    connection = connect(simulator.url)
    connection.request("POST", PATH, [BODY[:9], BODY[9:]], JSON)
    LEFT[way](connection)
    del connection
    (record,) = told(events)
    assert record["requested_model"] == "gpt-4o-mini"
    assert "output_tokens" not in record


STOPPED = {
    "response closed": lambda connection, response: response.close(),
    "connection closed": lambda connection, response: connection.close(),
    "response forgotten": lambda connection, response: None,
}


@pytest.mark.parametrize("way", STOPPED)
def test_a_stream_that_is_left(simulator, events, way):
    """Half-way through: one record, of what was read."""
    connection = connect(simulator.url)
    connection.request("POST", PATH, STREAM, {**JSON, "x-sim": "chunks=20"})
    response = connection.getresponse()
    assert response.readline()
    STOPPED[way](connection, response)
    del response, connection
    (record,) = told(events)
    assert record["stream_aborted"] is True
    assert "output_tokens" not in record


def test_the_next_answer_is_asked_for_too_early(pipe, events):
    """``ResponseNotReady`` is no end of the call: its answer comes when the one before was read."""
    connection, theirs = pipe
    answer = b'{"model": "gpt-4o", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)
    connection.request("POST", PATH, BODY, JSON)
    theirs.sendall(answer)
    first = connection.getresponse()
    connection.request("POST", PATH, BODY, JSON)
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    assert first.read()
    theirs.sendall(answer)
    assert connection.getresponse().read()
    assert [record["input_tokens"] for record in told(events)] == [3, 3]


def test_objects_stay_what_they_are(simulator, events):
    """Classes, pickles, copies, methods that others put there; what is left out is put back."""
    connection = connect(simulator.url)
    asked = []

    def close():
        asked.append("close")
        http.client.HTTPConnection.close(connection)

    connection.close = close
    assert pickle.loads(pickle.dumps(connect(simulator.url))).host == connection.host
    connection.request("POST", PATH, BODY, JSON)
    assert type(connection) is http.client.HTTPConnection
    response = connection.getresponse()
    assert vars(connection)["close"] is close
    response.read()
    connection.close()
    assert asked == ["close"]
    assert len(told(events)) == 1


@pytest.mark.parametrize("first", [True, False], ids=["the copy first", "the response first"])
def test_a_copy_is_not_watched(simulator, events, first):
    """A half-read response that is copied reads on, whichever of the two is let go."""
    connection = connect(simulator.url)
    connection.request("POST", PATH, STREAM, JSON)
    response = connection.getresponse()
    assert response.readline()
    again = copy.copy(response)
    assert type(again) is http.client.HTTPResponse
    assert not {"read", "readline", "close", "__getstate__"} & vars(again).keys()
    if first:
        assert again.readline()
        assert response.readline()
        again.fp = None
    else:
        assert response.readline()
        response.fp = None
        del response
        assert again.readline()
    connection.close()
    again = response = None
    assert len(told(events)) == 1


def test_what_is_kept_of_ours_goes_on(simulator, events):
    """Somebody who has kept a method (a wrapper, ``HTTPError``'s file) reads on by it when we have gone."""
    connection = connect(simulator.url)
    for _ in range(2):
        connection.request("POST", PATH, BODY, JSON)
        getresponse = connection.getresponse
        response = getresponse()
        read = response.read
        half = read(10)
        whole = half + read()
        assert json.loads(whole)
        assert read() == b""
    connection.request("GET", "/v1/models")
    assert getresponse().read()
    connection.close()
    assert len(told(events)) == 2


def test_a_class_of_ones_own(simulator, events):
    """A subclass that sends, answers and reads by methods of its own."""
    seen = []

    class Response(http.client.HTTPResponse):
        def read(self, amt=None):
            seen.append("read")
            return super().read(amt)

    class Connection(http.client.HTTPConnection):
        response_class = Response

        def send(self, data):
            seen.append("send")
            super().send(data)

        def getresponse(self):
            seen.append("getresponse")
            return super().getresponse()

    connection = Connection(simulator.url.removeprefix("http://"))
    connection.request("POST", PATH, iter([BODY]), JSON)
    response = connection.getresponse()
    assert type(response) is Response
    assert json.loads(response.read())
    connection.close()
    assert seen == ["send", "send", "send", "getresponse", "read"]
    (record,) = told(events)
    agree(record, *simulator.requests())


def test_a_response_of_ones_own(simulator, events):
    """``response_class`` may be anything that begins: it is left alone, and nobody complains."""

    class Response:
        will_close, status = True, 200

        def __init__(self, sock, *args, **kwargs):
            self.file = sock.makefile("rb")

        def begin(self):
            while self.file.readline().strip():
                pass

        def close(self):
            self.file.close()

    connection = connect(simulator.url)
    connection.response_class = Response
    connection.request("POST", PATH, BODY, JSON)
    with closing(connection.getresponse()) as response:
        assert response.file.read(1) == b"{"
    connection.close()
    assert len(told(events)) == 1


def test_coming_and_going(events):
    """The class is what it was; a connection whose call is under way is read to its end."""
    amplitude_ai.uninstall_transport()
    before = [dict(vars(kind)) for kind in (http.client.HTTPConnection, http.client.HTTPResponse)]
    amplitude_ai.install_transport(amplitude_client=events)
    assert http.client.HTTPConnection.endheaders.__name__ == "endheaders"
    amplitude_ai.uninstall_transport()
    assert [dict(vars(kind)) for kind in (http.client.HTTPConnection, http.client.HTTPResponse)] == before


def test_what_is_under_way_when_we_go(simulator, events):
    """It is recorded, the call was begun while we were asked to: without the answer, when the connection is let go."""
    connection = connect(simulator.url)
    connection.request("POST", PATH, BODY, JSON)
    amplitude_ai.uninstall_transport()
    assert connection.getresponse().read()
    connection.request("POST", PATH, BODY, JSON)
    assert connection.getresponse().read()
    connection.close()
    del connection
    assert len(told(events)) == 1


NOTHING_HELD = {
    "urlopen": lambda url: urllib.request.urlopen(urllib.request.Request(url, BODY, JSON)).read(),
    "urlopen, lines": lambda url: b"".join(urllib.request.urlopen(urllib.request.Request(url, STREAM, JSON))),
    "urlopen, readlines": lambda url: b"".join(
        urllib.request.urlopen(urllib.request.Request(url, BODY, JSON)).readlines()
    ),
    "http.client": lambda url: _asked(url).getresponse().read(),
    "http.client, closed": lambda url: _asked(url).close() or b"{}",
    "response, closed": lambda url: _asked(url).getresponse().close() or b"{}",
    "urllib3, closed": lambda url: (
        urllib3.PoolManager().request("POST", url, body=BODY, headers=JSON, preload_content=False).close() or b"{}"
    ),
    "urllib3, read": lambda url: (
        urllib3.PoolManager().request("POST", url, body=BODY, headers=JSON, preload_content=False).read()
    ),
}


def _asked(url):
    where = urllib.request.Request(url)
    connection = http.client.HTTPConnection(where.host)
    connection.request("POST", where.selector, BODY, JSON)
    return connection


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("way", NOTHING_HELD)
def test_nothing_is_held_but_the_method(simulator, events, way):
    """Objects that nobody holds while a method of theirs is at work live as long as that is."""
    assert NOTHING_HELD[way](simulator.url + PATH)
    assert len(told(events)) == 1


def test_methods_called_on_something_else(events):
    """On an object that has no attributes of its own, or does not give them."""

    class Bare:
        __slots__ = ("_HTTPConnection__response", "_HTTPConnection__state", "sock")

    bare = Bare()
    bare.sock = bare._HTTPConnection__response = None
    http.client.HTTPConnection.close(bare)
    with pytest.raises(AttributeError, match="fp"):
        http.client.HTTPResponse.read(object())


def test_a_stream_that_nobody_holds_and_usage_is_asked_for(simulator, events):
    """The same where its usage is taken out."""
    amplitude_ai.uninstall_transport()
    amplitude_ai.install_transport(amplitude_client=events, ai_config=amplitude_ai.AIConfig(inject_stream_usage=True))
    body = json.dumps({**ASKED, "stream": True}).encode()
    pool = urllib3.PoolManager()
    answer = b"".join(
        pool.request("POST", simulator.url + PATH, body=body, headers=JSON, preload_content=False).stream()
    )
    pool.clear()
    (record,) = told(events)
    assert record["output_content"] == said(answer)


def by_urllib(url):
    """One call by urllib.request."""
    headers = {**JSON, "X-Amplitude-User-Id": "robert"}
    with urllib.request.urlopen(urllib.request.Request(url, BODY, headers)) as response:
        return response.read()


def by_httplib2(url):
    """One call by httplib2."""
    return httplib2.Http().request(url, "POST", BODY, {**JSON, "X-Amplitude-User-Id": "robert"})[1]


def by_http_client(url):
    """One call by hand; the class is looked up when it is made, as vcrpy replaces it."""
    where = urllib.request.Request(url)
    connection = http.client.HTTPConnection(where.host)
    connection.putrequest("POST", where.selector)
    for name, value in {**JSON, "X-Amplitude-User-Id": "robert"}.items():
        connection.putheader(name, value)
    connection.endheaders(BODY)
    return connection.getresponse().read()


def by_requests(url):
    """One call by requests."""
    return requests.post(url, data=BODY, headers={**JSON, "X-Amplitude-User-Id": "robert"}, timeout=10).content


@pytest.mark.parametrize("call", [by_urllib, by_httplib2, by_http_client, by_requests])
@pytest.mark.parametrize("first", [True, False], ids=["before us", "after us"])
def test_a_cassette(simulator, tmp_path, call, first):
    """vcrpy records and plays back: each is one record, and nothing of ours is in the cassette."""
    tape, events = tmp_path / "tape.yaml", EventList()
    answers = []
    for mode in ("once", "none"):
        if not first:
            amplitude_ai.install_transport(amplitude_client=events)
        with vcr.use_cassette(str(tape), record_mode=mode) as cassette:
            if first:
                amplitude_ai.install_transport(amplitude_client=events)
            answers.append(call(simulator.url + PATH))
            assert cassette.play_count == (mode == "none")
            if first:
                amplitude_ai.uninstall_transport()
        amplitude_ai.uninstall_transport()
    assert answers[0] == answers[1]
    assert len(simulator.requests()) == 1
    assert "amplitude" not in tape.read_text().lower()
    records = told(events)
    assert len(records) == 2
    for record in records:
        agree(record, simulator.requests()[0])
    assert {event.user_id for event in events.events} == {"robert"}
