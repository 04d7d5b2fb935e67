"""A swarm: a handoff, tools at once of which one fails, a refused call; then an agent with two turns, streamed."""

import asyncio

from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.multiagent import Swarm

from tests.neighbours._script import LOOK_UP, look_up, say, use


def model(asked):
    if asked.said("You greet."):
        return say("Hello." if asked.last == "Hi" else "Bye.")
    if asked.said("You triage."):
        if not asked.used:
            return use(("handoff_to_agent", {"agent_name": "billing", "message": "A refund, please."}))
        return say("Handed over.")
    if "lookup_order" not in asked.used:
        return LOOK_UP
    return say("It takes thirty days.")


@tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    def agent(name, prompt, **more):
        chat = OpenAIModel(client_args={"base_url": f"{url}/v1", "api_key": "test"}, model_id="gpt-4o-mini")
        return Agent(name=name, system_prompt=prompt, model=chat, callback_handler=None, **more)

    triage, billing = agent("triage", "You triage."), agent("billing", "You bill.", tools=[lookup_order])
    Swarm([triage, billing])("When is my refund?")
    greeter = agent("greeter", "You greet.")
    greeter("Hi")

    async def stream():
        async for _ in greeter.stream_async("That is all"):
            pass

    asyncio.run(stream())
