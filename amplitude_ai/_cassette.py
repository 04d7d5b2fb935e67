"""A provider on loopback for people's own tests: records the real one's exact frames once, and replays them.

`Cassette.url` is the SDK's ``base_url``, so every SDK and HTTP library can use it, and nothing is patched. Kept of a
request are its method, path and body, of a response its status, a few headers and its frames as they came; never a
request's headers, so no key.
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from ._foreign import clean_url
from .transports._headers import RESPONSE_HEADERS
from .transports._watch import inside

_VERSION = 1
_KEPT = RESPONSE_HEADERS | {"retry-after", "x-should-retry"}
_OF_THE_CONNECTION = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "keep-alive", "te", "upgrade"}
)
_TIMEOUT_SECONDS = 120.0


class _Taped(Struct):
    """One exchange."""

    method: str
    path: str
    body: Any
    status: int
    headers: dict[str, str]
    frames: list[bytes]
    played: bool = False

    def asks(self, method: str, path: str, body: Any) -> bool:
        """Whether it answers this request."""
        return (self.method, self.path, self.body) == (method, path, body)


@dataclass(slots=True)
class Cassette:
    """A file of exchanges, and a server that plays or records them while the ``with`` block runs.

    Attributes:
        path: the file.
        upstream: the real server, such as ``https://api.openai.com``; needed to record.
        record: call the real server and write the file, instead of playing it.
        url: of the server on loopback.
        misses: what was asked for and is not in the file.
    """

    path: Path
    upstream: str | None = None
    record: bool = False
    url: str = ""
    misses: list[str] = field(default_factory=list)
    _tape: list[_Taped] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Cassette:
        if self.record and self.upstream is None:
            raise ValueError("to record a cassette, say from where: upstream='https://api.openai.com'")
        if not self.record:
            self._tape = _load(self.path)
        cassette = self

        class Handler(_Handler):
            owner = cassette

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *about: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self.record and self._tape:
            _save(self.path, self._tape)

    def find(self, method: str, path: str, body: Any) -> _Taped | None:
        """The first answer to this request that was not given yet, else the last of them."""
        with self._lock:
            fitting = [one for one in self._tape if one.asks(method, path, body)]
            found = next((one for one in fitting if not one.played), fitting[-1] if fitting else None)
            if found is None:
                self.misses.append(f"{method} {path}")
            else:
                found.played = True
            return found

    def add(self, taped: _Taped) -> None:
        """Keep what was recorded."""
        with self._lock:
            self._tape.append(taped)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Cassette

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body, path = _body(raw), clean_url(self.path)
        if self.owner.record:
            self._record(raw, path, body)
            return
        taped = self.owner.find(self.command, path, body)
        if taped is None:
            message = f"no recording of this {self.command} {path} in {self.owner.path.name}; record it again"
            text = json.dumps({"error": {"message": message, "type": "cassette_miss", "code": None}}).encode()
            self._begin(400, {"content-type": "application/json"})
            self._send(text)
        else:
            self._begin(taped.status, taped.headers)
            for frame in taped.frames:
                self._send(frame)
        self._send(b"")

    def _record(self, raw: bytes, path: str, body: Any) -> None:
        where = urlsplit(self.owner.upstream or "")
        inside.set(True)  # the call is the application's, which is watched where it makes it
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        connection = kind(where.netloc, timeout=_TIMEOUT_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        try:
            try:
                connection.request(self.command, where.path.rstrip("/") + self.path, raw or None, headers)
                response = connection.getresponse()
            except OSError as error:
                self.send_error(502, f"{where.netloc} cannot be reached: {type(error).__name__}")
                return
            kept = {name.lower(): value for name, value in response.getheaders() if name.lower() in _KEPT}
            self._begin(response.status, kept)
            frames: list[bytes] = []
            while frame := response.read1(1 << 20):
                frames.append(frame)
                self._send(frame)
            self._send(b"")
        finally:
            connection.close()
        self.owner.add(_Taped(self.command, path, body, response.status, kept, frames))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _send(self, frame: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        """Nothing on the test's stderr."""


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return {"base64": base64.b64encode(raw).decode()} if raw else None


def _load(path: Path) -> list[_Taped]:
    try:
        said = json.loads(path.read_text())
    except FileNotFoundError:
        raise FileNotFoundError(f"no cassette {path}: record it with `pytest --llm-record`") from None
    if said.get("version") != _VERSION:
        raise ValueError(f"{path} is a cassette of layout {said.get('version')}, this version knows {_VERSION}")
    return [
        _Taped(
            one["request"]["method"],
            one["request"]["path"],
            one["request"]["body"],
            one["response"]["status"],
            one["response"]["headers"],
            [_bytes(frame) for frame in one["response"]["frames"]],
        )
        for one in said["exchanges"]
    ]


def _save(path: Path, tape: list[_Taped]) -> None:
    exchanges = [
        {
            "request": {"method": one.method, "path": one.path, "body": one.body},
            "response": {
                "status": one.status,
                "headers": one.headers,
                "frames": [_text(frame) for frame in one.frames],
            },
        }
        for one in tape
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": _VERSION, "exchanges": exchanges}, indent=1, ensure_ascii=False) + "\n")


def _text(frame: bytes) -> str | dict[str, str]:
    """Readable where it can be: a frame may be compressed, or cut inside a character."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(frame).decode()}


def _bytes(frame: str | dict[str, str]) -> bytes:
    return frame.encode() if isinstance(frame, str) else base64.b64decode(frame["base64"])
