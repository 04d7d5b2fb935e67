"""A server that answers a chat completion with gzip, and keeps the headers it got."""

import contextlib
import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

ANSWER = (
    b'{"model": "gpt-4o",\n"choices": [{"message": {"role": "assistant", "content": "Hi"}}],\n'
    b'"usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}\n'
)
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


@contextlib.contextmanager
def serving():
    """A server that compresses."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.got = []
    running.url = f"http://127.0.0.1:{running.server_port}"
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def bare_server():
    """The same, for one test."""
    with serving() as running:
        yield running
