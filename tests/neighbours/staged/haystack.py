"""An agent with a tool."""

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    agent = Agent(
        chat_generator=OpenAIChatGenerator(model="gpt-4o-mini", api_base_url=f"{url}/v1"), tools=[get_weather]
    )
    agent.run(messages=[ChatMessage.from_user("I was charged twice")])
