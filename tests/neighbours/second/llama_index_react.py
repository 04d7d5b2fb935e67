"""LlamaIndex's ReActAgent, which asks for tools by text: one order is there, one is not; two questions."""

import asyncio

from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.llms.openai import OpenAI

from tests.neighbours._script import flat, say


def model(asked):
    text = "\n".join(flat(one) for one in asked.messages if one["role"] != "system")
    order = next((one for one in ("A1", "B2") if one not in text), None)
    if order is None:
        return say("Thought: I can answer without using any more tools.\nAnswer: Thirty days.")
    return say(f'Thought: I look.\nAction: lookup_order\nAction Input: {{"order": "{order}"}}')


def lookup_order(order: str) -> str:
    """Look up an order."""
    return "Error: no such order" if order == "B2" else f"{order}: shipped"


async def talk(url):
    options = {"stream_options": {"include_usage": True}}
    llm = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", additional_kwargs=options)
    agent = ReActAgent(name="billing", tools=[lookup_order], llm=llm)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    await agent.run("When is my refund?", memory=memory)
    await agent.run("And by card?", memory=memory)


def main(url):
    asyncio.run(talk(url))
