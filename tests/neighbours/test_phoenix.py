"""Beside Arize Phoenix's own server: what its API tells of a program is in our store, and adds up to the same.

The server is one that runs (``PHOENIX_TEST_URL``), or that of the environment ``phoenix``, on loopback for the while.
"""

import collections
import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest

from ._environments import environment, python, run

PROGRAMS = {
    "openai_agents": ("openai-agents", "openinference.instrumentation.openai_agents"),
    "langgraph": ("langgraph", "openinference.instrumentation.langchain"),
}
SUMS = "query ($name: String!) { getProjectByName(name: $name) { tokenCountPrompt tokenCountCompletion } }"


def answer(url, body=None):
    """What the server says."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(
        urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=10
    ) as told:
        return json.load(told)


def until(find, seconds=120):
    """What ``find`` gives, once it gives something."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if found := find():
                return found
        assert time.monotonic() < end, "the server never said it"
        time.sleep(0.2)


def free():
    """A port of nobody's."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.fixture(scope="module")
def phoenix(tmp_path_factory):
    """Its URL."""
    if url := os.environ.get("PHOENIX_TEST_URL"):
        yield url
        return
    interpreter = python("phoenix", "phoenix.server.main")
    if interpreter is None:
        pytest.skip("arize-phoenix is not in this environment: make neighbours, or PHOENIX_TEST_URL")
    port, place = free(), tmp_path_factory.mktemp("phoenix")
    told = environment(
        PHOENIX_HOST="127.0.0.1", PHOENIX_PORT=port, PHOENIX_GRPC_PORT=free(), PHOENIX_WORKING_DIR=str(place),
        PHOENIX_TELEMETRY_ENABLED="false",
    )  # fmt: skip
    with (place / "log").open("w") as log:
        server = subprocess.Popen([interpreter, "-m", "phoenix.server.main", "serve"], env=told, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: urllib.request.urlopen(f"{url}/healthz", timeout=5).status == 200)
        yield url
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="module", params=PROGRAMS)
def both(request, phoenix, tmp_path_factory):
    """(the program, what Phoenix has of it by the id of a span, what we have, its project)."""
    interpreter = python(*PROGRAMS[request.param], "opentelemetry.exporter.otlp.proto.http")
    if interpreter is None:
        pytest.skip(f"{PROGRAMS[request.param][1]} is not in this environment: make neighbours")
    project, store = f"beside-{uuid.uuid4().hex[:8]}", str(tmp_path_factory.mktemp("store") / "events.db")
    arguments = ("-m", "tests.neighbours.by_phoenix", request.param, phoenix, project)
    done = run(interpreter, *arguments, AMPLITUDE_AI_STORE=store)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    seen = 0

    def settled():
        nonlocal seen
        spans = answer(f"{phoenix}/v1/projects/{project}/spans?limit=500")["data"]
        before, seen = seen, len(spans)
        return spans if seen and seen == before else None

    spans = {one["context"]["span_id"]: one for one in until(settled)}
    return request.param, spans, told, (phoenix, project)


def of_kind(spans, kind):
    """Its spans of a kind, as attributes, those alone that have none of the kind inside: an SDK's in a framework's."""
    outer = {one["parent_id"] for one in spans.values() if one["span_kind"] == kind}
    return [one for one in spans.values() if one["span_kind"] == kind and one["context"]["span_id"] not in outer]


def above(span, spans):
    """The spans above one, from the innermost."""
    while span is not None:
        yield span
        span = spans.get(span["parent_id"])


def test_each_model_call_with_its_tokens(both):
    """Model and counts of each; where it has a call we have one, and the attempts besides."""
    _, spans, told, _ = both
    theirs = collections.Counter(
        (
            one["attributes"]["llm.model_name"],
            one["attributes"].get("llm.token_count.prompt"),
            one["attributes"].get("llm.token_count.completion"),
        )
        for one in of_kind(spans, "LLM")
    )
    ours = collections.Counter(
        (one["model_name"], one.get("input_tokens"), one.get("output_tokens")) for one in told["calls"]
    )
    assert ours == theirs
    failed = [one for one in told["llm_message"] if not one["success"]]
    assert len(failed) == sum(one["status"] != 200 for one in told["served"]) == 1  # of which no span tells


def test_the_structure(both):
    """Which agent or node each call is under; and the way over to the very span, where it is current."""
    program, spans, told, _ = both
    calls = {(one.get("input_tokens"), one.get("output_tokens")): one for one in told["calls"]}
    for span in of_kind(spans, "LLM"):
        attributes = span["attributes"]
        call = calls[attributes.get("llm.token_count.prompt"), attributes.get("llm.token_count.completion")]
        names = [one["attributes"].get("agent.name") or one["name"] for one in above(spans[span["parent_id"]], spans)]
        if program == "openai_agents":
            agents = [one for one in names if one in ("triage", "billing", "expert")]
            assert (call["agent"], call.get("parent_agent")) == (agents[0], agents[1] if len(agents) > 1 else None)
            assert (call["trace_id"], call["span_id"]) == (span["context"]["trace_id"], span["context"]["span_id"])
        else:
            assert call["step"] == names[0]
            assert call.get("agent") == next((one for one in names if one in ("triage", "billing")), None)
            assert call["conversation_id"] == attributes["session.id"]


def test_each_tool_with_what_came_of_it(both):
    """Name, result and whether it failed; a handoff with whom it went to."""
    _, spans, told, _ = both
    tools = collections.defaultdict(list)
    for one in told["tool_called"]:
        tools[one["tool_name"]].append(one)
    handoffs = {one["handoff_to"] for one in told["tool_called"] if "handoff_to" in one}
    for span in of_kind(spans, "TOOL"):
        attributes = span["attributes"]
        output = str(attributes["output.value"])
        if span["name"].startswith("handoff to "):
            assert output in handoffs
            continue
        (tool,) = (one for one in tools[attributes["tool.name"]] if one["tool_result"] in output)
        assert all(str(value) in str(attributes.get("input.value", value)) for value in parameters(tool).values())
        if span["status_code"] == "ERROR":
            assert tool["success"] == 0
    assert len(of_kind(spans, "TOOL")) == len(told["tool_called"])


def parameters(tool):
    """What a tool was called with."""
    return json.loads(tool["tool_parameters"])


def test_sums(both):
    """Its project's tokens are those of `sessions`."""
    _, _, told, (phoenix, project) = both
    (session,) = told["sessions"]
    ours = {"tokenCountPrompt": session["input_tokens"], "tokenCountCompletion": session["output_tokens"]}

    def theirs():
        found = answer(f"{phoenix}/graphql", {"query": SUMS, "variables": {"name": project}})
        return found["data"]["getProjectByName"] == ours

    assert until(theirs, 30)
