"""An agent with another behind a tool, a tool that fails, a refused call; two turns, the second streamed."""

from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, say, use

refuses = Once()


def model(asked):
    if asked.said("You know the law."):
        if refuses():
            return fail(503)
        return say("Thirty days.")
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "ask_expert" not in asked.used:
        return use(("ask_expert", {"question": "How long may it take?"}))
    return say("It takes thirty days.")


@tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    def agent(prompt, tools, **more):
        chat = OpenAIChatGenerator(model="gpt-4o-mini", api_base_url=f"{url}/v1", max_retries=2)
        return Agent(chat_generator=chat, system_prompt=prompt, tools=tools, **more)

    expert = agent("You know the law.", [])

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        return expert.run(messages=[ChatMessage.from_user(question)])["last_message"].text

    billing = agent("You bill.", [lookup_order, ask_expert])
    first = billing.run(messages=[ChatMessage.from_user("When is my refund?")])
    history = [*first["messages"], ChatMessage.from_user("And by card?")]
    billing.run(messages=history, streaming_callback=lambda chunk: None)
