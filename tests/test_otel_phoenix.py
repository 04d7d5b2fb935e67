"""A real receiver: Arize Phoenix's server gets the spans over OTLP, and its API says what our store says.

Skipped where no server runs: ``PHOENIX_TEST_URL=http://127.0.0.1:6006`` names one (``pip install arize-phoenix``, in an
environment of its own; ``phoenix serve``).
"""

import json
import os
import time
import urllib.request
import uuid

import pytest

import amplitude_ai
from amplitude_ai import otel

from .test_otel import ASKS, ERROR, FIRST, SECOND, SUNNY, Program

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

URL = os.environ.get("PHOENIX_TEST_URL")
pytestmark = pytest.mark.skipif(not URL, reason="PHOENIX_TEST_URL names no Phoenix server")
QUERY = """
query ($name: String!) {
  getProjectByName(name: $name) {
    tokenCountPrompt tokenCountCompletion
    costSummary { total { cost } }
    sessions(first: 10) { edges { node { sessionId numTraces tokenUsage { total } } } }
  }
}
"""


def get(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture(scope="module")
def told():
    """(what Phoenix has of a conversation, its project, our events)."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    project = f"amplitude-{uuid.uuid4().hex[:8]}"
    program = Program()
    provider = TracerProvider(resource=Resource({"openinference.project.name": project}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{URL}/v1/traces")))
    otel.enable(provider, program.meters)
    try:
        with amplitude_ai.context(agent="forecaster"):
            program.run((FIRST, ASKS), (SECOND, SUNNY), (FIRST, ERROR), session_id=project)
    finally:
        otel.disable()
    assert provider.force_flush()
    spans = []
    for _ in range(200):
        try:
            spans = get(f"/v1/projects/{project}/spans?limit=100")["data"]
        except urllib.error.HTTPError:  # the project is made with its first span
            spans = []
        if len(spans) == 4:
            break
        time.sleep(0.1)
    events = [event for event in program.seen.events if event.event_type in ("llm_message", "tool_called")]
    return spans, project, events


def matching(told):
    """Pairs of (span, the properties of its event): tools by themselves, calls by their input tokens, which differ."""
    spans, _, events = told
    said = {event.event_properties.get("input_tokens"): event.event_properties for event in events}
    tools = [event.event_properties for event in events if event.event_type == "tool_called"]
    said |= {None: next(event.event_properties for event in events if event.event_properties.get("success") is False)}
    return [
        (span, tools[0] if span["span_kind"] == "TOOL" else said[span["attributes"].get("llm.token_count.prompt")])
        for span in spans
    ]


def test_every_record_is_there(told):
    """Three calls and a tool, each of the kind Phoenix shows."""
    spans, _, events = told
    assert sorted(span["span_kind"] for span in spans) == ["LLM", "LLM", "LLM", "TOOL"]
    assert len(events) == 4


def test_models_tokens_and_errors_are_ours(told):
    """Model, tokens, status, session, user and content, span by span, equal what our events say."""
    for span, said in matching(told):
        attributes = span["attributes"]
        assert attributes["session.id"] == said["session_id"] == told[1]
        assert attributes["user.id"] == "ann-1"
        assert span["status_code"] == ("ERROR" if said.get("success") is False else "UNSET")
        if span["span_kind"] == "TOOL":
            assert attributes["tool.name"] == said["tool_name"]
            assert {"city": attributes["tool.parameters.city"]} == json.loads(said["tool_parameters"])
            assert attributes["output.value"] == said["tool_result"]
            continue
        assert attributes["llm.model_name"] in (said["model_name"], said["requested_model"])
        assert attributes.get("llm.token_count.prompt") == said.get("input_tokens")
        assert attributes.get("llm.token_count.completion") == said.get("output_tokens")
        assert attributes.get("llm.token_count.prompt_details.cache_read") == said.get("cached_input_tokens")


def test_sums_are_ours(told):
    """Tokens and cost of the project, and its session, by Phoenix's own sums."""
    _, project, events = told
    calls = [event.event_properties for event in events if event.event_type == "llm_message"]

    def total(name):
        return sum(said.get(name, 0) for said in calls)

    found = {}
    for _ in range(100):
        answer = get("/graphql", {"query": QUERY, "variables": {"name": project}})
        assert "errors" not in answer, answer
        found = answer["data"]["getProjectByName"]
        if found["costSummary"]["total"]["cost"] and found["sessions"]["edges"]:
            break
        time.sleep(0.1)
    assert (found["tokenCountPrompt"], found["tokenCountCompletion"]) == (total("input_tokens"), total("output_tokens"))
    ((session,),) = ([edge["node"] for edge in found["sessions"]["edges"]],)
    assert session["sessionId"] == project
    assert session["tokenUsage"]["total"] == total("total_tokens")
    assert found["costSummary"]["total"]["cost"] == pytest.approx(total("cost_usd"))
