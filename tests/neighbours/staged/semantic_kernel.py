"""An agent with a plugin."""

import asyncio

from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function


class Weather:
    @kernel_function
    def get_weather(self, city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"


async def talk(url):
    service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", api_key="test")
    agent = ChatCompletionAgent(service=service, name="billing", instructions="Help.", plugins=[Weather()])
    await agent.get_response("I was charged twice")


def main(url):
    asyncio.run(talk(url))
