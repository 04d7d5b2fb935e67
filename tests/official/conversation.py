"""One conversation, held by whoever instrumented the clients; and the server that answers it. Standard library only."""

import contextlib
import http.server
import json
import threading

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def _chat(number, message, finish, usage):
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": usage,
    }


def _usage(prompt, completion, cached=0, reasoning=0):
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
}


def _chunk(delta, finish=None, usage=None):
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-3",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": choices,
        "usage": usage,
    }


STREAM = [
    _chunk({"role": "assistant", "content": ""}),
    _chunk({"content": "It "}),
    _chunk({"content": "rains."}),
    _chunk({}, "stop"),
    _chunk({}, usage=_usage(90, 4)),
]
ANSWERS = [
    _chat(1, {"content": None, "tool_calls": [CALL]}, "tool_calls", _usage(50, 10, cached=20, reasoning=6)),
    _chat(2, {"content": "Sunny."}, "stop", _usage(70, 3)),
    STREAM,
    None,
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-20250514",
        "content": [{"type": "text", "text": "Bonjour."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 100,
        },
    },
]


@contextlib.contextmanager
def answering():
    """The URL of a server that gives `ANSWERS`, one a request, in order."""
    waiting = list(ANSWERS)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            answer = waiting.pop(0)
            kind = "text/event-stream" if isinstance(answer, list) else "application/json"
            if isinstance(answer, list):
                body = "".join(f"data: {json.dumps(frame)}\n\n" for frame in answer) + "data: [DONE]\n\n"
            else:
                error = {"error": {"message": "No such thing.", "type": "invalid_request_error", "code": "no_such"}}
                body = json.dumps(answer or error)
            self.send_response(200 if answer else 400)
            self.send_header("content-type", kind)
            self.send_header("x-request-id", f"req_{len(ANSWERS) - len(waiting)}")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def converse(openai, anthropic):
    """Two turns with a tool, a stream and an error; then another provider."""
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Paris?"}]
    create = openai.chat.completions.create
    answer = create(model="gpt-4o-mini", messages=said, tools=[TOOL], temperature=0.2, max_tokens=100, top_p=0.9)
    said += [
        answer.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny, 21 degrees"},
    ]
    create(model="gpt-4o-mini", messages=said, tools=[TOOL])
    said += [{"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "And Rome?"}]
    for _ in create(model="gpt-4o-mini", messages=said, stream=True, stream_options={"include_usage": True}):
        pass
    said += [{"role": "assistant", "content": "It rains."}, {"role": "user", "content": "And Oslo?"}]
    with contextlib.suppress(Exception):
        create(model="gpt-4o-mini", messages=said)
    anthropic.messages.create(
        model="claude-sonnet-4-20250514",
        max_tokens=64,
        system="Parle.",
        messages=[{"role": "user", "content": "Salut!"}],
    )
