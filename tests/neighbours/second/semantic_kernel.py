"""Agents that hand over in an orchestration: tools at once of which one fails, then a second question to one agent."""

import asyncio

from semantic_kernel.agents import (
    ChatCompletionAgent,
    ChatHistoryAgentThread,
    HandoffOrchestration,
    OrchestrationHandoffs,
)
from semantic_kernel.agents.runtime import InProcessRuntime
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion
from semantic_kernel.functions import kernel_function

from tests.neighbours._script import Once, fail, look_up, say, use

refuses = Once()


def model(asked):
    if asked.said("You greet."):
        return say("Hello." if asked.last == "Hi" else "Bye.")
    if asked.said("You triage."):
        return use(("Handoff-transfer_to_billing", {}))
    if "Orders-lookup_order" not in asked.used:
        if refuses():
            return fail(500)
        return use(("Orders-lookup_order", {"order": "A1"}), ("Orders-lookup_order", {"order": "B2"}))
    if "Handoff-complete_task" in asked.tools:
        return use(("Handoff-complete_task", {"task_summary": "It takes thirty days."}))
    return say("It takes thirty days.")


class Orders:
    @kernel_function
    def lookup_order(self, order: str) -> str:
        """Look up an order."""
        return look_up(order)


async def talk(url):
    def agent(name, prompt, **more):
        service = OpenAIChatCompletion(ai_model_id="gpt-4o-mini", api_key="test")
        return ChatCompletionAgent(service=service, name=name, description=name, instructions=prompt, **more)

    triage, billing = agent("triage", "You triage."), agent("billing", "You bill.", plugins=[Orders()])
    handoffs = OrchestrationHandoffs().add(source_agent="triage", target_agent="billing", description="Bills.")
    runtime = InProcessRuntime()
    runtime.start()
    team = HandoffOrchestration(members=[triage, billing], handoffs=handoffs)
    result = await team.invoke(task="When is my refund?", runtime=runtime)
    await result.get(timeout=60)
    await runtime.stop_when_idle()
    greeter = agent("greeter", "You greet.")
    thread = ChatHistoryAgentThread()
    await greeter.get_response("Hi", thread=thread)
    async for _ in greeter.invoke_stream("That is all", thread=thread):
        pass


def main(url):
    asyncio.run(talk(url))
