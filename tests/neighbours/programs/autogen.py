"""An assistant with a tool."""

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient


async def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk(url):
    client = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=0)
    agent = AssistantAgent("helper", model_client=client, tools=[get_weather])
    given = [(await agent.run(task="What is the weather?")).messages[-1].to_text()]
    try:
        await AssistantAgent("other", model_client=client).run(task="[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    await client.close()
    return given


def main(url):
    return asyncio.run(talk(url))
