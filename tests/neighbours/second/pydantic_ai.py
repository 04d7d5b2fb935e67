"""Three turns: tools at once of which one asks for a retry, a validated output that is refused once, a stream."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry

from tests.neighbours._script import LOOK_UP, say, use


class Refund(BaseModel):
    days: int


def model(asked):
    if asked.said("You know the law."):
        return use(("final_result", {"days": "soon" if asked.results == 0 else 30}))
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if asked.last == "When is my refund?":
        return LOOK_UP
    if asked.used.count("lookup_order") == 2:
        return use(("lookup_order", {"order": "C3"}), ("ask_expert", {"question": "How long may it take?"}))
    return say("It takes thirty days.")


expert = Agent(
    "openai-chat:gpt-4o-mini",
    name="expert",
    instructions="You know the law.",
    output_type=Refund,
    defer_model_check=True,
)
billing = Agent("openai-chat:gpt-4o-mini", name="billing", instructions="You bill.", defer_model_check=True)


@billing.tool_plain
def lookup_order(order: str) -> str:
    """Look up an order."""
    if order == "B2":
        raise ModelRetry("no such order")
    return f"{order}: shipped"


@billing.tool_plain
async def ask_expert(question: str) -> str:
    """Ask the expert."""
    return f"{(await expert.run(question)).output.days} days"


async def talk():
    first = await billing.run("When is my refund?")
    async with billing.run_stream("And by card?", message_history=first.all_messages()) as second:
        async for _ in second.stream_text():
            pass


def main(url):
    asyncio.run(talk())
