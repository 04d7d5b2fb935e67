"""Quick-starts of agent frameworks with and without us: same output, requests and exceptions, each call once.

What the environment of the tests has (pydantic-ai, openai) runs with ``make test``, the rest with ``make neighbours``.
"""

import json
import re

import pytest

from ._environments import python, run

#: program -> (environment, module that must be there).
PROGRAMS = {
    "openai_agents": ("openai-agents", "agents"),
    "langgraph": ("langgraph", "langgraph"),
    "llama_index": ("llama-index", "llama_index.llms.openai"),
    "crewai": ("crewai", "crewai"),
    "strands": ("strands", "strands"),
    "mirascope": ("mirascope", "mirascope"),
    "dspy": ("dspy", "dspy"),
    "smolagents": ("smolagents", "smolagents"),
    "instructor": ("instructor", "instructor"),
    "autogen": ("autogen", "autogen_agentchat"),
    "pydantic_ai": ("pydantic-ai", "pydantic_ai"),
    "haystack": ("haystack", "haystack"),
    "semantic_kernel": ("semantic-kernel", "semantic_kernel"),
    "agno": ("agno", "agno"),
    "google_adk": ("google-adk", "google.adk"),
    "litellm": ("litellm", "litellm"),
    "ag2": ("ag2", "ag2"),
    "aisuite": ("aisuite", "aisuite"),
    "atomic_agents": ("atomic-agents", "atomic_agents"),
    "beeai": ("beeai", "beeai_framework"),
    "camel": ("camel", "camel"),
    "griptape": ("griptape", "griptape"),
    "guardrails": ("guardrails", "guardrails"),
    "langroid": ("langroid", "litellm"),
    "llm": ("llm", "llm"),
    "magentic": ("magentic", "magentic"),
    "marvin": ("marvin", "marvin"),
    "plain_openai": ("openai-2.54", "openai"),
}
#: What differs from run to run by itself: ids and times.
_VARYING = re.compile(rb"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*")


def outcome(program, interpreter, how, simulator, tmp_path):
    """What the program printed, and what reached the server."""
    simulator.clear()
    done = run(
        interpreter, "-m", "tests.neighbours.program", program, how, simulator.url,
        AMPLITUDE_AI_STORE=str(tmp_path / "events.db"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "swallowed at" not in done.stderr, done.stderr[-4000:]
    received = [
        (one.method, one.path, sorted(one.headers), one.status, _VARYING.sub(b"#", one.body))
        for one in simulator.requests()
    ]
    return json.loads(done.stdout.splitlines()[-1]), received


@pytest.mark.parametrize("program", PROGRAMS)
def test_quick_start(program, simulator, tmp_path):
    """As if we were not there, and each call is one record."""
    environment, needs = PROGRAMS[program]
    interpreter = python(environment, needs)
    if interpreter is None:
        pytest.skip(f"{needs} is not in this environment: make neighbours")
    plain, expected = outcome(program, interpreter, "without", simulator, tmp_path)
    watched, received = outcome(program, interpreter, "with", simulator, tmp_path)
    assert watched["given"] == plain["given"]
    assert program != "plain_openai" or watched["given"] == [0]  # calls that failed
    assert sorted(received) == sorted(expected)
    assert expected
    assert watched["recorded"] == len(expected)
