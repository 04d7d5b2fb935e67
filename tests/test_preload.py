"""No thread of ours imports anything: an application would see the module half-made."""

import subprocess
import sys

PROGRAM = """
import sys, threading
url, way = sys.argv[1:]
ours = []
def audit(event, args):
    if event == "import" and threading.current_thread().name.startswith("amplitude"):
        ours.append(args[0])
sys.addaudithook(audit)
import amplitude_ai
if way == "hook":
    amplitude_ai.install_transport()
import anthropic, httpx, openai, requests, urllib3
http = amplitude_ai.instrumented_httpx() if way == "explicit" else None
asked = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
one = openai.OpenAI(base_url=url + "/v1", api_key="test", http_client=http)
one.chat.completions.create(**asked)
list(one.chat.completions.create(**asked, stream=True))
one.responses.create(model="gpt-4o-mini", input="Hello")
anthropic.Anthropic(base_url=url, api_key="test", http_client=http).messages.create(**{**asked, "max_tokens": 9})
if way == "hook":
    requests.post(url + "/v1/chat/completions", json=asked)
    httpx.post(url + "/v1/chat/completions", json=asked)
    urllib3.request("POST", url + "/v1/chat/completions", json=asked)
assert amplitude_ai.flush(10)
assert amplitude_ai.stats()["recorded"] >= 4
print(ours)
"""


def test_no_import_off_the_main_thread(simulator, tmp_path):
    """The worker finds everything loaded: parsers, prices, Amplitude's client, the store."""
    for way in ("hook", "explicit"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, simulator.url, way],
            capture_output=True,
            text=True,
            env={"AMPLITUDE_AI_STORE": str(tmp_path / "events.db"), "PATH": ""},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == "[]", done.stdout
