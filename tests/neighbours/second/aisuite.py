"""aisuite's own loop of tools of which one fails, then a second question to the same conversation, refused once."""

import aisuite

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say

by_card = refused_once("Ten days by card.")


def model(asked):
    if reply := by_card(asked):
        return reply
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
