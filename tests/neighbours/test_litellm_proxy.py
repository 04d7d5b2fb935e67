"""LiteLLM's proxy with us in its process: its callers are told apart by their keys, or by what their headers say."""

import hashlib
import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from ._environments import ROOT, environment, python


def ask(url, path, body, headers):
    """One request of a caller."""
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def wait_for(url, process):
    """Until it listens."""
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/health/liveliness", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, process.stderr.read()[-4000:]
            time.sleep(0.1)


@pytest.fixture
def proxy(simulator, tmp_path):
    """(its URL, a function that ends it and gives the events)."""
    interpreter = python("litellm", "litellm.proxy.proxy_server")
    if interpreter is None:
        pytest.skip("litellm[proxy] is not in this environment: make neighbours")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [interpreter, "-m", "tests.neighbours.litellm_proxy", simulator.url, str(port)],
            cwd=ROOT, env=environment(), text=True, stdout=out, stderr=subprocess.PIPE,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"

    def end():
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        lines = (tmp_path / "out").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    try:
        wait_for(url, process)
        yield url, end
    finally:
        process.kill()
        process.communicate()


def test_callers_are_told_apart(proxy, simulator):
    """By key where nothing else is said; what the headers say wins, and reaches no provider."""
    url, end = proxy
    chat = {"messages": [{"role": "user", "content": "Hello"}]}
    said = {
        "X-Amplitude-User-Id": "carol",
        "X-Amplitude-Session-Id": "chat-9",
        "X-Amplitude-Groups": '{"company": "acme"}',
    }
    ask(url, "/v1/chat/completions", {"model": "small", **chat}, {"Authorization": "Bearer sk-ann"})
    ask(url, "/v1/chat/completions", {"model": "small", "stream": True, **chat}, {"Authorization": "Bearer sk-bob"})
    ask(url, "/v1/chat/completions", {"model": "claude", **chat}, {"Authorization": "Bearer sk-carol"} | said)
    ask(url, "/v1/messages", {"model": "claude", "max_tokens": 20, **chat}, {"x-api-key": "sk-dan"})
    events = end()
    users = [one["user_id"] for one in events if one["event_type"] == "llm_message"]
    by_key = [f"key-{hashlib.sha256(f'sk-{name}'.encode()).hexdigest()[:32]}" for name in ("ann", "bob", "dan")]
    assert users == [by_key[0], by_key[1], "carol", by_key[2]]
    assert [one["user_id"] for one in events if one["event_type"] == "user_message"] == users
    carols = [one for one in events if one["user_id"] == "carol"]
    assert {one["event_properties"]["session_id"] for one in carols} == {"chat-9"}
    assert all(one["groups"] == {"company": "acme"} for one in carols)
    assert not [name for one in simulator.requests() for name in one.headers if "amplitude" in name]
    assert "sk-" not in json.dumps(events)
