"""How the cost grows: ``python -m benchmarks.growth``; prints a table, writes ``growth.svg``.

Each series grows tenfold a step; a cost is linear or better where its figure a unit does not rise. Over an in-memory
transport; all of the process's CPU, the worker's included, less the bare client's for the same work.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import platform
import statistics
import time
import tracemalloc
from pathlib import Path

import httpx2

import amplitude_ai

from .__main__ import ANSWER, CHUNK, URL, Inner, Nowhere

PICTURE = Path(__file__).with_name("growth.svg")


class Held(httpx2.AsyncByteStream):
    """A stream that is in flight until it is let go."""

    def __init__(self, gate, chunks):
        self.gate, self.chunks = gate, chunks

    async def __aiter__(self):
        for _ in range(self.chunks):
            yield bytes(CHUNK)
        await self.gate.wait()
        yield b"data: [DONE]\n\n"


def cpu(work, repeats):
    """Median CPU of the process for ``work``, in µs, the worker's included."""
    figures = []
    for _ in range(repeats):
        began = time.process_time_ns()
        work()
        amplitude_ai.flush(120)
        figures.append((time.process_time_ns() - began) / 1000)
    return statistics.median(figures)


def pair(chunks, content_type):
    inner = Inner(chunks, content_type)
    return httpx2.Client(transport=inner), amplitude_ai.instrumented_httpx(transport=inner, amplitude_client=Nowhere())


def history():
    """(bytes of history, µs a call, ns a byte)."""
    bare, ours = pair([ANSWER], b"application/json")
    for size in (10**3, 10**4, 10**5, 10**6, 10**7):
        turns = [{"role": ("user", "assistant")[i % 2], "content": "x" * (size // 20)} for i in range(20)]
        body = json.dumps({"model": "gpt-4o", "messages": [*turns, {"role": "user", "content": "Hi"}]}).encode()
        repeats = 9 if size < 10**7 else 3
        over = cpu(lambda body=body: ours.post(URL, content=body), repeats)
        over -= cpu(lambda body=body: bare.post(URL, content=body), repeats)
        yield size, over


def stream():
    """(chunks, µs a stream)."""
    for chunks in (10, 100, 1000, 10**4, 10**5, 10**6):
        pieces = [bytes(CHUNK)] * chunks
        bare, ours = pair(pieces, b"text/event-stream")
        repeats = 9 if chunks < 10**4 else 3

        def read(client):
            with client.stream("POST", URL, json={"model": "gpt-4o", "messages": [], "stream": True}) as response:
                for _ in response.iter_raw():
                    pass

        yield chunks, cpu(lambda: read(ours), repeats) - cpu(lambda: read(bare), repeats)  # noqa: B023


def concurrent():
    """(streams in flight, bytes held for each beyond its content)."""
    for streams in (1, 10, 100, 1000):
        yield streams, asyncio.run(_held(streams))


async def _held(streams):
    content = 50 * len(CHUNK)

    async def hold(client, gate, started):
        async with client.stream("POST", URL, json={"model": "m", "messages": [], "stream": True}) as response:
            seen = 0
            async for _ in response.aiter_raw():
                seen += 1
                if seen == 50:
                    started.release()

    async def measure(make):
        gate, started = asyncio.Event(), asyncio.Semaphore(0)
        transport = httpx2.MockTransport(lambda request: httpx2.Response(200, stream=Held(gate, 50)))
        async with make(transport) as client:
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            tasks = [asyncio.create_task(hold(client, gate, started)) for _ in range(streams)]
            for _ in range(streams):
                await started.acquire()
            held = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            gate.set()
            await asyncio.gather(*tasks)
        return held / streams

    bare = await measure(lambda transport: httpx2.AsyncClient(transport=transport))
    ours = await measure(
        lambda transport: amplitude_ai.instrumented_async_httpx(transport=transport, amplitude_client=Nowhere())
    )
    return ours - bare - content


def sessions():
    """(open sessions, µs of process CPU a call of another new session)."""
    bare, ours = pair([ANSWER], b"application/json")
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    opened = 0
    for target in (1, 10, 100, 1000, 10**4, 10**5):
        while opened < target:
            with amplitude_ai.context(user_id=f"user-{opened}", session_id=f"session-{opened}"):
                ours.post(URL, json=body)
            opened += 1
            if opened % 2000 == 0:
                amplitude_ai.flush(60)
        amplitude_ai.flush(60)

        def calls(client):
            for number in range(200):
                with amplitude_ai.context(user_id=f"user-{number}", session_id=f"session-{opened - 1}"):  # noqa: B023
                    client.post(URL, json=body)

        yield target, (cpu(lambda: calls(ours), 5) - cpu(lambda: calls(bare), 5)) / 200


def lag():
    """p99 and worst lag of the event loop, in ms, with the bare client and with ours: small requests, 10 MB ones.

    A call every 5 ms, of 10 MB every 50 ms; the first call of all, which imports parsers and prices, is before.
    """
    big = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "word " * 2 * 10**6}]}).encode()
    url = {"url": "data:image/png;base64," + base64.b64encode(os.urandom(75 * 10**5)).decode()}
    image = json.dumps(
        {"model": "gpt-4o", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]}
    ).encode()
    small = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello " * 200}]}).encode()

    async def measure(make, body, calls, pause):
        lags, stop = [], asyncio.Event()

        async def watch():
            while not stop.is_set():
                at = time.perf_counter()
                await asyncio.sleep(0.001)
                lags.append((time.perf_counter() - at - 0.001) * 1000)

        transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
        async with make(transport) as client:
            await client.post(URL, content=small)
            amplitude_ai.flush(10)
            watcher = asyncio.create_task(watch())
            for _ in range(calls):
                await client.post(URL, content=body)
                await asyncio.sleep(pause)
            await asyncio.sleep(0.5)
            stop.set()
            await watcher
        lags.sort()
        return lags[int(len(lags) * 0.99)], lags[-1]

    def ours(transport):
        return amplitude_ai.instrumented_async_httpx(transport=transport, amplitude_client=Nowhere())

    for title, body, calls, pause in (
        ("small requests", small, 600, 0.005),
        ("10 MB images", image, 60, 0.05),
        ("10 MB of text", big, 60, 0.05),
    ):
        bare = asyncio.run(measure(lambda transport: httpx2.AsyncClient(transport=transport), body, calls, pause))
        watched = asyncio.run(measure(ours, body, calls, pause))
        yield title, bare, watched


