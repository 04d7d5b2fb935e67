"""How many instructions the worker needs for a call: ``python -m benchmarks.instructions [checkout ...]``.

Times differ by a third from run to run where others use the machine; what valgrind counts does not. Four kinds of
call, their captures made beforehand, to nowhere, to Amplitude's client (whose HTTP is a stand-in) and to the local
store. Only the handling of the captures is counted. Needs ``valgrind`` and a C compiler: two lines of C turn the
counting on and off.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
WAYS = ("nowhere", "amplitude", "store")
CALLS, WARM, TOGETHER = 100, 40, 20
SWITCH = """
#include <valgrind/callgrind.h>
void on(void) { CALLGRIND_START_INSTRUMENTATION; }
void off(void) { CALLGRIND_STOP_INSTRUMENTATION; }
"""
USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 80,
    "total_tokens": 94,
    "prompt_tokens_details": {"cached_tokens": 10, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
OPENAI = "https://api.openai.com/v1/chat/completions"
TOLD = {
    "openai-processing-ms": "321",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "1999000",
    "x-ratelimit-reset-requests": "6ms",
    "x-ratelimit-reset-tokens": "12ms",
    "date": "Fri, 27 Nov 2026 10:00:00 GMT",
    "server": "cloudflare",
}


def answered(number, message, reason="stop"):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    body = {"id": f"chatcmpl-{number}", "object": "chat.completion", "model": "gpt-4o-2024-08-06"}
    return "application/json", [json.dumps({**body, "choices": [choice], "usage": USAGE}).encode()]


def hello(number, model):
    return {"model": model, "messages": [{"role": "user", "content": f"Hello {number}, how are you today?"}]}


def plain(number):
    """A chat without a stream."""
    return OPENAI, hello(number, "gpt-4o"), *answered(number, {"content": "Fine. " * 40})


def stream(number):
    """A chat in fifty pieces."""
    base = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "model": "gpt-4o-2024-08-06"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": f" word{at}"} for at in range(50)), {}]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    chunks.append({**base, "choices": [], "usage": USAGE})
    asked = {**hello(number, "gpt-4o"), "stream": True, "stream_options": {"include_usage": True}}
    lines = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return OPENAI, asked, "text/event-stream", [*lines, b"data: [DONE]\n\n"]


def anthropic(number):
    """A message of Anthropic's in fifty pieces."""
    usage = {"input_tokens": 20, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 1}
    message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-sonnet-4-5", "content": [], "usage": usage}
    pieces = [{"type": "text_delta", "text": f" word{at}"} for at in range(50)]
    events = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 60}},
        {"type": "message_stop"},
    ]
    asked = {**hello(number, "claude-sonnet-4-5"), "max_tokens": 500, "stream": True}
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return "https://api.anthropic.com/v1/messages", asked, "text/event-stream", lines


def tools(number, steps=5):
    """A step of an agent: five tools offered, and what was called so far."""
    talk, step = divmod(number, steps)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    offered = [
        {"type": "function", "function": {"name": f"tool_{at}", "description": "Useful. " * 12, "parameters": schema}}
        for at in range(5)
    ]

    def call(at):
        function = {"name": f"tool_{at}", "arguments": json.dumps({"city": f"City {talk} {at}"})}
        return {"content": None, "tool_calls": [{"id": f"call_{talk}_{at}", "type": "function", "function": function}]}

    turns = [{"role": "system", "content": "You use tools. " * 20}, *hello(talk, "")["messages"]]
    for at in range(step):
        turns.append({"role": "assistant", **call(at)})
        turns.append({"role": "tool", "tool_call_id": f"call_{talk}_{at}", "content": "sunny " * 30})
    last = step == steps - 1
    message = answered(number, {"content": "Sunny. " * 30} if last else call(step), "stop" if last else "tool_calls")
    return OPENAI, {"model": "gpt-4o", "messages": turns, "tools": offered}, *message


KINDS = {make.__name__: make for make in (plain, stream, anthropic, tools)}


def captured(make, calls):
    """Finished captures of so many calls, and the client that they are of."""
    import httpx2

    from amplitude_ai import instrumented_httpx
    from amplitude_ai._runtime import runtime

    class Pieces(httpx2.SyncByteStream):
        def __iter__(self):
            return iter(now[3])

    def answer(request):
        return httpx2.Response(200, stream=Pieces(), headers={**TOLD, "content-type": now[2]})

    found, now = [], ()
    submit, runtime.worker.submit = runtime.worker.submit, lambda item, *_, **__: bool(found.append(item)) or True
    client = instrumented_httpx(transport=httpx2.MockTransport(answer))
    found.clear()  # what binding a client hands over
    for number in range(calls):
        now = make(number)
        client.post(now[0], json=now[1], headers={"x-stainless-retry-count": "0"})
    runtime.worker.submit = submit
    return client, found


def counted(kind, way, switch):
    """Handle captures, the first of them uncounted."""
    from benchmarks.worker import settled

    with tempfile.TemporaryDirectory() as directory:
        runtime = settled(way, directory)
        commit = getattr(runtime, "commit", int)  # an older commit of this package has nothing to commit
        client, found = captured(KINDS[kind], WARM + CALLS)

        def handle(some):
            for at in range(0, len(some), TOGETHER):
                for capture in some[at : at + TOGETHER]:
                    runtime.process(capture)
                commit()

        handle(found[:WARM])
        gc.collect()
        gc.disable()
        counting = ctypes.CDLL(switch)
        counting.on()
        handle(found[WARM:])
        counting.off()
        client.close()


def main(checkouts):
    with tempfile.TemporaryDirectory() as directory:
        source, switch, out = (str(Path(directory) / name) for name in ("switch.c", "switch.so", "out"))
        Path(source).write_text(SWITCH)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", switch], check=True)
        count = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.executable]
        print("thousands of instructions a call")
        for way in WAYS:
            for kind in KINDS:
                told = []
                for tree in (str(HERE), *checkouts):
                    env = {**os.environ, "PYTHONPATH": tree, "PYTHONHASHSEED": "0"}
                    arguments = [__file__, "--count", kind, way, switch]
                    made = subprocess.run([*count, *arguments], env=env, cwd=tree, capture_output=True, check=True)
                    told.append(int(re.search(rb"Collected : (\d+)", made.stderr)[1]) / CALLS / 1000)
                print(f"  {way:10} {kind:10} " + "  ".join(f"{number:6.0f}" for number in told), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--count"]:
        counted(*sys.argv[2:5])
    else:
        main(sys.argv[1:])
