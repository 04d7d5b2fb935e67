"""A stand-in for OpenAI and Gemini whose model uses each tool it is offered, once: what an agent does is then known.

A text in a tool's arguments is `QUESTION`; all else is answered by `ANSWER`, by tools that end a run too.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

QUESTION = "What is our policy on refunds?"
ANSWER = "Refunds take ten days."
#: Tools that end a run, which are used last.
_ENDS = frozenset({"final_answer", "finish", "submit"})
#: What is asked for where a parameter's name says it: a place, an agent.
_VALUES = {"city": "Paris", "member_id": "expert", "agent_name": "billing", "to_agent": "billing"}
_numbers = itertools.count(1)


def value_of(name: str, schema: Mapping[str, Any]) -> Any:
    """What the model puts into a parameter."""
    if "enum" in schema:
        return schema["enum"][0]
    if name == "answer":
        return ANSWER
    if name in _VALUES:
        return _VALUES[name]
    kind = schema.get("type", "string")
    return {
        "string": QUESTION,
        "STRING": QUESTION,
        "integer": 1,
        "number": 1,
        "boolean": True,
        "object": {},
        "array": [],
    }.get(kind if isinstance(kind, str) else "string")


def next_tool(tools: list[tuple[str, Mapping[str, Any]]], used: set[str]) -> tuple[str, dict[str, Any]] | None:
    """The next tool to use, and with what."""
    for name, parameters in sorted(tools, key=lambda tool: tool[0] in _ENDS):
        if name not in used:
            wanted = {key: one for key, one in (parameters.get("properties") or {}).items() if isinstance(one, Mapping)}
            needed = parameters.get("required") or list(wanted)
            return name, {key: value_of(key, one) for key, one in wanted.items() if key in needed}
    return None


def chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """The message of OpenAI's chat completions."""
    asked = [call["function"]["name"] for one in body["messages"] for call in one.get("tool_calls") or ()]
    told = json.dumps([one.get("content") for one in body["messages"] if one["role"] == "assistant"])
    asked += re.findall(r"'function': \{'name': '(\w+)'", told)  # smolagents has them in a text
    tools = [(one["function"]["name"], one["function"].get("parameters") or {}) for one in body.get("tools") or ()]
    wanted = None if body.get("tool_choice") == "none" else next_tool(tools, set(asked))
    if wanted is None:
        return {"role": "assistant", "content": ANSWER}
    function = {"name": wanted[0], "arguments": json.dumps(wanted[1])}
    call = {"id": f"call_{next(_numbers)}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def gemini(body: Mapping[str, Any]) -> dict[str, Any]:
    """The content of Gemini's candidates."""
    asked = {
        part["functionCall"]["name"] for one in body["contents"] for part in one["parts"] if "functionCall" in part
    }
    tools = [
        (
            one["name"],
            one.get("parameters") or one.get("parameters_json_schema") or one.get("parametersJsonSchema") or {},
        )
        for group in body.get("tools") or ()
        for one in group.get("functionDeclarations") or ()
    ]
    wanted = next_tool(tools, asked)
    part = {"text": ANSWER} if wanted is None else {"functionCall": {"name": wanted[0], "args": wanted[1]}}
    return {"role": "model", "parts": [part]}


class Handler(BaseHTTPRequestHandler):
    """Both formats."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if (
            "generateContent" in self.path.lower().replace("streamgenerate", "generate")
            or ":generateContent" in self.path
        ):
            told = {
                "candidates": [{"content": gemini(body), "finishReason": "STOP"}],
                "modelVersion": "gemini-2.5-flash",
            }
            told["usageMetadata"] = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
            return self._answer(told)
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if "embeddings" in self.path:
            data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
            return self._answer({"object": "list", "model": "small", "data": data, "usage": usage})
        message = chat(body)
        reason = "tool_calls" if message.get("tool_calls") else "stop"
        made = {"id": f"chatcmpl-{next(_numbers)}", "created": 1, "model": body["model"]}
        if body.get("stream"):
            return self._stream(made, message, reason, usage)
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return self._answer({**made, "object": "chat.completion", "choices": [choice], "usage": usage})

    def _stream(self, made: dict[str, Any], message: dict[str, Any], reason: str, usage: dict[str, int]) -> None:
        delta = {**message}
        if "tool_calls" in delta:
            delta["tool_calls"] = [{"index": 0, **delta["tool_calls"][0]}]
        made["object"] = "chat.completion.chunk"
        chunks = [
            {**made, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
            {**made, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
            {**made, "choices": [], "usage": usage},
        ]
        text = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self._send(text.encode(), "text/event-stream")

    def _answer(self, told: Mapping[str, Any]) -> None:
        self._send(json.dumps(told).encode(), "application/json")

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *about: Any) -> None:
        """Nothing."""


def serve() -> tuple[ThreadingHTTPServer, str]:
    """Start it. Returns the server, to shut down, and its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
