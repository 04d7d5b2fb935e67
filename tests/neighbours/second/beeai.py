"""Two turns with memory: tools at once of which one fails, a handoff that brings the history, a call refused once."""

import asyncio

from beeai_framework.adapters.openai import OpenAIChatModel
from beeai_framework.agents.requirement import RequirementAgent
from beeai_framework.memory import UnconstrainedMemory
from beeai_framework.tools import tool
from beeai_framework.tools.handoff import HandoffTool

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, use

refuses = Once()


def model(asked):
    if "And by card?" in asked.last:
        return fail(500) if refuses() else use(("final_answer", {"response": "Ten days by card."}))
    if asked.said("You know the law."):
        return use(("final_answer", {"response": "Thirty days."}))
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "ask_expert" not in asked.used:
        return use(("ask_expert", {"task": "How long may it take by law?"}))
    return use(("final_answer", {"response": "It takes thirty days."}))


@tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


async def talk(url):
    def agent(name, instructions, tools=()):
        llm = OpenAIChatModel(
            "gpt-4o-mini",
            api_key="test",
            base_url=f"{url}/v1",
            allow_parallel_tool_calls=True,
            tool_choice_support={"required", "none", "single", "auto"},
        )
        memory = UnconstrainedMemory()
        return RequirementAgent(llm=llm, name=name, role=name, instructions=instructions, tools=tools, memory=memory)

    expert = agent("expert", "You know the law.")
    ask = HandoffTool(expert, name="ask_expert", description="Ask the expert.")
    billing = agent("billing", "You bill.", [lookup_order, ask])
    for question in ("When is my refund?", "And by card?"):
        await billing.run(question)


def main(url):
    asyncio.run(talk(url))
