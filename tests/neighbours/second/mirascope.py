"""Tools at once of which one fails, then a second question to the same conversation, streamed."""

from mirascope import llm

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, say

refuses = Once()


def model(asked):
    if asked.last == "And by card?":
        if refuses():
            return fail(500)
        return say("Ten days by card.")
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
