"""How long the worker holds the interpreter at a time: ``python -m benchmarks.holds [checkout ...]``.

Calls of 10 MB are handled on one thread while another asks for the interpreter, over and over. It is to be given up at
once wherever that can be (the switch interval is 10 µs), so what the other still waits is one call that does not let
go: a decoder, a search. The longest wait of each handling; the lowest and the median of these, and the CPU of the
handling. Each tree has a process of its own for each kind of call, and they take turns.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPEATS, ROUNDS = 7, 3
SIZE = 10_000_000
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
}


def turns(number):
    """A conversation of 10 MB, all of its texts different."""
    long = SIZE // number
    text = "The quick brown fox said: no.\n" * (long // 30 + 1)
    return [{"role": ("user", "assistant")[at % 2], "content": f"{at} {text[:long]}"} for at in range(number)]


def picture():
    url = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEACAIAAADTED8xAAAK+/5z" * (SIZE // 56)
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


#: Kind of call -> (title, its messages).
KINDS = {
    "many": ("2,000 turns", lambda: turns(2000)),
    "twenty": ("20 turns of 500 KB", lambda: turns(20)),
    "one": ("one turn of 10 MB", lambda: turns(1)),
    "picture": ("an image of 10 MB", picture),
}


class Nowhere:
    def track(self, event):
        pass


def captured(messages, number):
    import httpx2

    import amplitude_ai
    from amplitude_ai._runtime import runtime

    found = []
    client = amplitude_ai.instrumented_httpx(
        transport=httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER)), amplitude_client=Nowhere()
    )
    submit, runtime.worker.submit = runtime.worker.submit, lambda item, *_, **__: bool(found.append(item)) or True
    for _ in range(number):
        body = {"model": "gpt-4o", "messages": messages}
        client.post("https://api.openai.com/v1/chat/completions", json=body)
    runtime.worker.submit = submit
    return found


def longest_wait(handle):
    """(the longest that another thread waits for the interpreter while this runs, CPU of this thread), in ms."""
    asked, ended = [], threading.Event()

    def ask():
        while not ended.is_set():
            at = time.perf_counter()
            time.sleep(0)  # lets go of it and takes it again
            asked.append((at, time.perf_counter()))

    other = threading.Thread(target=ask)
    other.start()
    time.sleep(0.01)
    began, cpu = time.perf_counter(), time.thread_time()
    handle()
    cpu = time.thread_time() - cpu
    ended.set()
    other.join()
    return max(got - at for at, got in asked if got > began) * 1000, cpu * 1000


def measure(kind):
    from amplitude_ai._runtime import runtime

    found = captured(KINDS[kind][1](), REPEATS + 1)
    sys.setswitchinterval(1e-5)
    told = [longest_wait(lambda one=one: runtime.process(one)) for one in found][1:]
    return {"waits": [wait for wait, _ in told], "cpu": [cpu for _, cpu in told]}


def main(checkouts):
    from ._trees import ask  # the script itself, which measures, is in no package

    trees = [str(HERE), *checkouts]
    print("ms: the longest hold of the interpreter, lowest [median]; CPU of the handling, lowest")
    for kind, (title, _) in KINDS.items():
        figures = {tree: {"waits": [], "cpu": []} for tree in trees}
        for _ in range(ROUNDS):
            for tree in trees:
                for name, values in ask(__file__, tree, kind).items():
                    figures[tree][name] += values
        for tree, found in figures.items():
            waits, cpu = found["waits"], min(found["cpu"])
            middle = statistics.median(waits)
            print(f"  {title:20} {min(waits):7.2f} [{middle:.2f}]   {cpu:7.1f}   {Path(tree).name}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:])
