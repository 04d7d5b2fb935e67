"""One way of watching, in a process of its own: peers patch whole SDKs, so no two of them share one.

``python _worker.py <way>`` prints a line once it is ready. Then each line of stdin, ``<work> <calls>``, is answered
with a line of JSON (`measure`), or with ``{}`` when the way does not have such work.
A script, not a module: the official ``amplitude-ai`` has the import name of this package, and lives in another
environment.
"""

import asyncio
import gc
import itertools
import json
import os
import sys
import threading
import time
import tracemalloc

HELLO = [{"role": "user", "content": "Hello, how are you today?"}]
HISTORY = [{"role": ("user", "assistant")[i % 2], "content": "x" * 5000} for i in range(20)] + HELLO
IMAGE = "data:image/png;base64," + "A" * 10_000_000
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": IMAGE}}]}]
MODEL = "gpt-4o-mini"
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}
CONCURRENT = 64
ITEMS = itertools.count()


def plain(way):
    way.openai.chat.completions.create(model=MODEL, messages=HELLO)


def history(way):
    way.openai.chat.completions.create(model=MODEL, messages=HISTORY)


def image(way):
    way.openai.chat.completions.create(model=MODEL, messages=PICTURE)


def stream(way):
    for _ in way.openai.chat.completions.create(model=MODEL, messages=HELLO, **STREAMED):
        pass


def anthropic(way):
    for _ in way.anthropic.messages.create(model="claude-sonnet-4-5", max_tokens=500, messages=HELLO, stream=True):
        pass


def other(way):
    way.other.get(f"https://shop.example/items/{next(ITEMS)}")  # a path that was not seen before, as most are


def concurrent(way):
    async def main():
        await asyncio.gather(
            *(way.async_openai.chat.completions.create(model=MODEL, messages=HELLO) for _ in range(CONCURRENT))
        )

    LOOP.run_until_complete(main())


WORK = {work.__name__: work for work in (plain, history, image, stream, anthropic, other, concurrent)}
LOOP = asyncio.new_event_loop()


def measure(way, work, calls):
    """CPU of the calling thread and of the process, in ns; time of the clock of each call, in ns."""
    walls = []
    cpu, thread = time.process_time_ns(), time.thread_time_ns()
    for _ in range(calls):
        at = time.perf_counter_ns()
        WORK[work](way)
        walls.append(time.perf_counter_ns() - at)
    thread = time.thread_time_ns() - thread
    way.flush()
    time.sleep(0.1)  # what others do in the background, they may do now
    cpu = time.process_time_ns() - cpu
    return {"thread_ns": thread, "process_ns": cpu, "walls_ns": walls, "threads": threading.active_count()}


def held(way, streams):
    """Bytes allocated for each stream that is half read."""
    open_streams = []
    tracemalloc.start()
    for _ in range(streams):
        one = way.openai.chat.completions.create(model=MODEL, messages=HELLO, **STREAMED)
        for _ in range(100):
            next(iter(one))
        open_streams.append(one)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for one in open_streams:
        one.close()
    return {"bytes": size / streams}


def lag(way, calls):
    """How late a timer of the event loop is, in ms, while calls of 100 KB are made: the loop's other users wait so."""
    late = []

    async def ticker():
        while True:
            at = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append((time.perf_counter() - at) * 1000 - 1)

    async def main():
        watch = asyncio.ensure_future(ticker())
        for _ in range(calls):
            await way.async_openai.chat.completions.create(model=MODEL, messages=HISTORY)
            await asyncio.sleep(0.003)
        watch.cancel()

    LOOP.run_until_complete(main())
    way.flush()
    return {"late_ms": late}


def main():
    name = sys.argv[1]
    before = time.perf_counter()
    import _ways

    way = getattr(_ways, name)()
    ready = (time.perf_counter() - before) * 1000
    print(json.dumps({"ready_ms": ready}), flush=True)
    for line in sys.stdin:
        work, calls = line.split()
        if getattr(way, work if work in ("anthropic", "other") else "openai") is None:
            told = {}
        elif work == "held":
            told = held(way, int(calls))
        elif work == "lag":
            told = lag(way, int(calls))
        else:
            told = measure(way, work, int(calls))
        print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
