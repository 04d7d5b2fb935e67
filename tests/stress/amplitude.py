"""A fake Amplitude in a process of its own: it enforces the documented limits, and answers as badly as it is told.

``python -m tests.stress.amplitude`` prints its port. ``POST /_mode {"mode": ..., "first": n}`` sets how the next ``n``
requests (or those of the next ``seconds``) are answered, ``GET /_seen`` tells what arrived, ``DELETE /_seen`` forgets
it.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BYTES, MAX_EVENTS = 1_000_000, 2_000
REFUSED_IDS = {"anonymous", "none", "null", "undefined", "unknown", "0", "-1", ""}
#: How long a server that hangs does so, in seconds; Amplitude's SDK waits ten.
HANG_SECONDS = 12.0


class State:
    """What the server is to do, and what it has seen."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.mode, self.left, self.until = "ok", 0, 0.0
        self.seen: Counter[str] = Counter()
        self.events: dict[str, dict] = {}
        self.requests = self.largest = 0

    def take_mode(self) -> str:
        with self.lock:
            if time.monotonic() < self.until:
                return self.mode
            if self.left <= 0:
                return "ok"
            self.left -= 1
            return self.mode

    def accept(self, events: list[dict]) -> None:
        with self.lock:
            for event in events:
                self.seen[event["insert_id"]] += 1
                self.events[event["insert_id"]] = {
                    "event_type": event["event_type"],
                    "user_id": event.get("user_id"),
                    "call": event.get("event_properties", {}).get("call"),
                }


STATE = State()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, code: int, **more: object) -> None:
        data = json.dumps({"code": code, **more}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def do_GET(self) -> None:
        with STATE.lock:
            seen = {
                "counts": dict(STATE.seen),
                "events": STATE.events,
                "requests": STATE.requests,
                "largest": STATE.largest,
            }
        self._answer(200, **seen)

    def do_DELETE(self) -> None:
        with STATE.lock:
            STATE.seen.clear()
            STATE.events.clear()
            STATE.requests = STATE.largest = 0
            STATE.mode, STATE.left, STATE.until = "ok", 0, 0.0
        self._answer(200)

    def do_POST(self) -> None:
        raw = self._body()
        if self.path == "/_mode":
            told = json.loads(raw)
            with STATE.lock:
                STATE.mode, STATE.left = told["mode"], told["first"]
                STATE.until = time.monotonic() + told.get("seconds", 0)
            self._answer(200)
            return
        mode = STATE.take_mode()
        with STATE.lock:
            STATE.requests += 1
            STATE.largest = max(STATE.largest, len(raw))
        if mode == "reset":
            self._reset()
            return
        if mode == "hang":
            time.sleep(HANG_SECONDS)
            self._reset()
            return
        if mode in ("500", "429", "413"):
            self._answer(int(mode), error="told so")
            return
        if len(raw) > MAX_BYTES:
            self._answer(413, error="Payload too large")
            return
        events = json.loads(raw)["events"]
        if len(events) > MAX_EVENTS:
            self._answer(413, error="Too many events")
            return
        if mode == "throttled":
            some = list(range(0, len(events), 2))
            self._answer(429, error="Too many requests", throttled_events=some, throttled_users={"user-1": 31})
            return
        bad = [i for i, event in enumerate(events) if _is_bad(event)]
        if mode == "partial":
            bad = sorted({*bad, *(i for i, event in enumerate(events) if int(event["insert_id"][:8], 16) % 10 == 0)})
        if mode == "blind" and any(int(event["insert_id"][:8], 16) % 50 == 0 for event in events):
            self._answer(400, error="Something is wrong")
            return
        if bad:
            self._answer(400, error="Bad events", events_with_invalid_fields={"user_id": bad})
            return
        STATE.accept(events)
        if mode == "reset-after":
            self._reset()
            return
        self._answer(200)


def _is_bad(event: dict) -> bool:
    ids = [event.get("user_id"), event.get("device_id")]
    if not any(ids) or any(one is not None and one.lower() in REFUSED_IDS for one in ids):
        return True
    return _too_long(event.get("event_properties", {}), top=True)


def _too_long(value: object, top: bool = False) -> bool:
    if isinstance(value, dict):
        return any(_too_long(item) for name, item in value.items() if not (top and name == "$llm_message"))
    if isinstance(value, list):
        return any(_too_long(item) for item in value)
    return isinstance(value, str) and len(value) > 1024


class Server(ThreadingHTTPServer):
    """Takes any number of connections."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """The resets are ours."""


def main() -> None:
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
