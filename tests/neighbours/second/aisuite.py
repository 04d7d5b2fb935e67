"""aisuite's own loop of tools of which one fails, then a second question to the same conversation, refused once."""

import aisuite

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, say

refuses = Once()


def model(asked):
    if asked.last == "And by card?":
        if refuses():
            return fail(500)
        return say("Ten days by card.")
    return say("It takes thirty days.") if asked.results else LOOK_UP


def lookup_order(order: str) -> str:
    """Look up an order."""
    try:
        return look_up(order)
    except ValueError as exc:  # its loop passes none on
        return f"Error: {exc}"


def main(url):
    ask = aisuite.Client().chat.completions.create
    said = [{"role": "user", "content": "When is my refund?"}]
    found = ask(model="openai:gpt-4o-mini", messages=said, tools=[lookup_order], max_turns=3).choices[0]
    said += [*found.intermediate_messages, {"role": "user", "content": "And by card?"}]
    ask(model="openai:gpt-4o-mini", messages=said)
