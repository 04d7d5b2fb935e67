"""The pytest plugin, in the test run of somebody else: what fixtures see, what they fail, what cassettes hold."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import entry_points
from pathlib import Path

import openai
import pytest

from amplitude_ai import testing

ROOT = Path(__file__).parents[1]
FRAMES = [
    b'data: {"id":"c-1","model":"gpt-4o-mini","choices":[{"delta":{"content":"H\xc3',
    b'\xa9"},"finish_reason":null}]}\n\n',
    b'data: {"id":"c-1","model":"gpt-4o-mini","choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
    b'data: {"id":"c-1","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,'
    b'"total_tokens":9}}\n\ndata: [DONE]\n\n',
]


def run(tmp_path, text, *options, **environment):
    """Run ``text`` as a test file of an application's. Returns (outcome counts, everything it printed)."""
    (tmp_path / "test_app.py").write_text(text)
    # Installed, the plugin is found by its entry point; an older editable install has none yet.
    found = any(each.value == "amplitude_ai.pytest_plugin" for each in entry_points(group="pytest11"))
    plugin = [] if found else ["-p", "amplitude_ai.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugin, "-rA", *options, "test_app.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "AMPLITUDE_AI_STORE": str(tmp_path / "store.db"), **environment}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout)}
    return counts, done.stdout + done.stderr


HEAD = """
import json
import httpx, httpx2, requests
import pytest
URL = "https://api.openai.com/v1/chat/completions"
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
ANSWER = {"id": "c-1", "model": "gpt-4o-mini", "choices": [{"message": {"role": "assistant", "content": "Hi."},
    "finish_reason": "stop"}], "usage": {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}}
def ask(**options):
    with httpx2.Client(transport=httpx2.MockTransport(lambda r: httpx2.Response(200, json={**ANSWER, **options}))) as c:
        return c.post(URL, json={**BODY, "model": options.get("model", "gpt-4o-mini")})
"""


def test_what_a_test_sees(tmp_path):
    """Models, tokens, cost, texts and tools of the calls of one test, and none of another's; nothing is stored."""
    counts, told = run(
        tmp_path,
        HEAD
        + """
def test_first(llm_calls):
    ask()
    ask()
    assert len(llm_calls) == 2
    call = llm_calls[0]
    assert (call.provider, call.model, call.input, call.output) == ("openai", "gpt-4o-mini", "Hello", "Hi.")
    assert (call.input_tokens, call.output_tokens, call.total_tokens) == (1000, 200, 1200)
    assert llm_calls.total_tokens == 2400
    assert 0 < call.cost_usd < llm_calls.cost_usd < 0.01
    assert [call.success for call in llm_calls] == [True, True]

def test_second(llm_calls, assert_llm_cost_below):
    assert len(llm_calls) == 0
    ask()
    assert_llm_cost_below(0.01)
    call = {"id": "t", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    ask(choices=[{"message": message, "finish_reason": "tool_calls"}])
    assert [tool.name for tool in llm_calls.tools] == ["look"]

def test_the_applications_own_client_is_seen_too(llm_calls):
    import amplitude_ai
    from amplitude_ai.testing import EventList
    seen = EventList()
    transport = httpx2.MockTransport(lambda r: httpx2.Response(200, json=ANSWER))
    with amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=seen) as client:
        client.post(URL, json=BODY)
    assert len(llm_calls) == 1
    assert seen.of_type("llm_message")

def test_without_the_fixture():
    before = httpx2.Client.send
    ask()
    assert httpx2.Client.send is before
""",
    )
    assert counts == {"passed": 4}, told
    assert not (tmp_path / "store.db").exists()


def test_what_fails_a_test(tmp_path):
    """Too dear, or of a price that nobody knows: the message says which calls."""
    counts, told = run(
        tmp_path,
        HEAD
        + """
def test_dear(assert_llm_cost_below):
    ask()
    assert_llm_cost_below(0.0001)

def test_unknown(assert_llm_cost_below):
    ask(model="a-model-nobody-knows")
    assert_llm_cost_below(1)
""",
    )
    assert counts == {"failed": 2}, told
    assert re.search(r"1 model calls cost 0\.000\d+ USD, not below 0\.0001", told)
    assert "the price of a-model-nobody-knows is not known" in told


