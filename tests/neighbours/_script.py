"""A stand-in for OpenAI and Gemini whose model says what a program's own ``model`` function has it say.

What is served is kept: the truth beside which events are held. Each call has counts of its own, so that sums that mix
calls up are wrong.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Mapping[str, Any]
#: What answers, whatever was asked for.
MODEL = "gpt-4o-mini"
_numbers = itertools.count(1)


def say(text: str) -> Reply:
    """An answer."""
    return {"content": text}


def use(*calls: tuple[str, Mapping[str, Any]]) -> Reply:
    """Tool calls, more than one at once where there are more."""
    return {"tools": calls}


def fail(status: int = 500) -> Reply:
    """A refusal."""
    return {"status": status}


#: Two orders are looked up at once, of which `look_up` knows one.
LOOK_UP = use(("lookup_order", {"order": "A1"}), ("lookup_order", {"order": "B2"}))


def look_up(order: str) -> str:
    """What the programs' own tool does.

    Raises:
        ValueError: there is no such order.
    """
    if order == "B2":
        raise ValueError("no such order")
    return f"{order}: shipped"


class Once:
    """True when it is first asked."""

    def __init__(self) -> None:
        self._left = [True]

    def __call__(self) -> bool:
        return bool(self._left) and self._left.pop()


class Asked:
    """One request, as a ``model`` function reads it."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.messages = list(body.get("messages") or ())
        self.tools = [one["function"]["name"] for one in body.get("tools") or ()]
        self.body = body

    def said(self, text: str) -> bool:
        """Whether it stands in the system prompt."""
        return any(text in flat(one) for one in self.messages if one["role"] in ("system", "developer"))

    @property
    def last(self) -> str:
        """The text of the last message."""
        return flat(self.messages[-1])

    @property
    def results(self) -> int:
        """Tool results in it."""
        return sum(one["role"] == "tool" for one in self.messages)

    @property
    def used(self) -> list[str]:
        """Tools used so far."""
        return [call["function"]["name"] for one in self.messages for call in one.get("tool_calls") or ()]


def refused_once(text: str) -> Callable[[Asked], Reply | None]:
    """What a model replies to the programs' second question: a refusal at first, then ``text``; to others nothing."""
    refuses = Once()

    def reply(asked: Asked) -> Reply | None:
        if asked.last != "And by card?":
            return None
        return fail() if refuses() else say(text)

    return reply


