"""Caller's-thread cost per call and per stream chunk: ``python -m benchmarks [checkout ...]``.

Bare client, empty pass-through transport (the floor of this approach), ours, taking turns over an in-memory inner
transport, so that the network's noise does not hide microseconds. CPU is the calling thread's own
(``time.thread_time_ns``); the worker works meanwhile. Of each the lowest repeat and the median, and the same over the
floor. With checkouts of other commits the rounds alternate.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx2

import amplitude_ai

HERE = Path(__file__).resolve().parent.parent
ROUNDS, CHUNKS = 3, 2000
URL = "https://api.openai.com/v1/chat/completions"
REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello, how are you today?"}]}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine. " * 40}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
    }
).encode()
CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o",'
    b'"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
)


class Answers(httpx2.SyncByteStream):
    def __init__(self, chunks):
        self.chunks = chunks

    def __iter__(self):
        yield from self.chunks


class Inner(httpx2.BaseTransport):
    def __init__(self, chunks, content_type):
        self.chunks = chunks
        self.headers = [(b"content-type", content_type), (b"x-request-id", b"req_1")] + [
            (b"x-header-%d" % i, b"value") for i in range(12)
        ]

    def handle_request(self, request):
        return httpx2.Response(200, headers=self.headers, stream=Answers(self.chunks))


class PassStream(httpx2.SyncByteStream):
    def __init__(self, stream):
        self.stream = stream

    def __iter__(self):
        yield from self.stream

    def close(self):
        self.stream.close()


class PassThrough(httpx2.BaseTransport):
    def __init__(self, inner):
        self.inner = inner

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        response.stream = PassStream(response.stream)
        return response


class Nowhere:
    def track(self, event):
        pass


def clients(chunks, content_type):
    inner = Inner(chunks, content_type)
    yield "bare", httpx2.Client(transport=inner)
    yield "pass-through", httpx2.Client(transport=PassThrough(inner))
    yield "ours, explicit", amplitude_ai.instrumented_httpx(transport=inner, amplitude_client=Nowhere())


def call(client):
    headers = {"authorization": "Bearer x", "x-stainless-retry-count": "0", "user-agent": "bench"}
    client.post(URL, json=REQUEST, headers=headers)


def measure(cases, repeats, calls):
    """Thread CPU per call in µs: {name: [one figure a repeat]}; cases interleaved inside each repeat."""
    figures = {name: [] for name, _ in cases}
    for _, client in cases:
        for _ in range(50):
            call(client)
    for _ in range(repeats):
        for name, client in cases:
            gc.collect()
            begun = time.thread_time_ns()
            for _ in range(calls):
                call(client)
            figures[name].append((time.thread_time_ns() - begun) / calls / 1000)
            amplitude_ai.flush(10)
    return figures


#: Work -> (its title, what the bytes are, calls a repeat, repeats a round, the unit, units a call).
WORK = {
    "call": ("Plain call", [ANSWER], b"application/json", 300, 5, "call", 1),
    "stream": (f"Stream of {CHUNKS} chunks", [bytes(CHUNK)] * CHUNKS, b"text/event-stream", 10, 3, "chunk", CHUNKS),
}


def measured(work):
    """{name: [µs a unit, one figure a repeat]} of this process."""
    _, chunks, content_type, calls, repeats, _, units = WORK[work]
    figures = measure(list(clients(chunks, content_type)), repeats, calls)
    told = amplitude_ai.stats()
    assert told["captured"] == told["recorded"], told
    assert not told["internal_errors"], told
    return {name: [value / units for value in values] for name, values in figures.items()}


def report(work, trees):
    """Processes of all trees take turns; the floor is that of the same process."""
    from ._trees import ask  # the script itself, which measures, is in no package

    title, *_, unit, _ = WORK[work]
    found = {tree: {} for tree in trees}
    for _ in range(ROUNDS):
        for tree in trees:
            for name, values in ask(__file__, tree, work).items():
                found[tree].setdefault(name, []).extend(values)
    print(f"\n{title} (µs of the caller's thread a {unit}: lowest [median] and, over the pass-through, the same)")
    for tree, figures in found.items():
        floor = figures["pass-through"]
        for name, values in figures.items():
            if tree != trees[0] and name != "ours, explicit":
                continue
            over = statistics.median(one - two for one, two in zip(values, floor, strict=True))
            print(
                f"  {name:16} {min(values):9.3f} [{statistics.median(values):.3f}]"
                f"   {min(values) - min(floor):+9.3f} [{over:+.3f}]   {Path(tree).name}",
                flush=True,
            )


def import_times():
    code = "import time; t=time.perf_counter(); import amplitude_ai; print((time.perf_counter()-t)*1000)"
    values = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout) for _ in range(7)
    ]
    loaded = (
        "import sys, amplitude_ai;"
        "print([m for m in ('httpx', 'httpx2', 'requests', 'openai', 'amplitude') if m in sys.modules])"
    )
    print(f"\nimport amplitude_ai: {statistics.median(values):.1f} ms (median of 7)")
    print(
        "  loads of HTTP libraries and SDKs:",
        subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout,
    )


def main(checkouts):
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    for work in WORK:
        report(work, [str(HERE), *checkouts])
    import_times()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measured(sys.argv[2])))
    else:
        main(sys.argv[1:])
