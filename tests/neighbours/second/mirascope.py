"""Tools at once of which one fails, then a second question to the same conversation, streamed."""

from mirascope import llm

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say

by_card = refused_once("Ten days by card.")


def model(asked):
    if reply := by_card(asked):
        return reply
    if "lookup_order" not in asked.used:
        return LOOK_UP
    return say("It takes thirty days.")


@llm.tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


@llm.call("openai/gpt-4o-mini:completions", tools=[lookup_order])
def ask(text: str):
    return text


def main(url):
    response = ask("When is my refund?")
    while response.tool_calls:
        response = response.resume(response.execute_tools())
    response.resume("And by card?")
