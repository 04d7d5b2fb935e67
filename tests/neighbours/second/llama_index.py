"""Two turns with memory: tools at once of which one fails, a handoff, an agent behind a tool, a workflow's step."""

import asyncio

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI

from tests.neighbours._script import LOOK_UP, look_up, say, use

WITH_USAGE = {"stream_options": {"include_usage": True}}


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if asked.last == "Put it in one word":
        return say("Soon.")
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if asked.said("You triage."):
        return use(("handoff", {"to_agent": "billing", "reason": "bills"}))
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "ask_expert" not in asked.used:
        return use(("ask_expert", {"question": "How long may it take?"}))
    return say("It takes thirty days.")


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


async def talk(url):
    llm = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", additional_kwargs=WITH_USAGE)
    expert = FunctionAgent(name="expert", description="Law.", system_prompt="You know the law.", tools=[], llm=llm)

    async def ask_expert(question: str) -> str:
        """Ask the expert."""
        return str(await expert.run(question))

    billing = FunctionAgent(
        name="billing", description="Bills.", system_prompt="You bill.", tools=[lookup_order, ask_expert], llm=llm
    )
    triage = FunctionAgent(
        name="triage",
        description="Triages.",
        system_prompt="You triage.",
        can_handoff_to=["billing"],
        tools=[],
        llm=llm,
    )
    team = AgentWorkflow(agents=[triage, billing], root_agent="triage")
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    await team.run("When is my refund?", memory=memory)

    second = AgentWorkflow(agents=[billing], root_agent="billing")
    stream = second.run("And by card?", memory=memory)
    async for _ in stream.stream_events():
        pass
    await stream

    class OneWord(Workflow):
        @step
        async def shorten(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str(await llm.acomplete("Put it in one word")))

    await OneWord().run()


def main(url):
    asyncio.run(talk(url))
