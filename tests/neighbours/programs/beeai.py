"""An agent, a chat, a stream, an error."""

import asyncio

from beeai_framework.adapters.openai import OpenAIChatModel
from beeai_framework.agents.requirement import RequirementAgent
from beeai_framework.backend import UserMessage
from beeai_framework.memory import UnconstrainedMemory


async def talk(url):
    llm = OpenAIChatModel("gpt-4o-mini", api_key="test", base_url=f"{url}/v1")
    given = []
    agent = RequirementAgent(llm=llm, role="helper", memory=UnconstrainedMemory())
    for run in (
        lambda: agent.run("What is the weather?"),
        lambda: llm.run([UserMessage("Hello")]),
        lambda: llm.run([UserMessage("Stream")], stream=True),
        lambda: llm.run([UserMessage("[sim:status=401]")]),
    ):
        try:
            given.append((await run()).last_message.text if not given else (await run()).get_text_content())
        except Exception as exc:
            given.append(type(exc).__name__)
    return given


def main(url):
    return asyncio.run(talk(url))
