"""Keys, cookies and credentials planted wherever a program has them; then every output there is is searched.

One process of its own makes calls by six HTTP libraries, with and without success, at the lowest log level. Searched:
what it printed and logged, every ``repr``, what Amplitude got, the spool and the store, the counters.
"""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: In every canary; the figure behind it tells which one it was.
MARK = "canary0"

PROGRAM = r'''
import asyncio, json, logging, sys, urllib.request
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
for name in ("httpcore", "httpcore2", "httpx", "httpx2", "urllib3", "hpack", "asyncio"):
    logging.getLogger(name).setLevel(logging.CRITICAL)  # their own logs are not ours to answer for
import aiohttp, httpx, httpx2, requests, urllib3
import amplitude_ai
url, gone = sys.argv[1:]
HEADERS = {
    "Authorization": "Bearer canary0-1", "x-api-key": "canary0-2", "api-key": "canary0-3",
    "x-goog-api-key": "canary0-4", "Cookie": "session=canary0-5", "Proxy-Authorization": "Basic canary0-6",
    "x-amz-security-token": "canary0-7", "X-Custom-Secret": "canary0-8",
}
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
MANY = [
    f"{url}/v1/chat/completions?key=canary0-9&api_key=canary0-10&sig=canary0-11",
    url.replace("//", "//user:canary0-12@") + "/v1/chat/completions",
    f"{url}/v1/chat/completions?status=401&access_token=canary0-13",
    gone.replace("//", "//user:canary0-14@") + "/v1/chat/completions?key=canary0-15",
    gone + "/v1/chat/completions?code=canary0-20&subscription-key=canary0-21&X-Goog-Signature=canary0-22",
    gone + "/v1/chat/completions?client_secret=canary0-23&password=canary0-24&id_token=canary0-25",
    gone + "/v1/chat/completions?x-functions-key=canary0-26&auth=canary0-27",
]
ILLEGAL = {**HEADERS, "Authorization": "Bearer canary0-28\n"}
shown = []

def tell(thing):
    shown.append(repr(thing))

class Cookies(httpx2.BaseTransport):
    """An answer that sets a cookie, and whose error repeats the key."""
    def handle_request(self, request):
        texts = ["Incorrect API key provided: sk-canary0-16-abcdefgh",
            "see https://h/x?sig=canary0-29 and api_key=canary0-30", "https://me:canary0-31@h/x is down",
            "key c0ffee0123456789abcdef0123canary0"]
        error = {"error": {"message": ". ".join(texts), "type": "invalid_request", "code": "sk-canary0-32-abcdefgh"}}
        headers = {"Set-Cookie": "s=canary0-17", "X-Api-Key-Echo": "canary0-18"}
        return httpx2.Response(401, json=error, headers=headers)

def by_clients(clients):
    for one in MANY:
        for client in clients:
            for headers in (HEADERS, ILLEGAL):
                try:
                    tell(client.post(one, json=BODY, headers=headers))
                except Exception as exc:
                    print("raised", type(exc).__name__)

clients = [amplitude_ai.instrumented_httpx(name) for name in ("httpx", "httpx2")]
clients.append(amplitude_ai.instrumented_requests())
for client in clients:
    tell(client); tell(getattr(client, "_transport", None)); tell(getattr(client, "adapters", None))
by_clients(clients)
cookies = amplitude_ai.instrumented_httpx("httpx2", transport=Cookies())
cookies.post("https://api.openai.com/v1/chat/completions", json=BODY, headers=HEADERS)
amplitude_ai.install_transport()
by_clients([httpx.Client(), httpx2.Client(), requests.Session()])
pool = urllib3.PoolManager(retries=False)
for one in MANY:
    try:
        pool.request("POST", one, json=BODY, headers=HEADERS)
    except Exception as exc:
        print("raised", type(exc).__name__)
for one in MANY:
    for headers in (HEADERS, ILLEGAL):
        try:
            asked = {**headers, "Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(one, json.dumps(BODY).encode(), asked)) as response:
                tell(response); response.read()
        except Exception as exc:
            print("raised", type(exc).__name__)

async def main():
    async with aiohttp.ClientSession() as session:
        for one in MANY:
            try:
                async with session.post(one, json=BODY, headers=HEADERS) as response:
                    await response.read()
            except Exception as exc:
                print("raised", type(exc).__name__)

asyncio.run(main())
print("flushed", amplitude_ai.flush(20))
print("stats", amplitude_ai.stats())
print(*shown, sep="\n")
'''


@pytest.mark.skipif(os.name != "posix", reason="reads file modes")
@pytest.mark.parametrize("destination", ["amplitude", "store"])
def test_no_credential_comes_out_anywhere(simulator, server, tmp_path, destination):
    """No canary in any output; and what should be there is there."""
    env = {**os.environ, "AMPLITUDE_AI_STORE": str(tmp_path / "events.db"), "NO_PROXY": "127.0.0.1"}
    if destination == "amplitude":
        env["AMPLITUDE_AI_SPOOL"] = str(tmp_path / "spool.db")
        env["AMPLITUDE_API_KEY"] = "canary0-amplitude"
        server.judge = lambda events: (500, {}) if len(server.sizes) == 1 else None  # the first try stays on disk
    else:
        del env["AMPLITUDE_API_KEY"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, simulator.url, "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "'recorded': " in done.stdout
    received = json.dumps(server.events)
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = [name for name, data in files.items() if MARK.encode() in data]
    if destination == "amplitude":
        assert len(server.events) > 40
        assert "invalid_request" in received
    else:
        assert len(files["events.db"]) > 10_000
    assert MARK not in received
    assert not found
    for line in (done.stdout + done.stderr).splitlines():
        assert MARK not in line
    for path in tmp_path.rglob("*.db*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
