"""Calls and streams over real sockets: ``python -m benchmarks.sockets [--rounds N] [checkout ...]``.

A server on loopback, in a process of its own, answers the openai SDK after 0, 50 and 500 ms, and streams events to the
HTTP libraries: an event is a chunk on the wire. The bare client, this tree and checkouts of other commits have a
process each and take turns, repeat by repeat. For each: the CPU of the calling thread, that of the whole process (what
is done afterwards with it), and the time the call takes; of the bare client the lowest and [the median], of the others
what they add: the lowest over the bare client's lowest, and [the median of the differences within a repeat].
"""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
EVENTS = 500
CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello, how are you today?"}]}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine. " * 40}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
}
CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}],
}
#: Work -> (title, what is counted, calls a repeat, repeats).
WORK = {
    "call_0": ("openai SDK, the server answers at once", "call", 40, 41),
    "call_50": ("openai SDK, the server takes 50 ms", "call", 8, 11),
    "call_500": ("openai SDK, the server takes 500 ms", "call", 2, 9),
    "httpx_chunks": ("httpx, a stream", "event", 2, 31),
    "httpx2_async": ("httpx2, async, a stream", "event", 2, 31),
    "aiohttp_chunks": ("aiohttp, a stream by chunks", "event", 2, 31),
    "aiohttp_lines": ("aiohttp, a stream by lines", "event", 2, 31),
    "requests_lines": ("requests, a stream by lines", "event", 2, 31),
}


class Server(http.server.BaseHTTPRequestHandler):
    """Answers, or streams, as the request asks."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if said.get("stream"):
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(self.stream)
            return
        time.sleep(float(self.headers.get("x-delay-ms", 0)) / 1000)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass

    answer = json.dumps(ANSWER).encode()
    stream = b"".join(
        b"%x\r\n%s\r\n" % (len(event), event)
        for event in [b"data: " + json.dumps(CHUNK).encode() + b"\n\n"] * EVENTS + [b"data: [DONE]\n\n"]
    )
    stream += b"0\r\n\r\n"


def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


class Nowhere:
    def track(self, event):
        pass


class Clients:
    """The work, by name; each function does it once."""

    def __init__(self, url):
        import aiohttp
        import httpx
        import httpx2
        import openai
        import requests

        self.loop = asyncio.new_event_loop()
        self.url = f"{url}/v1/chat/completions"
        self.openai = openai.OpenAI(base_url=f"{url}/v1", api_key="a-key", max_retries=0)
        self.httpx, self.httpx2 = httpx.Client(), httpx2.AsyncClient()
        self.requests = requests.Session()

        async def session():
            return aiohttp.ClientSession()

        self.aiohttp = self.loop.run_until_complete(session())
        self.streamed = {**CALL, "stream": True}

    def _call(self, ms):
        self.openai.chat.completions.create(**CALL, extra_headers={"x-delay-ms": str(ms)})

    def call_0(self):
        self._call(0)

    def call_50(self):
        self._call(50)

    def call_500(self):
        self._call(500)

    def httpx_chunks(self):
        with self.httpx.stream("POST", self.url, json=self.streamed) as response:
            for _ in response.iter_bytes():
                pass

    def httpx2_async(self):
        async def read():
            async with self.httpx2.stream("POST", self.url, json=self.streamed) as response:
                async for _ in response.aiter_bytes():
                    pass

        self.loop.run_until_complete(read())

    def _aiohttp(self, by):
        async def read():
            async with self.aiohttp.post(self.url, json=self.streamed) as response:
                async for _ in by(response.content):
                    pass

        self.loop.run_until_complete(read())

    def aiohttp_chunks(self):
        self._aiohttp(lambda content: content.iter_any())

    def aiohttp_lines(self):
        self._aiohttp(lambda content: content)

    def requests_lines(self):
        with self.requests.post(self.url, json=self.streamed, stream=True) as response:
            for _ in response.iter_lines(chunk_size=None):
                pass


def work(way, url):
    """Answers ``<work> <calls>`` with nanoseconds: of the thread, of the process, and of the clock by call."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    flush = int
    if way == "watched":
        import amplitude_ai

        amplitude_ai.install_transport(amplitude_client=Nowhere())
        flush = amplitude_ai.flush
    clients = Clients(url)
    print("{}", flush=True)
    for line in sys.stdin:
        name, calls = line.split()
        run, walls = getattr(clients, name), []
        whole, thread = time.process_time_ns(), time.thread_time_ns()
        for _ in range(int(calls)):
            at = time.perf_counter_ns()
            run()
            walls.append(time.perf_counter_ns() - at)
        thread = time.thread_time_ns() - thread
        flush(30)
        whole = time.process_time_ns() - whole
        print(json.dumps({"thread": thread, "process": whole, "wall": statistics.median(walls)}), flush=True)
    if way == "watched":
        told = amplitude_ai.stats()
        assert told["recorded"], told
        assert not told["internal_errors"], told
    os._exit(0)


class Child:
    """One way, in a process of its own."""

    def __init__(self, way, tree, url):
        command = [sys.executable, "-W", "ignore", __file__, "--work", way, url]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE")}
        env = {**kept, "PYTHONPATH": tree}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=tree, env=env)
        self.process.stdout.readline()

    def ask(self, name, calls):
        self.process.stdin.write(f"{name} {calls}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def main(arguments):
    share = 1.0
    if arguments[:1] == ["--rounds"]:
        share, arguments = int(arguments[1]) / 31, arguments[2:]
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    ways = {"bare": ("bare", str(HERE)), "this": ("watched", str(HERE))}
    ways |= {Path(tree).name: ("watched", tree) for tree in arguments}
    children = {name: Child(way, tree, url) for name, (way, tree) in ways.items()}
    print("| | | caller's CPU, µs | whole process, µs | its time, µs |\n|---|---|---|---|---|")
    for name, (title, unit, calls, repeats) in WORK.items():
        units = calls * (EVENTS if unit == "event" else 1)
        found = {way: [] for way in children}
        for repeat in range(-1, max(int(repeats * share), 3)):
            for way, child in children.items():
                told = child.ask(name, calls)
                if repeat >= 0:
                    found[way].append(told)
        show(title, unit, units, calls, found)
    for child in children.values():
        child.process.stdin.close()
        child.process.wait()
    server.kill()


def show(title, unit, units, calls, found):
    scale = {"thread": units * 1000, "process": units * 1000, "wall": units / calls * 1000}
    for way, told in found.items():
        cells = []
        for figure, by in scale.items():
            own = [one[figure] / by for one in told]
            floor = [one[figure] / by for one in found["bare"]]
            if way == "bare":
                cells.append(f"{min(own):.2f} [{statistics.median(own):.2f}]")
                continue
            added = statistics.median(one - two for one, two in zip(own, floor, strict=True))
            cells.append(f"{min(own) - min(floor):+.2f} [{added:+.2f}]")
        print(f"| {f'{title}, a {unit}' if way == 'bare' else ''} | {way} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve()
    elif sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:])
    else:
        main(sys.argv[1:])
