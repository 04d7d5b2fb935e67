"""urllib3 and, on top of it, boto3: watched by the global hook, one record a call, everything else as it was."""

import json
import re

import pytest
import requests

import amplitude_ai

urllib3 = pytest.importorskip("urllib3")

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}]}
STREAM = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
VOLATILE = re.compile(rb'"(id|created|system_fingerprint)": ?("[^"]*"|\d+)')
CLAUDE = "anthropic.claude-3-5-haiku-20241022-v1:0"


def told(events):
    """The records."""
    assert amplitude_ai.flush()
    return events.of_type("llm_message")


def agree(record, received):
    """A record has the tokens the server told."""
    assert (record["input_tokens"], record["output_tokens"]) == (received.told.input, received.told.output)
    assert record["success"] is True


WAYS = {
    "data": lambda response: response.data,
    "json": lambda response: json.dumps(response.json()).encode(),
    "read": lambda response: response.read(),
    "pieces": lambda response: b"".join(iter(lambda: response.read(50), b"")),
    "stream": lambda response: b"".join(response.stream(50)),
    "iter": lambda response: b"".join(response),
}


@pytest.mark.parametrize("preload", [True, False])
@pytest.mark.parametrize("encoding", ["", "encoding=gzip"])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_reading(simulator, events, way, encoding, preload):
    """The same bytes as from an unwatched pool, and one record."""
    if preload and way not in ("data", "json"):
        pytest.skip("it has been read")
    headers = {"content-type": "application/json", **({"x-sim": encoding} if encoding else {})}
    bodies = []
    for _ in range(2):
        response = urllib3.PoolManager().request(
            "POST",
            f"{simulator.url}/v1/chat/completions",
            body=json.dumps(BODY),
            headers=headers,
            preload_content=preload,
        )
        assert isinstance(response, urllib3.response.HTTPResponse)
        bodies.append(VOLATILE.sub(b"", WAYS[way](response)))
        amplitude_ai.uninstall_transport()
    assert bodies[0] == bodies[1]
    (record,) = told(events)
    agree(record, simulator.requests()[0])


def test_a_stream_and_our_header(simulator, events):
    """A stream is read to its end; our header says whose it is and never reaches the server."""
    response = urllib3.request(
        "POST",
        f"{simulator.url}/v1/chat/completions",
        json=STREAM,
        headers={"X-Amplitude-User-Id": "bob"},
        preload_content=False,
    )
    assert list(response.stream(64))
    (record,) = told(events)
    assert record["is_streaming"] is True
    assert {event.user_id for event in events.events} == {"bob"}
    agree(record, *simulator.requests())
    assert not any(name.startswith("x-amplitude") for name in simulator.requests()[0].headers)


def test_failures(simulator, events):
    """A refused call and a refused connection are failed records; the exceptions are urllib3's own."""
    urllib3.request(
        "POST", f"{simulator.url}/v1/chat/completions", json=BODY, headers={"x-sim": "status=404"}, retries=False
    )
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        urllib3.request("POST", "http://127.0.0.1:9/v1/chat/completions", json=BODY, retries=False)
    assert [(one["success"], one.get("http_status"), one["error_type"]) for one in told(events)] == [
        (False, 404, "invalid_request_error"),
        (False, None, "NewConnectionError"),
    ]


@pytest.mark.parametrize("retries", [False, 1])
def test_a_body_that_breaks_off_while_the_pool_reads_it(simulator, events, retries):
    """Nobody is given that response; its status is told all the same, and none where there was no answer."""
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request(
            "POST",
            f"{simulator.url}/v1/chat/completions",
            json=BODY,
            headers={"x-sim": "cut_body=1"},
            retries=urllib3.Retry(1, allowed_methods=None, backoff_factor=0) if retries else False,
        )
    (record,) = told(events)
    assert (record["success"], record["http_status"]) == (False, 200)


def test_requests_is_recorded_once(simulator, events):
    """requests sends by urllib3, and has an adapter that speaks for it."""
    requests.post(f"{simulator.url}/v1/chat/completions", json=BODY, timeout=10)
    (record,) = told(events)
    agree(record, *simulator.requests())


def test_other_traffic_is_left_alone(simulator, events):
    """No stand-in where there is nothing to watch."""
    response = urllib3.request("GET", f"{simulator.url}/v1/models", preload_content=False)
    assert type(response) is urllib3.response.HTTPResponse
    response.release_conn()
    assert told(events) == []


def test_uninstalling_leaves_nothing_behind():
    """The pool class has the attributes it had, object for object."""
    before = {name: id(value) for name, value in vars(urllib3.HTTPConnectionPool).items()}
    amplitude_ai.install_transport()
    amplitude_ai.uninstall_transport()
    assert {name: id(value) for name, value in vars(urllib3.HTTPConnectionPool).items()} == before


@pytest.fixture
def bedrock(simulator, events):
    """boto3's client of the Bedrock runtime."""
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    return boto3.client(
        "bedrock-runtime",
        endpoint_url=simulator.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


MESSAGES = [{"role": "user", "content": [{"text": "Hello there"}]}]
INVOKED = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": BODY["messages"]}


def converse(client):
    """Converse."""
    assert client.converse(modelId=CLAUDE, messages=MESSAGES)["usage"]


def converse_stream(client):
    """Converse, streamed."""
    assert list(client.converse_stream(modelId=CLAUDE, messages=MESSAGES)["stream"])[-1]["metadata"]


def invoke(client):
    """A model's own body."""
    assert json.loads(client.invoke_model(modelId=CLAUDE, body=json.dumps(INVOKED))["body"].read())


def invoke_stream(client):
    """A model's own body, streamed."""
    answer = client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(INVOKED))
    assert [event["chunk"]["bytes"] for event in answer["body"]]


@pytest.mark.parametrize("call", [converse, converse_stream, invoke, invoke_stream], ids=lambda call: call.__name__)
def test_boto3(simulator, events, bedrock, call):
    """Each call of the Bedrock runtime is one record with the server's tokens, event streams included."""
    call(bedrock)
    (record,) = told(events)
    agree(record, *simulator.requests())
    assert record["requested_model"] == CLAUDE
    assert record["is_streaming"] is call.__name__.endswith("stream")
    assert record["output_content"]


def test_boto3_error(simulator, events, bedrock):
    """The application gets botocore's error, the record AWS' own word."""
    turn = {"role": "user", "content": [{"text": "[sim:status=429] Hello"}]}
    with pytest.raises(bedrock.exceptions.ThrottlingException):
        bedrock.converse(modelId=CLAUDE, messages=[turn])
    (record,) = told(events)
    assert (record["success"], record["http_status"], record["error_type"]) == (False, 429, "ThrottlingException")
