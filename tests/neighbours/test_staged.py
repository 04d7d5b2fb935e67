"""Agents of many frameworks, by their events: user messages, agents, handoffs, tools with results. docs/frameworks.md.

The model is the stand-in of `_stage`: it uses each tool once, so what has to be there is known.
"""

import json

import pytest

from ._environments import ROOT, python, run
from ._stage import ANSWER, QUESTION, serve
from .test_second import TRUTHS

WEATHER = ("get_weather", "sunny in Paris")
EXPERT = ("ask_expert", ANSWER)
#: program -> (environment, module), calls as (agent, parent, whether it works for a tool call), tools, handoffs.
STAGED = {
    "openai_agents": (
        ("openai-agents", "agents"),
        [
            ("Triage", None, False),
            ("Billing", None, False),
            ("Expert", "Billing", True),
            *[("Billing", None, False)] * 2,
        ],
        [("transfer_to_billing", '{"assistant": "Billing"}'), EXPERT, WEATHER],
        ["Billing"],
    ),
    "langgraph": (
        ("langgraph", "langchain.agents"),
        [("billing", None, False), ("expert", "billing", True), *[("billing", None, False)] * 2],
        [EXPERT, WEATHER],
        [],
    ),
    "pydantic_ai": (
        ("pydantic-ai", "pydantic_ai"),
        [("billing", None, False), ("expert", "billing", True), *[("billing", None, False)] * 2],
        [EXPERT, WEATHER],
        [],
    ),
    "smolagents": (
        ("smolagents", "smolagents"),
        [*[(None, None, False)] * 2, ("expert", None, True), (None, None, False)],
        [WEATHER, ("expert", None), ("final_answer", None), ("final_answer", None)],
        [],
    ),
    "autogen": (
        ("autogen", "autogen_agentchat"),
        [("triage", None, False), *[("billing", None, False)] * 5],
        [("transfer_to_billing", "Transferred to billing, adopting the role of billing immediately."), WEATHER],
        ["billing"],
    ),
    "crewai": (
        ("crewai", "crewai"),
        [*[("Billing", None, False)] * 2, ("Writer", None, False)],
        [WEATHER],
        [],
    ),
    "agno": (
        ("agno", "agno"),
        [(None, None, False), (None, None, True), *[(None, None, False)] * 2],
        [("delegate_task_to_member", ANSWER), WEATHER],
        [],
    ),
    "strands": (
        ("strands", "strands"),
        [(None, None, False), (None, None, True), *[(None, None, False)] * 2],
        [("ask_expert", f"{ANSWER}\n"), WEATHER],
        [],
    ),
    "google_adk": (
        ("google-adk", "google.adk"),
        [("triage", None, False), *[("billing", None, False)] * 2],
        [("get_weather", '{"result":"sunny in Paris"}'), ("transfer_to_agent", None)],
        ["billing"],
    ),
    "llama_index": (
        ("llama-index", "llama_index.llms.openai"),
        [("triage", None, False), *[("billing", None, False)] * 2],
        [("handoff", ...), WEATHER],
        ["billing"],
    ),
    "semantic_kernel": (
        ("semantic-kernel", "semantic_kernel"),
        [(None, None, False)] * 2,
        [("Weather-get_weather", "sunny in Paris")],
        [],
    ),
    "haystack": (("haystack", "haystack"), [(None, None, False)] * 2, [WEATHER], []),
    "dspy": (("dspy", "dspy"), ..., [], []),
    "instructor": (("instructor", "instructor"), [(None, None, False)] * 3, [], []),
    "mirascope": (("mirascope", "mirascope"), [(None, None, False)] * 2, [WEATHER], []),
    "litellm": (("litellm", "litellm"), [(None, None, False)] * 2, [WEATHER], []),
}
#: What a person says, where it is not the one thing.
SAID = {"crewai": ["I was charged twice", "Write it down"], "dspy": ...}


@pytest.fixture(scope="module")
def stage():
    """The stand-in's URL."""
    server, url = serve()
    yield url
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("program", STAGED)
def test_by_its_events(program, stage, tmp_path):
    """As the program has it, and nothing else."""
    needs, calls, tools, handoffs = STAGED[program]
    interpreter = python(*needs)
    if interpreter is None:
        pytest.skip(f"{needs[1]} is not in this environment: make neighbours")
    done = run(
        interpreter, "-m", "tests.neighbours.staged", program, stage, AMPLITUDE_AI_STORE=str(tmp_path / "events.db")
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "swallowed at" not in done.stderr, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    events = {kind: [one for one in told if one["event"] == kind] for kind in {one["event"] for one in told}}
    said = [one["content"] for one in events["user_message"]]
    expected = SAID.get(program, ["I was charged twice"])
    assert len(said) == 1 and "I was charged twice" in said[0] if expected is ... else said == expected
    places = [
        (one.get("agent"), one.get("parent_agent"), "parent_tool_call_id" in one) for one in events["llm_message"]
    ]
    assert calls is ... or places == calls
    called = events.get("tool_called", [])
    assert [one.get("handoff_to") for one in called if "handoff_to" in one] == handoffs
    results = {(one["tool_name"], one.get("tool_result")) for one in called}
    for name, result in tools:
        assert any(one[0] == name and (result in (None, ...) or one[1] == result) for one in results), (name, results)
    assert {one["tool_name"] for one in called} == {name for name, _ in tools}
    assert {one["turn_index"] for one in told if "turn_index" in one} == set(range(len(said)))
    asked = [one.get("tool_call_id") for one in called]
    assert all(one["parent_tool_call_id"] in asked for one in events["llm_message"] if "parent_tool_call_id" in one)
    assert QUESTION not in said


TRACED = {
    "strands": [("billing", None), ("expert", "billing"), *[("billing", None)] * 2],
    "agno": [("Billing", None), ("Expert", "Billing"), *[("Billing", None)] * 2],
    "semantic_kernel": [("billing", None)] * 2,
}
NEEDS = {"agno": ("openinference.instrumentation.agno",)}


@pytest.mark.parametrize("program", TRACED)
def test_agents_by_their_spans(program, stage, tmp_path):
    """What docs/frameworks.md calls *with OpenTelemetry*."""
    needs = STAGED[program][0]
    interpreter = python(*needs, "opentelemetry.sdk.trace", *NEEDS.get(program, ()))
    if interpreter is None:
        pytest.skip(f"{needs[1]} with OpenTelemetry is not in this environment: make neighbours")
    store = str(tmp_path / "events.db")
    done = run(interpreter, "-m", "tests.neighbours.staged", program, stage, "traced", AMPLITUDE_AI_STORE=store)
    assert done.returncode == 0, done.stderr[-4000:]
    told = [one for one in json.loads(done.stdout.splitlines()[-1]) if one["event"] == "llm_message"]
    assert [(one.get("agent"), one.get("parent_agent")) for one in told] == TRACED[program]


def test_the_page_has_each():
    """docs/frameworks.md: a row a framework."""
    page = (ROOT / "docs/frameworks.md").read_text()
    for program in {**STAGED, **TRUTHS}:
        assert f"`{program}`" in page
