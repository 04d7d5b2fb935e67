"""A second program for many frameworks: tools that fail, several at once, sub-agents, handoffs, streams, retries.

What is true of each is known from the program, and, of tokens, costs and retries, from what the stand-in served.
"""

import json
import re
from dataclasses import dataclass, field

import pytest

from ._environments import python, run

#: Dollars per million tokens read and written, as the providers' pages had them.
PRICES = {"gpt-4o-mini": (0.15, 0.6), "gemini-2.5-flash": (0.3, 2.5), "text-embedding-3-small": (0.02, 0)}
LOOKUPS = [("lookup_order", True), ("lookup_order", False)]


@dataclass
class Truth:
    """What happened.

    ``calls``: agent, parent, and the tool call it works for, by the tool's name; in any order: some run side by side.
    ``failed``: calls that ended so, for whoever made them tried again with a call of its own.
    ``tools``: name, and whether it succeeded; ``None`` where no one can tell by its result.
    """

    needs: tuple[str, str]
    said: list[str]
    calls: list[tuple]
    tools: list[tuple] = field(default_factory=list)
    handoffs: list[str] = field(default_factory=list)
    steps: set[str] = field(default_factory=set)
    workflows: set[str] = field(default_factory=set)
    failed: int = 0


#: marvin's tools are named after a task's id.
_TASK = re.compile(r"_[0-9a-f]{8}\Z")
TWO = ["When is my refund?", "And by card?"]
EXPERT = ("expert", "billing", "ask_expert")
TRUTHS = {
    "openai_agents": Truth(
        ("openai-agents", "agents"),
        TWO,
        [("triage", None, None), *[("billing", None, None)] * 3, EXPERT],
        [("transfer_to_billing", True), ("ask_expert", True), *LOOKUPS],
        ["billing"],
    ),
    "langgraph": Truth(
        ("langgraph", "langgraph"),
        ["When is my refund?", "Thanks"],
        [*[("triage", None, None)] * 2, *[("billing", None, None)] * 2, *[(None, None, None)] * 2],
        [("transfer_to_billing", True), *LOOKUPS],
        ["billing"],
        steps={"model", "check"},
    ),
    "pydantic_ai": Truth(
        ("pydantic-ai", "pydantic_ai"),
        TWO,
        [*[("billing", None, None)] * 4, *[EXPERT] * 2],
        [*LOOKUPS, ("lookup_order", True), ("ask_expert", True), ("final_result", False), ("final_result", None)],
    ),
    "llama_index": Truth(
        ("llama-index", "llama_index.llms.openai"),
        [*TWO, "Put it in one word"],
        [("triage", None, None), *[("billing", None, None)] * 4, EXPERT, (None, None, None)],
        [("handoff", True), ("ask_expert", True), ("lookup_order", True), ("lookup_order", None)],
        ["billing"],
        steps={"run_agent_step", "shorten"},
    ),
    "dspy": Truth(
        ("dspy", "dspy"),
        [*TWO, "And in cash?"],
        [("Support", None, None), *[("ReAct", "Support", None)] * 4, *[("ReAct", None, None)] * 6],
        [*LOOKUPS, *[("lookup_order", True)] * 2],
        steps={"rewrite", "react", "extract"},
    ),
    "langchain_classic": Truth(
        ("langgraph", "langchain_classic"),
        ["When is my refund?", "And by card?\n\n", "And in cash?"],  # the prompt is {input}\n\n{agent_scratchpad}
        [(None, None, None)] * 9,
        LOOKUPS * 3,
    ),
    "llama_index_react": Truth(
        ("llama-index", "llama_index.llms.openai"),
        TWO,
        [("billing", None, None)] * 4,
        LOOKUPS,
        steps={"run_agent_step"},
    ),
    "llama_index_rag": Truth(
        ("llama-index", "llama_index.llms.openai"), ["What do you know?", *TWO], [(None, None, None)] * 5
    ),
    "langchain_rag": Truth(
        ("langgraph", "langchain_classic"),
        [*TWO, "I am Ann and I like tea", "Who am I?"],
        [(None, None, None)] * 6,
        steps={"model"},
    ),
    "crewai_react": Truth(("crewai", "crewai"), ["When is my refund?"], [("Billing", None, None)] * 3, LOOKUPS),
    "smolagents_code": Truth(
        ("smolagents", "smolagents"),
        TWO,
        [(None, None, None)] * 6,
        [("python_interpreter", success) for success in (True, False, None)] * 2,
    ),
    "crewai": Truth(
        ("crewai", "crewai"),
        ["When is my refund?", "Write it down"],
        [
            *[("Billing", None, None)] * 3,
            ("Law", "Billing", "delegate_work_to_coworker"),
            *[("Writer", None, None)] * 2,
        ],
        [("lookup_order", False), ("delegate_work_to_coworker", True)],
        workflows={"Support"},
    ),
    "google_adk": Truth(
        ("google-adk", "google.adk"),
        TWO,
        # Gemini's tool calls have no ids.
        [
            *[("billing", None, None)] * 4,
            ("expert", "billing", None),
            *[("bank", None, None)] * 2,
            *[("invoice", None, None)] * 2,
        ],
        [*LOOKUPS, ("expert", True)],
    ),
    "smolagents": Truth(
        ("smolagents", "smolagents"),
        TWO,
        [*[(None, None, None)] * 3, *[("orders", None, "orders")] * 3],
        [("orders", True), *LOOKUPS, *[("final_answer", True), ("final_answer", None), ("final_answer", None)]],
    ),
    "strands": Truth(
        ("strands", "strands"),
        ["When is my refund?", "Hi", "That is all"],
        [(None, None, None)] * 6,
        [("handoff_to_agent", True), *LOOKUPS],
        ["billing"],
    ),
    "agno": Truth(
        ("agno", "agno"),
        TWO,
        [*[(None, None, None)] * 3, *[(None, None, "delegate_task_to_member")] * 3],
        [*[("delegate_task_to_member", True)] * 2, ("lookup_order", True), ("lookup_order", None)],
    ),
    "haystack": Truth(
        ("haystack", "haystack"),
        TWO,
        [*[(None, None, None)] * 4, (None, None, "ask_expert")],
        [*LOOKUPS, ("ask_expert", True)],
    ),
    "autogen": Truth(
        ("autogen", "autogen_agentchat"),
        [*TWO, "Write it down"],
        [*[(None, None, None)] * 4, (None, None, "expert"), ("writer", None, None), ("reviewer", None, None)],
        [("lookup_order", True), ("lookup_order", None), ("expert", True)],
    ),
    "semantic_kernel": Truth(
        ("semantic-kernel", "semantic_kernel.agents.runtime"),
        ["When is my refund?", "Hi", "That is all"],
        [("triage", None, None), *[("billing", None, None)] * 2, *[(None, None, None)] * 2],
        [
            ("Handoff-transfer_to_billing", None),
            ("Orders-lookup_order", True),
            ("Orders-lookup_order", False),
            ("Handoff-complete_task", None),
        ],
        ["billing"],
    ),
    "instructor": Truth(
        ("instructor", "instructor"),
        ["When is my refund?", "By card?"],
        [(None, None, None)] * 3,
        [("Refund", False), ("Refund", None), ("PartialRefund", None)],
    ),
    "mirascope": Truth(
        ("mirascope", "mirascope"), TWO, [(None, None, None)] * 3, [("lookup_order", True), ("lookup_order", None)]
    ),
    # Its router tries again above the SDK, which counts its own attempts and says that this is the first.
    "litellm": Truth(("litellm", "litellm"), TWO, [(None, None, None)] * 4, LOOKUPS, failed=1),
    "ag2": Truth(
        ("ag2", "ag2"),
        TWO,
        [*[(None, None, None)] * 4, (None, None, "task_expert")],
        [*LOOKUPS, ("task_expert", True)],
    ),
    "aisuite": Truth(("aisuite", "aisuite"), TWO, [(None, None, None)] * 3, LOOKUPS),
    "atomic_agents": Truth(
        ("atomic-agents", "atomic_agents"),
        TWO,
        [(None, None, None)] * 3,
        [("BasicChatOutputSchema", success) for success in (False, None, None)],
    ),
    "beeai": Truth(
        ("beeai", "beeai_framework"),
        TWO,
        [*[(None, None, None)] * 5, (None, None, "ask_expert")],
        [*LOOKUPS, ("ask_expert", True), *[("final_answer", success) for success in (True, None, None)]],
        failed=1,
    ),
    "griptape": Truth(
        ("griptape", "griptape"),
        [*TWO, "As data?"],
        [(None, None, None)] * 5,
        [("Orders_lookup_order", True), ("Orders_lookup_order", None)],
    ),
    "guardrails": Truth(
        ("guardrails", "guardrails"), ["When is my refund?", "As data, by card?"], [(None, None, None)] * 4
    ),
    "browser_use": Truth(("browser-use", "browser_use"), TWO, [(None, None, None)] * 3),
    "camel": Truth(
        ("camel", "camel"),
        [*TWO, "Write it down"],
        [*[(None, None, None)] * 4, *[("Boss", None, None), ("Writer", None, None)] * 2],
        LOOKUPS,
    ),
    "langroid": Truth(("langroid", "litellm"), TWO, [(None, None, None)] * 5, LOOKUPS),
    "llm": Truth(("llm", "llm"), TWO, [(None, None, None)] * 3, LOOKUPS),
    "magentic": Truth(("magentic", "magentic"), TWO, [(None, None, None)] * 2, [("return_refund", None)]),
    "marvin": Truth(
        ("marvin", "marvin"),
        TWO,
        [("billing", None, None)] * 3,
        [*LOOKUPS, ("MarkTaskSuccessful", True), ("MarkTaskSuccessful", None)],
    ),
    "mem0": Truth(("mem0", "mem0"), ["I am called Ann and I drink tea", "What do I drink?"], [(None, None, None)] * 10),
}


