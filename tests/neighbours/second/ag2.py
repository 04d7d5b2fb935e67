"""An agent with another as a tool, tools at once of which one fails, a refused call, two turns."""

import asyncio

from ag2 import Agent
from ag2.config import OpenAIConfig

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say, use

by_card = refused_once("Ten days by card.")


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if reply := by_card(asked):
        return reply
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "task_expert" not in asked.used:
        return use(("task_expert", {"objective": "How long may it take?"}))
    return say("It takes thirty days.")


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


async def talk(url):
    config = OpenAIConfig(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")
    expert = Agent("expert", "You know the law.", config=config)
    billing = Agent("billing", "You bill.", config=config, tools=[lookup_order, expert.as_tool(description="Law.")])
    reply = await billing.ask("When is my refund?")
    await reply.ask("And by card?")


def main(url):
    asyncio.run(talk(url))
