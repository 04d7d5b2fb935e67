"""A chat agent."""

import asyncio

from openai import AsyncOpenAI
from semantic_kernel.agents import ChatCompletionAgent
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion


async def talk(url):
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="test", max_retries=0)
    service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=client)
    agent = ChatCompletionAgent(service=service, name="Helper", instructions="Be short.")
    given = [str((await agent.get_response(messages="Hello")).content)]
    parts = [str(part.content) async for part in agent.invoke_stream(messages="Stream")]
    given.append("".join(parts))
    try:
        await agent.get_response(messages="[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given


def main(url):
    return asyncio.run(talk(url))
