"""Caller's-thread cost per call and per stream chunk: bare client, empty pass-through transport, ours.

One run, interleaved, over an in-memory inner transport, so that the network's noise does not hide microseconds. CPU
is the calling thread's own (``time.thread_time_ns``); the worker's is reported apart. Prints medians with their
spread, as differences to the pass-through (the floor of this approach) and as ratios to the bare client.
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

import httpx2

import amplitude_ai
from amplitude_ai.instrumentation.factory import instrumented_httpx

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
    yield "ours, explicit", instrumented_httpx(transport=inner, amplitude_client=Nowhere())


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


def report(title, figures, unit_count=1, unit="call"):
    print(f"\n{title} (µs of the caller's thread a {unit}; median of {len(next(iter(figures.values())))} repeats)")
    floor = statistics.median(figures["pass-through"]) / unit_count
    bare = statistics.median(figures["bare"]) / unit_count
    for name, values in figures.items():
        median = statistics.median(values) / unit_count
        low, high = min(values) / unit_count, max(values) / unit_count
        print(
            f"  {name:16} {median:9.3f}   [{low:.3f} .. {high:.3f}]   x{median / bare:.2f} of bare"
            f"   {median - floor:+9.3f} over pass-through"
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


def main():
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    report("Plain call", measure(list(clients([ANSWER], b"application/json")), repeats=15, calls=300))
    chunks = 2000
    stream = [bytes(CHUNK) for _ in range(chunks)]
    figures = measure(list(clients(stream, b"text/event-stream")), repeats=9, calls=10)
    report(f"Stream of {chunks} chunks", figures, chunks, "chunk")
    import_times()
    print("\nstats:", amplitude_ai.stats())


if __name__ == "__main__":
    main()
