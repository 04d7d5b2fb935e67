"""A swarm: triage hands over to billing, which has a tool."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import Swarm
from autogen_ext.models.openai import OpenAIChatCompletionClient


async def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk(url):
    client = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")
    triage = AssistantAgent("triage", model_client=client, handoffs=["billing"])
    billing = AssistantAgent("billing", model_client=client, tools=[get_weather], reflect_on_tool_use=True)
    team = Swarm([triage, billing], termination_condition=MaxMessageTermination(6))
    await team.run(task="I was charged twice")
    await client.close()


def main(url):
    asyncio.run(talk(url))
