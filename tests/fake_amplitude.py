"""A small Amplitude on loopback that answers as it is told."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FakeAmplitude:
    """Answers each request with the next of ``answers``, then with 200; ``None`` resets the connection."""

    def __init__(self):
        self.requests = []
        self.answers = []
        self.sizes = []
        self.encodings = []
        self.judge = lambda events: None
        self.gate = threading.Event()
        self.gate.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                outer.sizes.append(size)
                data = self.rfile.read(size)
                outer.encodings.append(self.headers.get("Content-Encoding"))
                body = json.loads(gzip.decompress(data) if outer.encodings[-1] == "gzip" else data)
                outer.gate.wait(20)
                code, answer = outer.answers.pop(0) if outer.answers else outer.judge(body["events"]) or (200, {})
                if code is None:
                    self.connection.close()
                    return
                if code == 200:
                    outer.requests.append(body)
                data = json.dumps({"code": code, **answer}).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """The resets are ours."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/2/httpapi"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def events(self):
        return [event for request in self.requests for event in request["events"]]

    def ids(self):
        return [event["insert_id"] for event in self.events]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = FakeAmplitude()
    monkeypatch.setenv("AMPLITUDE_API_KEY", "a-key")
    monkeypatch.setenv("AMPLITUDE_SERVER_URL", made.url)
    yield made
    made.gate.set()
    made.server.shutdown()
    made.server.server_close()
