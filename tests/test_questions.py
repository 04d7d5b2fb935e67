"""docs/questions.md: each statement runs on the store, and answers what is known of the world."""

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from amplitude_ai.delivery._store_schema import EVENTS

from .world import store

PAGE = (Path(__file__).parents[1] / "docs/questions.md").read_text()
QUESTIONS = {
    int(number): statement for number, statement in re.findall(r"^### (\d+)\. .+\n\n```sql\n([^`]*)```", PAGE, re.M)
}
#: From the figures of `world`, by hand.
ANSWERS = {
    1: [("ann", 4), ("bob", 3)],
    2: [("s1", 2), ("s2", 3), ("s3", 2)],
    3: [("small", 7), ("big", 5), ("embed", 1)],
    4: [("00", 4), ("01", 3)],
    5: [("2026-01-01", 2), ("2026-01-02", 1)],
    6: [("Hello", 2)],
    7: [("chat", 13), ("embeddings", 1)],
    8: [(1,)],
    9: [("ann", 1.35), ("bob", 27.905)],
    10: [("s1", 1.11), ("s2", 27.905), ("s3", 0.24)],
    11: [(4.875,)],
    12: [("Find papers", 24.3)],
    13: [("expert", 12.0), ("researcher", 15.9), ("triage", 1.11)],
    14: [("chat", 1.35), ("search", 27.905)],
    15: [("big", 27.6), ("small", 1.65), ("embed", 0.005)],
    16: [("2026-01-01", 3930, 29.015), ("2026-01-02", 220, 0.24)],
    17: [("embeddings", 0.005)],
    18: [("expert", 12.0)],
    19: [(0,)],
    20: [(0.09,)],
    21: [(14, 1, 0.071)],
    22: [(15, 2)],
    23: [("invalid_request_error", 1), ("server_error", 1)],
    24: [(1, 900.0)],
    25: [("big", 0.143)],
    26: [("Summarise",)],
    27: [("s2", "researcher")],
    28: [("big", 260.0), ("embed", 100.0), ("small", 264.0)],
    29: [("small", 50.0)],
    30: [("small", 100.0)],
    31: [("triage", 1100.0)],
    32: [("researcher", "expert")],
    33: [("expert", 1, 0), ("get_weather", 2, 1), ("search", 3, 0)],
    34: [("search", 1)],
    35: [("researcher", "search", 3)],
    36: [("Find papers", 3)],
    37: [("s3", 2)],
    38: [("big", "small", 1)],
    39: [(0.1,)],
    40: [("message 4", 1), ("system", 1)],
    41: [("big", 1, 1.0, None), ("small", 2, 0.0, "wrong")],
    42: [("And Rome?", 2100.0, 57.0), ("Find papers", 2100.0, 52.0), ("Go on", 2100.0, 14.0)],
    43: [(0, 3, 2.7, 9.39), (1, 1, 2.0, 0.84)],
    44: [("small", "00", 50.0)],
    45: [("message 4", 100, 1.2, 4.1), ("system", 100, 1.2, 4.1)],
    46: [(0, 2, 1.0), (1, 1, -1.0)],
    47: [("researcher", 2), ("triage", 2), ("researcher > expert > researcher", 1)],
    48: [("get_weather", 2, 29, 19), ("search", 3, 14, 7), ("expert", 1, 2, 2)],
}


@pytest.fixture(scope="module")
def world():
    """The world, in a store."""
    with closing(store()) as made:
        yield made


def test_there_are_forty_and_a_few():
    """Numbered from 1, each with its answer here."""
    assert list(QUESTIONS) == list(ANSWERS) == list(range(1, 49))


@pytest.mark.parametrize("number", ANSWERS)
def test_a_question(world, number):
    """As the page has it."""
    assert [tuple(row) for row in world.execute(QUESTIONS[number])] == ANSWERS[number]


def test_the_95th_of_a_hundred():
    """Of 1 to 20 ms, in one hour, it is 19; the call without a first token is none of them."""
    with closing(store()) as made:
        made.execute("DELETE FROM events")
        for number in range(21):
            facts = {"model_name": "m", "time_to_first_token_ms": number} if number else {"model_name": "m"}
            row = (f"i{number}", "llm_message", 1_800_000_000_000 + number, "ann", None, json.dumps(facts), "{}", 0)
            made.execute(EVENTS.single, row)
        assert [tuple(row)[::2] for row in made.execute(QUESTIONS[44])] == [("m", 19)]