def other_host():
    """µs a call to a host that is not watched adds while installed globally."""
    body, url = {"q": 1}, "https://example.com/search"

    def thread(client):
        began = time.thread_time_ns()
        for _ in range(2000):
            client.post(url, json=body)
        return (time.thread_time_ns() - began) / 2000 / 1000

    inner = Inner([b"{}"], b"application/json")
    client = httpx2.Client(transport=inner)
    without, with_hook = [], []
    for _ in range(15):
        without.append(thread(client))
        amplitude_ai.install_transport(amplitude_client=Nowhere())
        with_hook.append(thread(client))
        amplitude_ai.uninstall_transport()
    return statistics.median(with_hook) - statistics.median(without), statistics.median(without)


def svg(series):
    """One small plot a series, both axes logarithmic."""
    width, height, parts = 220, 200, []
    for index, (title, points) in enumerate(series):
        left = 20 + index * (width + 30)
        xs = [math.log10(max(x, 1e-9)) for x, _ in points]
        ys = [math.log10(max(y, 1e-3)) for _, y in points]
        low, span = min(ys), max(max(ys) - min(ys), 1)
        places = [
            f"{left + (x - xs[0]) / max(xs[-1] - xs[0], 1) * width:.1f},{height - (y - low) / span * (height - 50):.1f}"
            for x, y in zip(xs, ys, strict=True)
        ]
        parts.append(f'<text x="{left}" y="20">{title}</text>')
        parts.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="#1f6feb" stroke-width="2"/>')
        parts.append(f'<text x="{left}" y="{height + 20}" fill="#666">{points[0][0]:g} .. {points[-1][0]:g}</text>')
    total = 20 + len(series) * (width + 30)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height + 40}" font-family="sans-serif" '
        f'font-size="11"><rect width="{total}" height="{height + 40}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def main():
    version = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{version}, {os.cpu_count()} cores, {platform.machine()}")
    series = []
    for title, unit, found in (
        ("history, bytes -> µs a call", "byte", list(history())),
        ("stream, chunks -> µs a stream", "chunk", list(stream())),
        ("streams in flight -> bytes held each", None, list(concurrent())),
        ("open sessions -> µs a call", None, list(sessions())),
    ):
        series.append((title, found))
        print(f"\n{title}")
        for size, figure in found:
            each = f"   {figure * 1000 / size:.2f} ns a {unit}" if unit else ""
            print(f"  {size:>10}  {figure:12.1f}{each}")
    over, base = other_host()
    print(f"\na host that is not watched, while installed: {over:+.2f} µs a call (of {base:.1f})")
    for title, bare, ours in lag():
        print(
            f"loop lag, {title}: bare p99 {bare[0]:.2f} worst {bare[1]:.2f} ms, ours {ours[0]:.2f} / {ours[1]:.2f} ms"
        )
    PICTURE.write_text(svg(series))
    amplitude_ai.flush(60)


if __name__ == "__main__":
    main()
