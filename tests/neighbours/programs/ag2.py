"""An agent with a tool, asked twice, and an error."""

import asyncio

from ag2 import Agent
from ag2.config import OpenAIConfig


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk(url):
    config = OpenAIConfig(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=0)
    agent = Agent("helper", "Be short.", config=config, tools=[get_weather])
    reply = await agent.ask("What is the weather?")
    given = [reply.body, (await reply.ask("Thanks")).body]
    try:
        await agent.ask("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given


def main(url):
    return asyncio.run(talk(url))
