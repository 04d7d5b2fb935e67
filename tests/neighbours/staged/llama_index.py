"""A workflow of agents: triage hands over to billing, which has a tool."""

import asyncio

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.llms.openai import OpenAI


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk(url):
    llm = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test")
    billing = FunctionAgent(name="billing", description="Bills.", tools=[get_weather], llm=llm)
    triage = FunctionAgent(name="triage", description="Triages.", can_handoff_to=["billing"], tools=[], llm=llm)
    await AgentWorkflow(agents=[triage, billing], root_agent="triage").run("I was charged twice")


def main(url):
    asyncio.run(talk(url))
