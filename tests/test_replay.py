"""``replay``: recordings that VCR and a browser made of calls to the simulator tell what the simulator knows."""

import base64
import gzip
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest
import requests

from amplitude_ai import cli

vcr = pytest.importorskip("vcr")


@pytest.fixture
def replay(monkeypatch, capfd):
    """Runs it with --json: the calls and the total."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["x", "replay", "--json", *map(str, words)])
        capfd.readouterr()
        code = cli.main()
        out = capfd.readouterr()
        assert code == 0, out.err
        said = json.loads(out.out)
        return said["calls"], said["total"]

    return run


def ask(url, *, path="/v1/chat/completions", post=httpx.post, headers=None, **more):
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}], **more}
    return post(url + path, json=body, headers=headers or {})


def books(simulator):
    """What the simulator told: (model, input, output) a call."""
    return [(each.model, each.told.input, each.told.output) for each in simulator.requests() if each.told]


def told(calls):
    return [(call["model_name"], call["input_tokens"], call["output_tokens"]) for call in calls if call["success"]]


def record(simulator, path, **options):
    """A cassette of six calls: plain, streamed, compressed, failed, another provider, and one that is no model call."""
    with vcr.VCR(**options).use_cassette(str(path)):
        ask(simulator.url)
        ask(simulator.url, stream=True, stream_options={"include_usage": True})
        ask(simulator.url, headers={"x-sim": "encoding=gzip"})
        ask(simulator.url, headers={"x-sim": "status=429"})
        ask(simulator.url, path="/v1/messages", post=requests.post, model="claude-haiku-4-5", max_tokens=9, stream=True)
        httpx.get(simulator.url + "/somewhere?key=sk-secret")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"serializer": "json", "decode_compressed_response": True},
        {"decode_compressed_response": True},
    ],
)
def test_cassettes_of_vcr(simulator, replay, tmp_path, options):
    """Each call with its model, tokens and cost; no times, which a cassette does not keep."""
    path = tmp_path / "cassette.yaml"
    record(simulator, path, **options)
    calls, total = replay(path)
    assert (total["exchanges"], total["calls"], total["errors"]) == (6, 5, 1)
    assert told(calls) == books(simulator)
    assert [call["model_provider"] for call in calls] == ["openai"] * 4 + ["anthropic"]
    assert total["cost_usd"] == pytest.approx(sum(call["cost_usd"] for call in calls if call["success"]))
    assert total["calls_without_cost"] == 1
    assert all(call["latency_ms"] is None and call["time_to_first_token_ms"] is None for call in calls)
    assert calls[3]["http_status"] == 429


def test_a_har_file_with_its_times(simulator, replay, tmp_path):
    """As browsers and proxies write it: bodies decoded, or in base64; a request that failed."""
    answer = ask(simulator.url)
    request = {
        "method": "POST",
        "url": f"{simulator.url}/v1/chat/completions?key=sk-secret",
        "headers": [{"name": "Authorization", "value": "Bearer sk-secret"}],
        "postData": {"mimeType": "application/json", "text": answer.request.content.decode()},
    }
    headers = [{"name": "Content-Type", "value": "application/json"}, {"name": "content-encoding", "value": "gzip"}]
    plain = {"status": 200, "headers": headers, "content": {"text": answer.text}}
    coded = {**plain, "content": {"text": base64.b64encode(answer.content).decode(), "encoding": "base64"}}
    failed = {"status": 0, "headers": [], "content": {}, "_error": "net::ERR_CONNECTION_RESET"}
    entries = [
        {"startedDateTime": "2026-01-31T12:00:00.500Z", "time": 1234.5, "request": request, "response": each}
        for each in (plain, coded, failed)
    ]
    (tmp_path / "x.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    calls, total = replay(tmp_path / "x.har", "--into", tmp_path / "into.db")
    assert told(calls) == books(simulator) * 2
    assert [call["latency_ms"] for call in calls] == [1234.5] * 3
    assert calls[0]["time"] == "2026-01-31T12:00:01.734Z"
    assert calls[2]["success"] is False
    assert "ERR_CONNECTION_RESET" in calls[2]["error_message"]
    assert total["errors"] == 1
    assert b"sk-secret" not in (tmp_path / "into.db").read_bytes()


def test_into_a_store_and_again(simulator, replay, tmp_path):
    """The same file gives the same events: a second time adds none. Whose they are can be said."""
    path, store = tmp_path / "cassette.yaml", tmp_path / "into.db"
    record(simulator, path)
    counts = []
    for _ in range(2):
        _, total = replay(path, "--into", store, "--user", "ann-1", "--session", "old")
        connection = sqlite3.connect(store)
        counts.append(connection.execute("SELECT count(*) FROM events").fetchone()[0])
        found = connection.execute("SELECT user_id, session_id, count(*) FROM llm_message").fetchall()
        connection.close()
    assert counts[0] == counts[1] == total["stored"]
    assert found == [("ann-1", "old", 5)]


@pytest.mark.parametrize(
    "interaction",
    [
        {
            "request": {"method": "post", "uri": "URL", "body": {"string": "REQUEST"}},
            "response": {"body": {"string": "A"}},
        },
        {"request": {"method": "POST", "uri": "URL", "parsed_body": {}}, "response": {"parsed_body": {}}},
        {
            "request": {"method": "POST", "uri": "URL", "body": "REQUEST"},
            "response": {"content": "A", "status_code": 200},
        },
        {
            "request": {"method": "POST", "uri": "URL", "body": "REQUEST"},
            "response": {"body": {"base64_string": "GZIP"}},
        },
    ],
)
def test_other_forms_of_cassettes(simulator, replay, tmp_path, interaction):
    """Ruby's VCR, parsed bodies, vcrpy's older form for httpx, compressed bodies in base64."""
    answer = ask(simulator.url)
    asked = answer.request.content.decode()
    request, response = interaction["request"], {"status": {"code": 200}, **interaction["response"]}
    values = {"URL": f"{simulator.url}/v1/chat/completions", "REQUEST": asked, "A": answer.text}
    values["GZIP"] = base64.b64encode(gzip.compress(answer.content)).decode()
    written = {"request": _filled(request, values), "response": _filled(response, values)}
    if "parsed_body" in request:
        written["request"]["parsed_body"], written["response"]["parsed_body"] = json.loads(asked), answer.json()
    if "GZIP" in json.dumps(interaction):
        written["response"]["headers"] = {"Content-Encoding": ["gzip"]}
    (tmp_path / "c.json").write_text(json.dumps({"http_interactions": [], "interactions": [written]}))
    calls, _ = replay(tmp_path / "c.json")
    assert told(calls) == books(simulator)


def _filled(value, values):
    if isinstance(value, dict):
        return {name: _filled(each, values) for name, each in value.items()}
    return values.get(value, value) if isinstance(value, str) else value


def test_requests_and_responses_apart(simulator, replay, tmp_path):
    """As langchain-tests keeps them."""
    answer = ask(simulator.url)
    request = {"method": "POST", "uri": f"{simulator.url}/v1/chat/completions", "body": answer.request.content.decode()}
    response = {"status": {"code": 200}, "headers": {}, "body": {"string": answer.text}}
    (tmp_path / "c.json").write_text(json.dumps({"requests": [request, request], "responses": [response]}))
    calls, _ = replay(tmp_path / "c.json")
    assert told(calls) == books(simulator)


@pytest.mark.parametrize("content", ['{"interactions": {}}', '{"interactions": null}', '{"requests": []}'])
def test_a_cassette_of_nothing(replay, tmp_path, content):
    """A test that called nothing leaves an empty one: no fault of the others that are read with it."""
    (tmp_path / "c.json").write_text(content)
    calls, total = replay(tmp_path / "c.json")
    assert (calls, total["calls"]) == ([], 0)


@pytest.mark.parametrize("packed", [False, True])
def test_a_cassette_and_a_har_file_of_one_exchange(replay, tmp_path, packed):
    """Have one price, that of its day, which the answer says where the cassette does not; and no made-up reset."""
    url, asked = "https://api.openai.com/v1/chat/completions", '{"model": "o3", "messages": []}'
    day = datetime(2025, 5, 20, 12, tzinfo=UTC)  # o3 cost five times as much
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    answer = {
        "object": "chat.completion",
        "created": int(day.timestamp()),
        "model": "o3",
        "choices": [],
        "usage": usage,
    }
    text = json.dumps(answer)
    headers = {
        "content-type": "application/json",
        "x-ratelimit-reset-tokens": "6m0s",
        "anthropic-ratelimit-requests-reset": "2025-05-20T12:01:00Z",
    }
    entry = {
        "startedDateTime": day.isoformat(),
        "request": {"method": "POST", "url": url, "postData": {"text": asked}},
        "response": {
            "status": 200,
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            "content": {"text": text},
        },
    }
    (tmp_path / "x.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    body = {"base64_string": base64.b64encode(gzip.compress(text.encode())).decode()} if packed else {"string": text}
    if packed:
        headers["content-encoding"] = "gzip"
    tape = {
        "request": {"method": "POST", "uri": url, "body": {"string": asked}},
        "response": {"status": {"code": 200}, "headers": headers, "body": body},
    }
    (tmp_path / "x.json").write_text(json.dumps({"interactions": [tape]}))
    found = {}
    for name in ("x.har", "x.json"):
        _, total = replay(tmp_path / name, "--into", tmp_path / f"{name}.db")
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as connection:
            row = "SELECT ratelimit_reset_requests_ms, ratelimit_reset_tokens_ms FROM llm_message"
            found[name] = total["cost_usd"], *connection.execute(row).fetchone()
    assert found == {"x.har": (0.05, 60_000, 360_000), "x.json": (0.05, None, 360_000)}


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b"{not json", b"a: [", b"\xff\xfe\x00", b'{"log": 1}', b'{"log": {"entries": {}}}',
     b"!!python/object/apply:os.system ['touch pwned']", b"interactions: 7", b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_recording_is_exit_code_2(monkeypatch, capfd, tmp_path, content):
    """In one line, without a traceback; nothing in it is carried out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["x", "replay", "x"])
    assert cli.main() == 2
    assert "Traceback" not in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("entry", [None, 7, {}, {"request": {}}, {"request": {"method": 1, "url": 2}, "response": []}])
def test_damaged_entries_are_passed_over(replay, tmp_path, entry):
    """One that nobody can read costs no other."""
    (tmp_path / "x.har").write_text(json.dumps({"log": {"entries": [entry, entry]}}))
    calls, total = replay(tmp_path / "x.har")
    assert (calls, total["exchanges"]) == ([], 0)