def test_beside_the_mocks_of_others(tmp_path):
    """respx, responses, requests-mock, vcrpy and the libraries' own mock transports: each call is seen once."""
    for name in ("respx", "responses", "requests_mock", "vcr"):
        pytest.importorskip(name)
    counts, told = run(
        tmp_path,
        HEAD
        + """
def test_respx(llm_calls, respx_mock):
    respx_mock.post(URL).respond(json=ANSWER)
    assert httpx.post(URL, json=BODY).json() == ANSWER
    assert len(llm_calls) == 1

def test_responses(llm_calls):
    import responses
    with responses.RequestsMock() as mock:
        mock.post(URL, json=ANSWER)
        assert requests.post(URL, json=BODY).json() == ANSWER
    assert len(llm_calls) == 1

def test_requests_mock_after_us(llm_calls, requests_mock):
    requests_mock.post(URL, json=ANSWER)
    assert requests.post(URL, json=BODY, headers={"X-Amplitude-User-Id": "u"}).json() == ANSWER
    assert len(llm_calls) == 1
    assert "X-Amplitude-User-Id" not in requests_mock.last_request.headers

def test_requests_mock_before_us(requests_mock, llm_calls):
    requests_mock.post(URL, json=ANSWER)
    assert requests.post(URL, json=BODY).json() == ANSWER
    assert len(llm_calls) == 1

def test_requests_mock_in_order(llm_calls):
    import requests_mock
    with requests_mock.Mocker() as outer, requests_mock.Mocker(real_http=True) as inner:
        outer.post(URL, [{"json": ANSWER}, {"exc": requests.ConnectTimeout}])
        inner.post("https://api.openai.com/v1/another", json={})
        assert requests.post(URL, json=BODY).json() == ANSWER
        with pytest.raises(requests.ConnectTimeout):
            requests.post(URL, json=BODY)
    assert [call.error_type for call in llm_calls] == [None, "ConnectTimeout"]
    session = requests.Session()
    mounted = requests_mock.Adapter()
    session.mount("https://", mounted)
    mounted.register_uri("POST", URL, json=ANSWER)
    assert session.post(URL, json=BODY).json() == ANSWER
    assert len(llm_calls) == 3

@pytest.mark.parametrize("get", [requests.post, httpx.post])
def test_vcr(llm_calls, get, tmp_path):
    import vcr
    path = tmp_path / "tape.yaml"
    path.write_text(json.dumps({"version": 1, "interactions": [{
        "request": {"method": "POST", "uri": URL, "body": json.dumps(BODY), "headers": {}},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {"Content-Type": ["application/json"]},
                     "body": {"string": json.dumps(ANSWER)}}}]}))
    with vcr.use_cassette(str(path), record_mode="none"):
        assert get(URL, json=BODY).json() == ANSWER
    assert len(llm_calls) == 1

def test_mock_transport(llm_calls):
    assert ask().json() == ANSWER
    assert len(llm_calls) == 1
""",
    )
    assert counts == {"passed": 8}, told


# Cassettes ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def provider():
    """A provider's server that streams `FRAMES`, and what it was sent."""
    sent = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            sent.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            for name, value in {
                "content-type": "text/event-stream",
                "set-cookie": "secret",
                "x-request-id": "req-1",
                "transfer-encoding": "chunked",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            for frame in (*FRAMES, b""):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


STREAMING = """
import openai
def test_stream(llm_cassette, llm_calls):
    cassette = llm_cassette("hello", upstream=UPSTREAM)
    client = openai.OpenAI(base_url=cassette.url + "/v1", api_key="sk-a-very-secret-key", max_retries=0)
    chunks = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hé"}], stream=True,
        stream_options={"include_usage": True})
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hé"
    assert (llm_calls[0].output, llm_calls[0].total_tokens) == ("Hé", 9)
"""


def test_recorded_and_replayed(tmp_path, provider):
    """Recorded from a real server, then replayed without it, the frames are the very ones; no key is in the file."""
    url, sent = provider
    text = f"UPSTREAM = {url!r}\n{STREAMING}"
    counts, told = run(tmp_path, text, "--llm-record")
    assert counts == {"passed": 1}, told
    headers = {name.lower(): value for name, value in sent[0][0].items()}
    assert headers["authorization"] == "Bearer sk-a-very-secret-key"
    file = tmp_path / "cassettes" / "hello.json"
    assert "secret" not in file.read_text()
    (exchange,) = json.loads(file.read_text())["exchanges"]
    assert len(exchange["response"]["frames"]) == len(FRAMES)
    assert exchange["response"]["headers"]["x-request-id"] == "req-1"
    for _ in range(2):
        counts, told = run(tmp_path, text)
        assert counts == {"passed": 1}, told
    assert len(sent) == 1
    with testing.cassette(file) as tape:
        client = openai.OpenAI(base_url=tape.url + "/v1", api_key="k")
        with client.chat.completions.with_streaming_response.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Say hé"}],
            stream=True,
            stream_options={"include_usage": True},
        ) as response:
            assert b"".join(response.iter_bytes()) == b"".join(FRAMES)


def test_what_was_not_recorded_fails(tmp_path, provider):
    """Another request than the recorded one fails the test, and the message says what to do; so does no file."""
    text = f"UPSTREAM = {provider[0]!r}\n{STREAMING}"
    counts, told = run(tmp_path, text)
    assert counts.keys() == {"failed"}, told
    assert "no cassette" in told
    assert "--llm-record" in told
    run(tmp_path, text, "--llm-record")
    other = text.replace("Say hé", "Say no").replace("    assert", "    list(chunks); assert")
    counts, told = run(tmp_path, other.replace("chunks = ", "chunks = []; "))
    assert "not recorded: hello.json: POST /v1/chat/completions" in told


def test_answers_come_in_the_order_recorded(tmp_path):
    """The same request twice gets its two answers in order, then the last of them again."""
    request = {"method": "POST", "path": "/v1/x", "body": {"a": 1}}
    exchanges = [
        {"request": request, "response": {"status": 200, "headers": {}, "frames": [str(number)]}} for number in (1, 2)
    ]
    file = tmp_path / "tape.json"
    file.write_text(json.dumps({"version": 1, "exchanges": exchanges}))
    import httpx

    with testing.cassette(file) as tape:
        answers = [httpx.post(f"{tape.url}/v1/x", json={"a": 1}).text for _ in range(3)]
        assert httpx.post(f"{tape.url}/v1/x", json={"a": 2}).status_code == 400
    assert answers == ["1", "2", "2"]
    assert tape.misses == ["POST /v1/x"]


def test_recording_needs_a_server(tmp_path):
    """Recording without saying from where is a mistake, told at once."""
    with pytest.raises(ValueError, match="upstream="), testing.cassette(tmp_path / "x.json", record=True):
        pass
