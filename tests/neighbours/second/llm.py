"""Simon Willison's llm: tools at once of which one fails, then a second question to the conversation, refused once."""

import llm

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say

by_card = refused_once("Ten days by card.")


def model(asked):
    if reply := by_card(asked):
        return reply
    return say("It takes thirty days.") if asked.results else LOOK_UP


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    talk = llm.get_model("gpt-4o-mini").conversation(tools=[lookup_order])
    talk.chain("When is my refund?", system="You bill.").text()
    talk.prompt("And by card?").text()
