"""What a call costs the worker: ``python -m benchmarks.worker [checkout ...]``.

Captures of plain and streamed calls, all different, are made beforehand and then handled one after the other, here:
CPU of all threads of a fresh process, by where events go (nowhere, to Amplitude's client, whose HTTP is a stand-in,
to the local store), the writing, sending and acknowledging included. With checkouts of other commits the rounds
alternate, so that a machine's moods hit all alike; the figure of a round is the best of a few thousand calls' parts.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

CALLS, PARTS, ROUNDS = 400, 8, 5
WAYS = ("nowhere", "amplitude", "store")
HERE = Path(__file__).resolve().parent.parent


def captured(calls):
    """Finished captures, no two alike."""
    import httpx2

    from amplitude_ai import instrumented_httpx
    from amplitude_ai._runtime import runtime

    def answer(request):
        number = request.headers["number"]
        body = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Fine. " * 40}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
        }
        return httpx2.Response(200, json=body, headers={"x-request-id": f"req_{number}"})

    found = []
    submit, runtime.worker.submit = runtime.worker.submit, lambda item, *_, **__: bool(found.append(item)) or True
    client = instrumented_httpx(transport=httpx2.MockTransport(answer))
    found.clear()  # what binding a client hands over
    for number in range(calls):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Hello {number}, how are you today?"}]}
        client.post("https://api.openai.com/v1/chat/completions", json=body, headers={"number": str(number)})
    runtime.worker.submit = submit
    return client, found


class Nowhere:
    def track(self, event):
        pass


def settled(way, directory):
    """Where events go in this process."""
    from amplitude_ai._runtime import runtime

    if way == "nowhere":
        runtime.default_client = Nowhere()
    elif way == "amplitude":
        os.environ["AMPLITUDE_API_KEY"] = "a-key"
        from amplitude.http_client import HttpClient, HttpStatus, Response

        HttpClient.post = staticmethod(lambda *_, **__: Response(HttpStatus.SUCCESS, {"code": 200}))
    else:
        os.environ.pop("AMPLITUDE_API_KEY", None)
        os.environ["AMPLITUDE_AI_STORE"] = str(Path(directory) / "events.db")
    return runtime


def measure(way):
    """µs of CPU a call: the worker's thread, and with it whoever sends or writes for it."""
    with tempfile.TemporaryDirectory() as directory:
        runtime = settled(way, directory)
        import amplitude_ai

        client, found = captured(CALLS * (PARTS + 1))
        commit = getattr(runtime, "commit", int)  # an older commit of this package has nothing to commit
        worker, whole = [], []
        for part in range(PARTS + 1):
            gc.collect()
            cpu, thread = time.process_time_ns(), time.thread_time_ns()
            for capture in found[part * CALLS : (part + 1) * CALLS]:
                runtime.process(capture)
            commit()
            thread = time.thread_time_ns() - thread
            assert amplitude_ai.flush(60)
            cpu = time.process_time_ns() - cpu
            if part:  # the first one imports and warms up
                worker.append(thread / CALLS / 1000)
                whole.append(cpu / CALLS / 1000)
        told = amplitude_ai.stats()
        assert told["recorded"] == len(found), told
        client.close()
    return {"worker": min(worker), "whole": min(whole), "median": statistics.median(whole)}


def main(checkouts):
    from ._trees import ask  # the script itself, which measures, is in no package

    trees = [str(HERE), *checkouts]
    figures = {(way, tree): [] for way in WAYS for tree in trees}
    for _ in range(ROUNDS):
        for way in WAYS:
            for tree in trees:
                figures[way, tree].append(ask(__file__, tree, way))
    print(f"µs of CPU a call, best of {ROUNDS} rounds [median]: worker's thread; with senders, flush and acknowledging")
    for way in WAYS:
        for tree in trees:
            best = {name: min(one[name] for one in figures[way, tree]) for name in ("worker", "whole")}
            middle = statistics.median(one["median"] for one in figures[way, tree])
            print(f"  {way:10} {best['worker']:7.1f} {best['whole']:7.1f} [{middle:.1f}]  {tree}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:])
