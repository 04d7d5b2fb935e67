"""A task of an agent with a tool of which one call fails, in a thread, then a second, refused once."""

import os

os.environ.update(MARVIN_DATABASE_URL="sqlite+aiosqlite://", MARVIN_LOG_LEVEL="ERROR")

import marvin

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, use

refuses = Once()


def model(asked):
    ends = next(name for name in asked.tools if name.startswith("MarkTaskSuccessful"))
    if "And by card?" in asked.last:
        if refuses():
            return fail(500)
        return use((ends, {"result": "Ten days by card."}))
    return use((ends, {"result": "Thirty days."})) if asked.results else LOOK_UP


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    billing = marvin.Agent(name="billing", instructions="You bill.", tools=[lookup_order])
    with marvin.Thread():
        for question in ("When is my refund?", "And by card?"):
            billing.run(question, handlers=[])