def told_by(program, tmp_path):
    """What the store has of one, and what was served."""
    needs = TRUTHS[program].needs
    interpreter = python(*needs)
    if interpreter is None:
        pytest.skip(f"{needs[1]} is not in this environment: make neighbours")
    done = run(interpreter, "-m", "tests.neighbours.second", program, AMPLITUDE_AI_STORE=str(tmp_path / "events.db"))
    assert done.returncode == 0, done.stderr[-4000:]
    assert "swallowed at" not in done.stderr, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def cost(served):
    """Of what was served."""
    return sum(
        one.get(kind, 0) * price / 1e6
        for one in served
        for kind, price in zip(("prompt_tokens", "completion_tokens"), PRICES[one["model"]], strict=True)
    )


def total(rows, column):
    """A column's sum, as SQL has it."""
    return sum(row.get(column, 0) for row in rows)


@pytest.mark.parametrize("program", TRUTHS)
def test_by_its_views(program, tmp_path):
    """As the program has it, and the sums are what was served."""
    truth, told = TRUTHS[program], told_by(program, tmp_path)
    assert sorted(one["content"] for one in told["user_message"]) == sorted(truth.said)
    names = {one["tool_call_id"]: one["tool_name"] for one in told["tool_called"] if "tool_call_id" in one}
    calls = [
        (one.get("agent"), one.get("parent_agent"), names.get(one.get("parent_tool_call_id"))) for one in told["calls"]
    ]
    assert sorted(calls, key=str) == sorted(truth.calls, key=str)
    tools = [
        (_TASK.sub("", one["tool_name"]), bool(one["success"]) if "success" in one else None)
        for one in told["tool_called"]
    ]
    assert sorted(tools, key=str) == sorted(truth.tools, key=str)
    assert [one["handoff_to"] for one in told["tool_called"] if "handoff_to" in one] == truth.handoffs
    assert {one["step"] for one in told["calls"] if "step" in one} == truth.steps
    assert {one["workflow"] for one in told["calls"] if "workflow" in one} == truth.workflows

    served = told["served"]
    failed = sum(one["status"] != 200 for one in served)
    tokens = total(served, "prompt_tokens") + total(served, "completion_tokens")
    retries = failed - truth.failed
    assert (len(told["llm_message"]), len(told["calls"])) == (len(served), len(served) - retries)
    turns = [one for one in told["turns"] if "content" in one]
    assert [one["content"] for one in turns] == [one["content"] for one in told["user_message"]]
    outside = [one for one in told["calls"] if "turn_id" not in one]  # before anything was said
    for name, value in (("retries", retries), ("total_tokens", tokens), ("cost_usd", cost(served))):
        assert total(told["calls"], name) == pytest.approx(value), name
        assert total(turns, name) + total(outside, name) == pytest.approx(value), name
        assert total(told["sessions"], name) == pytest.approx(value), name
    (session,) = told["sessions"]
    assert (session["errors"], session["turns"], session["success"]) == (truth.failed, len(turns), 1)
    assert session["tool_errors"] == sum(success is False for _, success in truth.tools)
