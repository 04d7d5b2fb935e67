"""docs/questions.md: each of the forty statements runs on the store, and answers what is known of the world."""

import re
from contextlib import closing
from pathlib import Path

import pytest

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
}


@pytest.fixture(scope="module")
def world():
    """The world, in a store."""
    with closing(store()) as made:
        yield made


def test_there_are_forty_and_one():
    """Numbered from 1 to 41, each with its answer here."""
    assert list(QUESTIONS) == list(ANSWERS) == list(range(1, 42))


@pytest.mark.parametrize("number", ANSWERS)
def test_a_question(world, number):
    """As the page has it."""
    assert [tuple(row) for row in world.execute(QUESTIONS[number])] == ANSWERS[number]
