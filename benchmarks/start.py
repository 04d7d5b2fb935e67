"""What it costs to be there: ``python -m benchmarks.start [checkout ...]``.

In fresh processes, with nothing else imported and beside the openai SDK: CPU of ``import amplitude_ai``, of
``install_transport()``, and of the first call over a second one; what the process does in a second in which no call is
made, some seconds after the last; and the memory all of it took. Trees take turns; medians.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROUNDS, IDLE_SECONDS = 5, 5
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
}
FIGURES = {
    "import": "import, ms",
    "install": "install_transport(), ms",
    "first": "first call over the second, whole process, ms",
    "memory": "memory, MB",
    "idle": "a second without calls, µs",
}


class Nowhere:
    def track(self, event):
        pass


def memory_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(beside):
    import httpx  # the client that makes the call

    if beside == "openai":
        import openai  # noqa: F401
    memory, at = memory_mb(), time.process_time()
    import amplitude_ai

    imported = time.process_time()
    amplitude_ai.install_transport(amplitude_client=Nowhere())
    installed = time.process_time()
    client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=ANSWER)))
    calls = []
    for number in range(3):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Hello {number}"}]}
        before = time.process_time()
        client.post("https://api.openai.com/v1/chat/completions", json=body)
        assert amplitude_ai.flush(30)
        calls.append(time.process_time() - before)
    assert amplitude_ai.stats()["recorded"] == 3
    told = {"import": imported - at, "install": installed - imported, "first": calls[0] - calls[1]}
    told = {name: seconds * 1000 for name, seconds in told.items()}
    told["memory"] = memory_mb() - memory
    time.sleep(5)
    before = time.process_time()
    time.sleep(IDLE_SECONDS)
    told["idle"] = (time.process_time() - before) / IDLE_SECONDS * 1e6
    return told


def main(checkouts):
    from ._trees import ask  # the script itself, which measures, is in no package

    trees = [str(HERE), *checkouts]
    print(f"| | | {' | '.join(FIGURES.values())} |\n|---|---|{'---|' * len(FIGURES)}")
    for beside in ("nothing", "openai"):
        found = {tree: [] for tree in trees}
        for _ in range(ROUNDS):
            for tree in trees:
                found[tree].append(ask(__file__, tree, beside))
        for tree, told in found.items():
            cells = [f"{statistics.median(one[name] for one in told):.1f}" for name in FIGURES]
            print(f"| beside {beside} | {Path(tree).name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(sys.argv[1:])
