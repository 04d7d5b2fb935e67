"""An agent of typed input and output, asked twice; the first answer is refused by its schema, a call by the server."""

import instructor
from atomic_agents import AgentConfig, AtomicAgent, BasicChatInputSchema
from atomic_agents.context import ChatHistory
from openai import OpenAI

from tests.neighbours._script import Once, fail, use

refuses, wrong = Once(), Once()


def model(asked):
    if "And by card?" in asked.last:
        if refuses():
            return fail(500)
        return use((asked.tools[0], {"chat_message": "Ten days by card."}))
    return use((asked.tools[0], {"chat_message": 30 if wrong() else "Thirty days."}))


def main(url):
    agent = AtomicAgent(
        AgentConfig(client=instructor.from_openai(OpenAI()), model="gpt-4o-mini", history=ChatHistory())
    )
    agent.run(BasicChatInputSchema(chat_message="When is my refund?"))
    agent.run(BasicChatInputSchema(chat_message="And by card?"))
