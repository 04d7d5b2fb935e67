"""An agent with a tool, plain and streamed."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk(url):
    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(base_url=f"{url}/v1", api_key="test"))
    agent = Agent(model, tools=[get_weather])
    given = [(await agent.run("What is the weather?")).output]
    async with agent.run_stream("Hello") as streamed:
        given.append(await streamed.get_output())
    try:
        await agent.run("[sim:status=400]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given


def main(url):
    return asyncio.run(talk(url))
