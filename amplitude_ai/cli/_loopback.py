"""A model provider of our own on loopback, and one call to it by each HTTP library that is here.

For ``demo`` and for the self-test of ``doctor``: nothing leaves the machine. The answers are OpenAI's chat format.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

_TIMEOUT = 10.0
#: An answer takes so long, in seconds, that latency and time to first token can be told apart.
_PAUSE = 0.02


class Loopback:
    """The provider, for the length of a ``with`` block. ``answers`` counts what it was asked."""

    def __init__(self) -> None:
        self.answers = 0
        self.refused: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers a chat completion: an error where the last message asks for one, a tool call, a stream, or a text."""

    protocol_version = "HTTP/1.1"
    # Else a stream's first frame waits for the reader's word that it has the headers: 40 ms, and with it the second.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        owner = self.server.owner  # type: ignore[attr-defined]
        owner.answers += 1
        last = request["messages"][-1]
        said = str(last.get("content"))
        time.sleep(_PAUSE)
        if "overload" in said and said not in owner.refused:
            owner.refused.add(said)
            body = {"error": {"type": "rate_limit_error", "message": "Too many requests in a demonstration."}}
            self._send(429, json.dumps(body).encode())
        elif request.get("stream"):
            self._stream(request["model"])
        else:
            self._send(200, json.dumps(_answer(request, last)).encode())

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        base = {
            "id": "chatcmpl-loopback",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        choices = [
            {"index": 0, "delta": {"role": "assistant", "content": word}} for word in ("Once ", "upon ", "a time.")
        ]
        frames: list[dict[str, Any]] = [{**base, "choices": [choice]} for choice in choices]
        frames.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        frames.append({**base, "choices": [], "usage": _usage(40, 12)})
        for frame in frames:
            self.wfile.write(b"data: " + json.dumps(frame).encode() + b"\n\n")
            self.wfile.flush()
            time.sleep(_PAUSE / 4)
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def _usage(given: int, made: int) -> dict[str, Any]:
    details = {"cached_tokens": given // 4}
    return {
        **{"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made},
        "prompt_tokens_details": details,
    }


def _answer(request: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "A demonstration's answer."}
    reason = "stop"
    if request.get("tools") and last["role"] == "user":
        function = {"name": request["tools"][0]["function"]["name"], "arguments": '{"city": "Paris"}'}
        message = {**message, "content": None}
        message["tool_calls"] = [{"id": "call_loopback", "type": "function", "function": function}]
        reason = "tool_calls"
    return {
        **{"id": "chatcmpl-loopback", "object": "chat.completion", "created": int(time.time())},
        "model": request["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": _usage(100 + len(json.dumps(request["messages"])) // 4, 25),
    }


# Calls by each library, all by one client. They read each answer to its end, and raise what the library raises.

Call = Callable[[str, Sequence[bytes]], None]
_HEADERS = {"Content-Type": "application/json"}


def _httpx(name: str) -> Call:
    def call(url: str, bodies: Sequence[bytes]) -> None:
        module = importlib.import_module(name)
        with module.Client(trust_env=False, timeout=_TIMEOUT) as client:
            for body in bodies:
                client.post(url, content=body, headers=_HEADERS).read()

    return call


def _requests(url: str, bodies: Sequence[bytes]) -> None:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        for body in bodies:
            session.post(url, data=body, headers=_HEADERS, timeout=_TIMEOUT)


def _urllib3(url: str, bodies: Sequence[bytes]) -> None:
    module = importlib.import_module("urllib3")
    with module.PoolManager(retries=False) as pool:
        for body in bodies:
            pool.request("POST", url, body=body, headers=_HEADERS, timeout=_TIMEOUT)


def _aiohttp(url: str, bodies: Sequence[bytes]) -> None:
    async def call() -> None:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for body in bodies:
                async with session.post(url, data=body, headers=_HEADERS) as got:
                    await got.read()

    asyncio.run(call())


def _http_client(url: str, bodies: Sequence[bytes]) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for body in bodies:
        try:
            with opener.open(urllib.request.Request(url, body, _HEADERS), timeout=_TIMEOUT) as got:
                got.read()
        except urllib.error.HTTPError as refused:  # an answer, by the other libraries here
            with refused:
                refused.read()


STACKS: Mapping[str, Call] = {
    "httpx2": _httpx("httpx2"),
    "httpx": _httpx("httpx"),
    "requests": _requests,
    "aiohttp": _aiohttp,
    "urllib3": _urllib3,
    "http.client": _http_client,
}


def is_here(name: str) -> bool:
    """Whether a library is installed; it is not imported."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def chat(*messages: Mapping[str, Any], model: str = "gpt-4o-mini", **more: Any) -> bytes:
    """The body of a request."""
    return json.dumps({"model": model, "messages": messages, **more}).encode()
