"""More calls than the worker can read: ``python -m benchmarks.burst [checkout ...]``.

An application offers so many calls a second for so long, from one thread, over a transport that answers from memory:
first bare, then watched. It keeps to its schedule where it can; what it reached, how late its calls were, and how long
one took tell whether we slow it. Of the calls: what was recorded while they were made, what a flush brought
afterwards, and what was dropped, all of them accounted for. Each in a process of its own, by where events go: nowhere,
to the local store, to Amplitude (on loopback, 0.2 s an answer), with the spool and without.
"""

from __future__ import annotations

import gc
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
#: Calls a second, seconds.
LOADS = ((2000, 8), (5000, 4))
WAYS = ("nowhere", "store", "amplitude", "spool")
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine. " * 40}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
    }
).encode()


class Nowhere:
    def track(self, event):
        pass


class Amplitude(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pause = 0.2

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.pause)
        data = b'{"code": 200}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def settle(way, directory, url):
    """Where events go in this process."""
    os.environ.pop("AMPLITUDE_API_KEY", None)
    os.environ["NO_PROXY"] = "127.0.0.1"
    if way in ("amplitude", "spool"):
        os.environ["AMPLITUDE_API_KEY"] = "a-key"
        os.environ["AMPLITUDE_SERVER_URL"] = url
    if way == "spool":
        os.environ["AMPLITUDE_AI_SPOOL"] = str(Path(directory) / "spool.db")
    os.environ["AMPLITUDE_AI_STORE"] = str(Path(directory) / "events.db")
    return Nowhere() if way == "nowhere" else None


def requests(number):
    """Requests that are made beforehand: what the application itself does is little, as where it waits."""
    import httpx2

    url = "https://api.openai.com/v1/chat/completions"
    for at in range(number):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Hello {at}, how are you today?"}]}
        yield httpx2.Request("POST", url, json=body, headers={"x-stainless-retry-count": "0"})


def offer(transport, found, rate):
    """(calls a second that were reached, how late the calls began at p50 and p99 in ms, µs of this thread a call)."""
    late = []
    began = time.perf_counter()
    cpu = time.thread_time_ns()
    for number, request in enumerate(found):
        due = began + number / rate
        now = time.perf_counter()
        # One that is behind makes up for it, at its own pace.
        while now < due:
            time.sleep(due - now)
            now = time.perf_counter()
        late.append(now - due)
        response = transport.handle_request(request)
        for _ in response.stream:
            pass
        response.close()
    cpu = time.thread_time_ns() - cpu
    spent = time.perf_counter() - began
    late.sort()
    return {
        "reached": len(found) / spent,
        "late_p50": late[len(late) // 2] * 1000,
        "late_p99": late[len(late) * 99 // 100] * 1000,
        "cpu_us": cpu / len(found) / 1000,
    }


def measure(way, rate, seconds, url):
    import httpx2

    import amplitude_ai

    with tempfile.TemporaryDirectory() as directory:
        client = settle(way, directory, url)
        inner = httpx2.MockTransport(
            lambda request: httpx2.Response(200, headers={"content-type": "application/json"}, content=ANSWER)
        )
        http_client = amplitude_ai.instrumented_httpx(transport=inner, amplitude_client=client)
        watched = http_client._transport
        offer(watched, list(requests(200)), 1000)
        amplitude_ai.flush(30)
        before = amplitude_ai.stats()
        rounds = [list(requests(rate * seconds)) for _ in range(2)]
        gc.collect()
        gc.freeze()  # what was made beforehand is no work of the garbage collector's
        told = {"bare": offer(inner, rounds[0], rate), "ours": offer(watched, rounds[1], rate)}
        then = amplitude_ai.stats()
        begun = time.perf_counter()
        flushed = amplitude_ai.flush(120)
        told["flush_s"] = time.perf_counter() - begun
        after = amplitude_ai.stats()

        def grown(name, stats):
            return stats.get(name, 0) - before.get(name, 0)

        done = "emitted" if way == "nowhere" else "delivered"
        took = rate * seconds / told["ours"]["reached"]
        told["meanwhile"] = grown("recorded", then) / took
        told["acknowledged"] = grown(done, then) / 2 / took
        told["recorded"] = grown("recorded", after)
        told["events"] = grown(done, after)
        told["dropped"] = {
            name: grown(name, after) for name in after if ("drop" in name or "spool" in name) and grown(name, after)
        }
        told["flushed"] = flushed
        http_client.close()
    return told


def main(arguments):
    rounds = 1
    if arguments[:1] == ["--rounds"]:
        rounds, arguments = int(arguments[1]), arguments[2:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Amplitude)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/2/httpapi"
    trees = [str(HERE), *arguments]
    for rate, seconds in LOADS:
        print(f"\n{rate} calls/s offered for {seconds} s")
        for way in WAYS:
            for _ in range(rounds):
                for tree in trees:
                    env = {**os.environ, "PYTHONPATH": tree}
                    command = [sys.executable, __file__, "--measure", way, str(rate), str(seconds), url]
                    made = subprocess.run(command, env=env, cwd=tree, capture_output=True, text=True, check=False)
                    if made.returncode:
                        print(f"  {way}: failed\n{made.stderr[-2000:]}")
                        continue
                    show(way, json.loads(made.stdout.splitlines()[-1]), Path(tree).name)
    server.shutdown()


def show(way, told, tree):
    bare, ours = told["bare"], told["ours"]
    lost = ", ".join(f"{name} {number}" for name, number in told["dropped"].items()) or "none lost"
    print(
        f"  {way:10} {tree:16} reached {ours['reached']:5.0f}/s (bare {bare['reached']:5.0f}); "
        f"late p50/p99 {ours['late_p50']:.2f}/{ours['late_p99']:.1f} ms "
        f"(bare {bare['late_p50']:.2f}/{bare['late_p99']:.1f}); "
        f"caller {ours['cpu_us']:.0f} µs (bare {bare['cpu_us']:.0f})"
    )
    print(
        f"    meanwhile recorded {told['meanwhile']:.0f}/s, acknowledged {told['acknowledged']:.0f}/s; in all recorded "
        f"{told['recorded']}, events done {told['events']}; flush {told['flush_s']:.1f} s"
        f"{'' if told['flushed'] else ' (not all)'}; {lost}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])))
    else:
        main(sys.argv[1:])
