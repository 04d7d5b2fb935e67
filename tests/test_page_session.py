"""A session as the page shows it: turns, and agents within agents."""

import json
import re

import pytest

from amplitude_ai.delivery._store import Store
from amplitude_ai.look._filter import Filter

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from amplitude_ai.page._overview import overview
from amplitude_ai.page._pages import Pages
from amplitude_ai.page._session import Group, placed, turns
from amplitude_ai.page._timeline import timeline

HOSTILE = "<script>alert(1)</script>\x1b[2J"


def event(kind="llm_message", at=0, **properties):
    return {"event_type": kind, "time_ms": at, "properties": properties}


def shape(group):
    """Agents and types of events, nested."""
    return [
        {each.agent: shape(each)} if isinstance(each, Group) else each["event_type"].partition("_")[0]
        for each in group.parts
    ]


def test_turns_and_agents():
    """Calls of an agent that another called stand inside it, whoever has no agent at the top, each in its turn."""
    billing = {"turn_id": "t0", "agent": "billing", "parent_agent": "triage"}
    found = turns(
        placed(
            [
                event("llm_run_started"),
                event("user_message", turn_id="t0", turn_index=0),
                event(turn_id="t0", turn_index=0, agent="triage", total_tokens=5, cost_usd=0.25, latency_ms=7),
                event(**billing, total_tokens=6, cost_usd=0.5),
                event("tool_called", **billing),
                event(turn_id="t0", agent="expert", parent_agent="billing", success=False),
                event(turn_id="t0", agent="triage"),
                event("user_message", turn_id="t1", turn_index=1),
            ]
        )
    )
    assert [turn.number for turn in found] == [0, 1, None]
    first = found[0]
    assert shape(first.agents) == [
        "user",
        {"triage": ["llm", {"billing": ["llm", "tool", {"expert": ["llm"]}]}, "llm"]},
    ]
    assert (first.total["calls"], first.total["errors"], first.tools) == (4, 1, 1)
    assert (first.total["total_tokens"], first.total["cost_usd"], first.total["avg_latency_ms"]) == (11, 0.75, 7)
    assert found[1].total["calls"] == 0


@pytest.mark.parametrize("parent", ["a", "b", 7, ["b"], None])
def test_an_agent_around_itself(parent):
    """Circles and whatever is no name end."""
    found = turns(placed([event(agent="a", parent_agent=parent), event(agent="b", parent_agent="a"), event(agent={})]))
    assert sum(len(turn.agents.parts) for turn in found) >= 2


def test_a_chain_without_end():
    """Agents within agents are shown to a depth, and no deeper."""
    events = [event(agent=f"a{number}", parent_agent=f"a{number + 1}") for number in range(2_000)]
    group, deep = turns(placed(events))[0].agents, 0
    while isinstance(group.parts[0], Group):
        group, deep = group.parts[0], deep + 1
    assert deep == 8


def test_the_timeline_is_a_tree():
    """Each agent has a line above what it did, to the right of the agent that called it; who has none, none."""
    inner = {"agent": "expert", "parent_agent": "triage"}
    events = [
        event(),
        event(agent="triage", at=1),
        event(at=2, **inner),
        event("tool_called", at=3, tool_name="look", **inner),
        event(agent="triage", at=4),
        event(at=5),
    ]
    lines = re.findall(r'<text class="(name[ a-z]*)" x="(\d+)" y="(\d+)">([^<]*)', timeline(placed(events)))
    assert [(text, int(x) // 14) for _, x, _, text in lines] == [
        ("call", 0),
        *(("triage", 0), ("call", 1), ("expert", 1), ("call", 2), ("↳ look", 2), ("call", 1)),
        ("call", 0),
    ]
    assert [text for kind, _, _, text in lines if "agent" in kind] == ["triage", "expert"]
    heights = [int(y) for _, _, y, _ in lines]
    assert heights == sorted(set(heights))
    assert "<title>↳ look, agent expert: at " in timeline(placed(events))


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "events.db")
    calls = (
        {"agent": HOSTILE, "model_name": "m", "input_tokens": 100, "cached_input_tokens": 50, "cache_savings_usd": 0.5},
        {"agent": "b", "parent_agent": HOSTILE, "model_name": "m", "input_tokens": 100, "cached_input_tokens": 70},
        {"agent": "b", "model_name": "n", "input_tokens": 10, "cached_input_tokens": 5, "cache_savings_usd": -0.125},
        {"agent": "b", "model_name": "n", "input_tokens": 10, "cached_input_tokens": 0},
    )
    for number, said in enumerate(calls):
        said = {"session_id": "s", "turn_id": "t", "turn_index": 0, "success": True, **said}
        made.write(
            insert_id=str(number),
            event_type="llm_message",
            time_ms=number,
            user_id="ann",
            device_id=None,
            properties=json.dumps(said),
        )
    made.close()
    return made.path


def test_the_page_of_a_session(store):
    """One turn, an agent within an agent; what an agent calls itself stays text."""
    text = TestClient(Pages(store).app()).get("/session?id=s").text
    assert "Turn 1" in text
    assert text.count('<li class="agent">') == 2
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in text


def test_what_caches_saved(store):
    """By model, the most first, only of calls that read one; the sum beside them."""
    data = overview(store, Filter())
    assert [(row["model"], row["calls"], row["cached_input_tokens"], row["saved_usd"]) for row in data.cache] == [
        ("m", 2, 120, 0.5),
        ("n", 1, 5, -0.125),
    ]
    assert data.saved_usd == 0.375
    assert "$0.375000" in TestClient(Pages(store).app()).get("/?range=all").text


def test_what_a_call_costs_over_time(store):
    """The mean of the calls that have a price; nothing, and no 0, where none has."""
    made = Store(store)
    for number, said in enumerate(({"cost_usd": 0.5}, {"cost_usd": 0.25}, {})):
        made.write(
            insert_id=f"priced {number}",
            event_type="llm_message",
            time_ms=10_000,
            user_id="ann",
            device_id=None,
            properties=json.dumps({"session_id": "s", "success": True, **said}),
        )
    made.close()
    chart = next(chart for chart in overview(store, Filter()).charts if chart.title.startswith("Cost of a call"))
    assert [value for value in chart.layers[0].values if value is not None] == [0.375]
    assert chart.layers[0].values[0] is None
