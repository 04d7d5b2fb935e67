"""docs/agents.md: the program runs as written and gives the events that the page tells of."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from amplitude_ai.delivery._store_schema import EVENTS, migrate
from amplitude_ai.testing import EventList

pytest.importorskip("httpx2")
PAGE = (Path(__file__).parents[1] / "docs/agents.md").read_text()


def block(language):
    """The page's code."""
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL).group(1)


@pytest.fixture(scope="module")
def events():
    """What the program gives."""
    told = EventList()
    program = block("python").replace("user_id=", "amplitude_client=amplitude_client, user_id=", 1)
    exec(compile(program, "docs/agents.md", "exec"), {"amplitude_client": told, "__name__": "agents"})
    return told


def test_a_user_message_is_what_the_user_said(events):
    """The user's one, and the two tasks of the branches that nobody's model asked for."""
    said = [one["content"] for one in events.of_type("user_message")]
    assert said[0] == "I was charged twice"
    assert sorted(said[1:]) == ["Check the bank", "Check the invoice"]


def test_the_handoff_and_the_tool(events):
    """With whom, and with the sub-agent's answer as its result."""
    tools = {one["tool_name"]: one for one in events.of_type("tool_called")}
    assert tools["transfer_to_billing"]["handoff_to"] == "billing"
    assert tools["ask_expert"]["tool_result"] == "About: What is our policy on double charges?"


def test_the_tree(events):
    """The page's query on the page's program."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    for event in events.events:
        facts = json.dumps(event.event_properties)
        row = (event.insert_id, event.event_type, event.time, event.user_id, None, facts, "{}", 0)
        connection.execute(EVENTS.single, row)
    rows = [tuple(row)[1:] for row in connection.execute(block("sql"))]
    connection.close()
    main = [row for row in rows if row[1] != "checker"]
    assert sorted(main, key=lambda row: row[0] or "") == [
        (None, "triage", None, None, 1, 0, 15),
        ("billing", "expert", None, "call_ask_expert", 1, 0, 15),
        ("triage", "billing", None, None, 2, 0, 30),
    ]
    branches = [row for row in rows if row[1] == "checker"]
    assert {row[:4] for row in branches} == {("billing", "checker", "check", None)}
    assert [sum(row[at] for row in branches) for at in (4, 5, 6)] == [2, 1, 30]