def flat(message: Mapping[str, Any]) -> str:
    """The text of a message, in parts or not."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text") or "" for part in content)


class Scripted(ThreadingHTTPServer):
    """Start with `run`; ``served`` is what it answered, in order: status, input and output tokens."""

    daemon_threads = True

    def __init__(self, model: Callable[[Asked], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model, self.served, self.lock = model, [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Chat completions and embeddings; Gemini's generateContent."""

    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        number = next(_numbers)
        usage = {"prompt_tokens": 1000 + 7 * number, "completion_tokens": 10 + number}
        if "embeddings" in self.path:
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            data = [{"object": "embedding", "index": at, "embedding": [0.1] * 8} for at, _ in enumerate(texts)]
            told = {"object": "list", "model": "text-embedding-3-small", "data": data}
            with self.server.lock:
                self.server.served.append({"status": 200, "model": told["model"], "prompt_tokens": 5})
            return self._send(200, {**told, "usage": {"prompt_tokens": 5, "total_tokens": 5}})
        asks_gemini = "enerateContent" in self.path
        try:
            reply = self.server.model(Asked(_as_chat(body) if asks_gemini else body))
        except Exception as exc:
            reply = {"status": 400, "message": f"the script has no answer: {exc!r}"}
        with self.server.lock:
            model = "gemini-2.5-flash" if asks_gemini else MODEL
            self.server.served.append({"model": model, **_served(body, reply, usage)})
        if "status" in reply:
            message = reply.get("message", "Try again.")
            return self._send(reply["status"], {"error": {"type": "server_error", "message": message}})
        if asks_gemini:
            return self._gemini(reply, usage)
        usage["total_tokens"] = sum(usage.values())
        message = {"role": "assistant", "content": reply.get("content")}
        calls = [
            {
                "id": f"call_{next(_numbers)}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(given)},
            }
            for name, given in reply.get("tools") or ()
        ]
        if calls:
            message["tool_calls"] = calls
        made = {"id": f"chatcmpl-{number}", "created": 1, "model": MODEL}
        reason = "tool_calls" if calls else "stop"
        if body.get("stream"):
            asked = (body.get("stream_options") or {}).get("include_usage")
            return self._stream(made, message, reason, usage if asked else None)
        choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
        return self._send(200, {**made, "object": "chat.completion", "choices": [choice], "usage": usage})

    def _stream(self, made: dict[str, Any], message: dict[str, Any], reason: str, usage: dict[str, int] | None) -> None:
        made["object"] = "chat.completion.chunk"
        choices = [{"delta": delta, "finish_reason": None} for delta in _deltas(message)]
        choices.append({"delta": {}, "finish_reason": reason})
        chunks = [{**made, "choices": [{"index": 0, **choice}], "usage": None} for choice in choices]
        if usage is not None:
            chunks.append({**made, "choices": [], "usage": usage})
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _gemini(self, reply: Reply, usage: Mapping[str, int]) -> None:
        tools = [{"functionCall": {"name": name, "args": given}} for name, given in reply.get("tools") or ()]
        content = {"role": "model", "parts": tools or [{"text": reply["content"]}]}
        counts = dict(zip(("promptTokenCount", "candidatesTokenCount"), usage.values(), strict=True))
        told = {"candidates": [{"content": content, "finishReason": "STOP"}], "modelVersion": "gemini-2.5-flash"}
        told["usageMetadata"] = {**counts, "totalTokenCount": sum(usage.values())}
        if "streamGenerateContent" in self.path:
            return self._raw(200, f"data: {json.dumps(told)}\r\n\r\n".encode(), "text/event-stream")
        return self._send(200, told)

    def _send(self, status: int, told: Mapping[str, Any]) -> None:
        self._raw(status, json.dumps(told).encode(), "application/json")

    def _raw(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *about: Any) -> None:
        """Nothing."""


def _as_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request of Gemini's, as one of OpenAI's."""
    system = (body.get("systemInstruction") or {}).get("parts") or ()
    messages: list[dict[str, Any]] = [{"role": "system", "content": "\n".join(part["text"] for part in system)}]
    for content in body["contents"]:
        text = "\n".join(part.get("text") or "" for part in content["parts"])
        calls = [{"function": part["functionCall"]} for part in content["parts"] if "functionCall" in part]
        results = any("functionResponse" in part for part in content["parts"])
        role = "tool" if results else "assistant" if content.get("role") == "model" else "user"
        messages.append({"role": role, "content": text, "tool_calls": calls})
    return {"messages": messages, "tools": []}


def _deltas(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A message, a word or a piece of arguments at a time."""
    yield {"role": "assistant", "content": "" if message["content"] else None}
    for word in (message["content"] or "").split(" "):
        if word:
            yield {"content": f"{word} "}
    for at, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": at, "function": {"name": function["name"], "arguments": ""}}]}
        for start in range(0, len(function["arguments"]), 7):
            piece = function["arguments"][start : start + 7]
            yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}


def _served(body: Mapping[str, Any], reply: Reply, usage: Mapping[str, int]) -> dict[str, Any]:
    """What was told of it: an error tells no counts, nor does a stream that was not asked for them."""
    status = reply.get("status", 200)
    asked = not body.get("stream") or (body.get("stream_options") or {}).get("include_usage")
    return {"status": status, **(usage if status == 200 and asked else {})}
