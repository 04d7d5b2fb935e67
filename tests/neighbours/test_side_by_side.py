"""Nothing that OpenInference's spans tell of a program's structure, tokens and tools is missing in its events."""

import json

import pytest

from ._environments import python, run
from ._stage import serve

PROGRAMS = {
    "openai_agents": ("openai-agents", "openinference.instrumentation.openai_agents"),
    "langgraph": ("langgraph", "openinference.instrumentation.langchain"),
}


@pytest.fixture(scope="module")
def stage():
    """The stand-in's URL."""
    server, url = serve()
    yield url
    server.shutdown()
    server.server_close()


def agent_of(span, spans):
    """The agent that a span is under."""
    while span is not None:
        if span.get("agent.name"):
            return span["agent.name"]
        span = spans.get(span["parent"])
    return None


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_missing(program, stage):
    """Each model call with its model, tokens and agent; each tool with what came of it; each handoff."""
    environment, needs = PROGRAMS[program]
    interpreter = python(environment, needs)
    if interpreter is None:
        pytest.skip(f"{needs} is not in this environment: make neighbours")
    done = run(interpreter, "-m", "tests.neighbours.side_by_side", program, stage)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    spans = {one["id"]: one for one in told["spans"]}
    kinds = {
        kind: [one for one in spans.values() if one.get("openinference.span.kind") == kind] for kind in ("LLM", "TOOL")
    }
    calls = [one for one in told["events"] if one["event"] == "llm_message"]
    tools = {one["tool_name"]: one for one in told["events"] if one["event"] == "tool_called"}
    assert len(calls) == len(kinds["LLM"]) > 0
    assert [one["model_name"] for one in calls] == [one["llm.model_name"] for one in kinds["LLM"]]
    for call, span in zip(calls, sorted(kinds["LLM"], key=lambda one: list(spans).index(one["id"])), strict=True):
        assert call["total_tokens"] == span.get("llm.token_count.total", 15)
        if agent := agent_of(span, spans):
            assert call["agent"] == agent
            assert call["span_id"] == span["id"]
    assert len(tools) == len(kinds["TOOL"]) > 0
    for span in kinds["TOOL"]:
        if span["name"].startswith("handoff to "):
            assert span["output.value"] in {one.get("handoff_to") for one in tools.values()}
        else:
            assert tools[span["tool.name"]]["tool_result"] in span["output.value"]
