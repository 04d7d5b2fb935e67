"""Two turns, one streamed: parallel tools of which one fails, a handoff, an expert as a tool, a refused call."""

import asyncio

import agents
from agents import Agent, OpenAIChatCompletionsModel, Runner, SQLiteSession, function_tool
from openai import AsyncOpenAI

from tests.neighbours._script import Once, fail, look_up, say, use

refuses = Once()


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if asked.said("You triage."):
        return use(("transfer_to_billing", {}))
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if asked.results == 1:  # the handoff's own
        if refuses():
            return fail(503)
        return use(
            ("lookup_order", {"order": "A1"}),
            ("lookup_order", {"order": "B2"}),
            ("ask_expert", {"input": "How long may it take?"}),
        )
    return say("It takes thirty days.")


@function_tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


async def talk():
    agents.set_trace_processors([])
    chat = OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
    expert = Agent(name="expert", instructions="You know the law.", model=chat)
    asking = expert.as_tool(tool_name="ask_expert", tool_description="Ask.")
    billing = Agent(name="billing", instructions="You bill.", model=chat, tools=[lookup_order, asking])
    triage = Agent(name="triage", instructions="You triage.", model=chat, handoffs=[billing])
    memory = SQLiteSession("one")
    await Runner.run(triage, "When is my refund?", session=memory)
    streamed = Runner.run_streamed(billing, "And by card?", session=memory)
    async for _ in streamed.stream_events():
        pass


def main(url):
    asyncio.run(talk())
