"""Simon Willison's llm: tools at once of which one fails, then a second question to the conversation, refused once."""

import llm

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
    return look_up(order)


def main(url):
    talk = llm.get_model("gpt-4o-mini").conversation(tools=[lookup_order])
    talk.chain("When is my refund?", system="You bill.").text()
    talk.prompt("And by card?").text()
