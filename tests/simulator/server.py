"""The simulator's HTTP/1.1 server: keep-alive, chunked streams, and the faults that directives ask for. stdlib only.

Knows no provider: a request goes to the first route that fits. ``GET /_sim/requests`` tells what arrived and what was
told, ``DELETE /_sim/requests`` forgets it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import (
    _directives,
    anthropic,
    bedrock,
    cohere,
    google,
    huggingface,
    mistral,
    ollama,
    openai,
    openai_other,
    openai_responses,
)
from ._answers import Answer, Tokens, compose
from ._directives import Directives
from ._encoding import encoder
from ._wire import Format, Frame, Request, Route, StreamingFormat, dumps

#: Every format there is. The first route that fits wins.
ROUTES: list[Route] = [
    *openai_responses.ROUTES,
    *openai_other.ROUTES,
    *openai.ROUTES,
    *anthropic.ROUTES,
    *google.ROUTES,
    *bedrock.ROUTES,
    *cohere.ROUTES,
    *mistral.ROUTES,
    *ollama.ROUTES,
    *huggingface.ROUTES,
]
#: Headers by which an SDK says that it tries again.
_RETRY_HEADERS = ("x-stainless-retry-count", "x-retry-count")


class Log:
    """What arrived, and what was answered. Shared by the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._number = 0
        self._failed: set[str] = set()

    def add(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Note a request; the answer's facts are added to the entry as they are sent."""
        with self._lock:
            self._number += 1
            entry = {
                "number": self._number,
                "method": method,
                "path": target,
                "headers": dict(headers),
                "body": base64.b64encode(body).decode(),
                "status": None,
                "model": None,
                "told": None,
                "tool_calls": 0,
                "whole": False,
            }
            self._entries.append(entry)
            return entry

    def first_attempt(self, path: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether ``fail_once`` fails this one. A retry, known by its header or its body, passes and is forgotten."""
        key = hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
        retried = any(headers.get(name, "0") != "0" for name in _RETRY_HEADERS)
        with self._lock:
            if key in self._failed or retried:
                self._failed.discard(key)
                return False
            self._failed.add(key)
            return True

    def entries(self) -> bytes:
        """All of it as JSON."""
        with self._lock:
            return dumps(self._entries)

    def clear(self) -> None:
        """Forget what arrived."""
        with self._lock:
            self._entries.clear()
            self._failed.clear()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client went away, as clients do
            self.close_connection = True

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the log is ``/_sim/requests``."""

    def _serve(self) -> None:
        body = self._read_body()
        url = urlsplit(self.path)
        if url.path == "/_sim/requests":
            if self.command == "DELETE":
                self.server.log.clear()
            self._send_plain(200, {"content-type": "application/json"}, self.server.log.entries())
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        entry = self.server.log.add(self.command, self.path, headers, body)
        path = unquote(url.path)
        format_, captured = _find(self.command, path)
        if format_ is None:
            entry["status"] = 404
            self._send_plain(404, {"content-type": "application/json"}, dumps({"error": f"no route for {path}"}))
            return
        request = Request(
            number=entry["number"],
            method=self.command,
            path=path,
            query=dict(parse_qsl(url.query)),
            headers=headers,
            body=body,
            json=_json(body),
            captured=captured,
        )
        self._answer(format_, request, entry)

    def _answer(self, format_: Format, request: Request, entry: dict[str, Any]) -> None:
        try:
            ask = format_.ask(request)
            how = _directives.read(request.headers.get("x-sim"), ask.last_user)
            answer = compose(ask, how, f"{os.getpid():x}-{request.number:08d}")
        except (AttributeError, LookupError, TypeError, ValueError) as exc:
            # A body of the wrong shape, or a directive nobody knows: the client reads what was wrong with it.
            self._fail(format_, request, entry, 400, f"{type(exc).__name__}: {exc}")
            return
        if how.delay_headers:
            time.sleep(how.delay_headers)
        status = how.status
        if how.fail_once and self.server.log.first_attempt(request.path, request.headers, request.body):
            status = how.fail_once
        if status is not None and status != 200:
            self._fail(format_, request, entry, status, f"Simulated failure with status {status}")
            return
        entry.update(status=200, model=answer.model, tool_calls=len(answer.calls))
        if ask.stream and isinstance(format_, StreamingFormat):
            self._stream(format_, request, answer, how, entry)
        else:
            self._whole(format_, request, answer, how, entry)

    def _fail(self, format_: Format, request: Request, entry: dict[str, Any], status: int, message: str) -> None:
        entry.update(status=status, whole=True)
        headers = {"content-type": "application/json", **format_.headers(request), **format_.error_headers(status)}
        if status == 429:
            # Short, so that a retry in a test is quick; openai and anthropic read the first, others the second.
            headers |= {"retry-after-ms": "20", "retry-after": "0"}
        self._send_plain(status, headers, dumps(format_.error(status, message)))

    def _whole(self, format_: Format, request: Request, answer: Answer, how: Directives, entry: dict[str, Any]) -> None:
        content = format_.whole(request, answer)
        body = content if isinstance(content, bytes) else dumps(content)
        headers = {"content-type": format_.content_type, **format_.headers(request)}
        if how.encoding:
            encode = encoder(how.encoding)
            body = encode.feed(body) + encode.finish()
            headers["content-encoding"] = how.encoding
        if how.cut_body:
            self._send_plain(200, headers, body[: len(body) // 2], length=len(body))
            self._cut()
            return
        _tell(entry, format_.told(answer))
        entry["whole"] = True
        self._send_plain(200, headers, body)

    def _stream(
        self, format_: StreamingFormat, request: Request, answer: Answer, how: Directives, entry: dict[str, Any]
    ) -> None:
        headers = {"content-type": format_.stream_type(request), **format_.headers(request)}
        if how.encoding:
            headers["content-encoding"] = how.encoding
        self._send_head(200, {**headers, "transfer-encoding": "chunked"})
        encode = encoder(how.encoding)
        for index, frame in enumerate(_faulty(format_.stream(request, answer), format_.broken(request), how)):
            if index == how.cut_stream:
                self._cut()
                return
            if how.slow and index:
                time.sleep(how.slow)
            _tell(entry, frame.told)
            self._send_chunk(encode.feed(frame.data), how.split)
        # Before the last bytes, so that whoever has read them finds the truth in the log.
        entry["whole"] = how.error_in_stream is None
        self._send_chunk(encode.finish(), how.split)
        self.wfile.write(b"0\r\n\r\n")

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def _send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_plain(self, status: int, headers: Mapping[str, str], body: bytes, length: int | None = None) -> None:
        self._send_head(status, {**headers, "content-length": str(len(body) if length is None else length)})
        self.wfile.write(body)

    def _send_chunk(self, data: bytes, split: int | None) -> None:
        size = split or len(data) or 1
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    """The simulator, listening on loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.log = Log()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


def _find(method: str, path: str) -> tuple[Format | None, Mapping[str, str]]:
    for route in ROUTES:
        if route.method == method and (found := route.pattern.search(path)):
            return route.format, {name: value for name, value in found.groupdict().items() if value is not None}
    return None, {}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # multipart, or nothing at all
        return {}


def _faulty(frames: Iterator[Frame], broken: Frame, how: Directives) -> Iterator[Frame]:
    """The frames, ended early by the provider's error where that is asked for."""
    for index, frame in enumerate(frames):
        if index == how.error_in_stream:
            yield broken
            return
        yield frame


def _tell(entry: dict[str, Any], told: Tokens | None) -> None:
    if told is not None:
        entry["told"] = asdict(told)
