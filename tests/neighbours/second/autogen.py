"""An agent with another as a tool, tools at once of which one fails, a refused call, two turns; then a team of two."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool
from autogen_ext.models.openai import OpenAIChatCompletionClient

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say, use

by_card = refused_once("Ten days by card.")


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if asked.said("You write.") or asked.said("You review."):
        return say("A letter." if asked.said("You write.") else "Approved.")
    if reply := by_card(asked):
        return reply
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "expert" not in asked.used:
        return use(("expert", {"task": "How long may it take?"}))
    return say("It takes thirty days.")


async def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


async def talk(url):
    chat = OpenAIChatCompletionClient(
        model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", parallel_tool_calls=False
    )

    def agent(name, prompt, **more):
        return AssistantAgent(name, model_client=chat, system_message=prompt, **more)

    expert = AgentTool(agent("expert", "You know the law.", description="Law."), return_value_as_last_message=True)
    billing = agent("billing", "You bill.", tools=[lookup_order, expert], max_tool_iterations=4)
    await billing.run(task="When is my refund?")
    await billing.run(task="And by card?")
    team = RoundRobinGroupChat(
        [agent("writer", "You write."), agent("reviewer", "You review.")],
        termination_condition=MaxMessageTermination(3),
    )
    await team.run(task="Write it down")
    await chat.close()


def main(url):
    asyncio.run(talk(url))
