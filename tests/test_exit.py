"""A script of one call that ends without a word: nothing is lost, and the process ends at once.

The whole way, in a process of its own: a real client, a real server, the default destination, no flush and no close.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[1]
#: What is promised is half a second; what is asserted leaves room for a busy machine, and the figure is printed.
PROMISED, ALLOWED = 0.5, 4.0

SCRIPT = """
import json, sys, time
import amplitude_ai
way, url = sys.argv[1:]
body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
streamed = {**body, "stream": True, "stream_options": {"include_usage": True}}
if way == "requests":
    amplitude_ai.instrumented_requests().post(url, json=body)
elif way == "global":
    import httpx2
    amplitude_ai.install_transport()
    httpx2.post(url, json=body)
elif way == "abandoned":
    client = amplitude_ai.instrumented_httpx()
    response = client.send(client.build_request("POST", url, json=streamed), stream=True)
    chunk = next(response.iter_raw())
elif way == "held":
    client = amplitude_ai.instrumented_httpx()
    response = client.send(client.build_request("POST", url, json=streamed), stream=True)
    reading = response.iter_raw()
    chunk = next(reading)
elif way == "raises":
    amplitude_ai.instrumented_httpx().post(url, json=body)
    print(time.time(), flush=True)
    raise SystemExit(3)
elif way == "async":
    import asyncio
    async def main():
        await amplitude_ai.instrumented_async_httpx().post(url, json=body)
    asyncio.run(main())
elif way == "thread":
    import threading
    call = lambda: amplitude_ai.instrumented_httpx().post(url, json=body)
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
else:
    amplitude_ai.instrumented_httpx().post(url, json=body)
print(time.time(), flush=True)
"""


def run(way, url, **env):
    """Run `SCRIPT` against the simulator; seconds from its last line to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, way, f"{url}/v1/chat/completions"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**kept, **env},
        timeout=60,
    )
    seconds = time.time() - float(done.stdout)
    assert done.returncode == (3 if way == "raises" else 0), done.stderr
    assert not done.stderr
    print(f"{way}: {seconds * 1000:.0f} ms from the last line to the end ({PROMISED * 1000:.0f} promised)")
    assert seconds < ALLOWED
    return seconds


@pytest.mark.parametrize("way", ["plain", "requests", "global", "async", "thread", "raises", "abandoned", "held"])
def test_a_script_of_one_call_loses_nothing(simulator, tmp_path, way):
    """The store holds the call, with its tokens and its finished run, however the script came to its end."""
    store = tmp_path / "events.db"
    run(way, simulator.url, AMPLITUDE_AI_STORE=str(store))
    (received,) = simulator.requests()
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    (record,) = connection.execute("SELECT * FROM llm_message").fetchall()
    (finished,) = connection.execute("SELECT * FROM llm_run_finished").fetchall()
    connection.close()
    assert finished["total_messages"] == 1
    if way in ("abandoned", "held"):
        assert record["stream_aborted"]
    else:
        assert (record["input_tokens"], record["output_tokens"]) == (received.told.input, received.told.output)


class Amplitude(BaseHTTPRequestHandler):
    """Takes whatever is sent."""

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.types += [event["event_type"] for event in sent["events"]]
        answer = json.dumps({"code": 200}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        """Say nothing."""


def test_with_a_key_all_of_it_is_sent(simulator):
    """With a key the events are at Amplitude when the process ends, though its SDK alone would wait for ten seconds."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Amplitude) as server:
        server.types = []
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        run("plain", simulator.url, AMPLITUDE_API_KEY="a-key", AMPLITUDE_SERVER_URL=url)
        server.shutdown()
    assert sorted(server.types) == ["llm_message", "llm_run_finished", "llm_run_started", "user_message"]
