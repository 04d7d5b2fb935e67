"""An agent of the basic schemas, and an error."""

import instructor
import openai
from atomic_agents import AgentConfig, AtomicAgent, BasicChatInputSchema
from atomic_agents.context import ChatHistory


def main(url):
    client = instructor.from_openai(openai.OpenAI(base_url=f"{url}/v1", api_key="test", max_retries=0))
    agent = AtomicAgent(AgentConfig(client=client, model="gpt-4o-mini", history=ChatHistory()))
    given = []
    for text in ("Hello", "[sim:status=401]"):
        try:
            given.append(agent.run(BasicChatInputSchema(chat_message=text)).model_dump())
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
