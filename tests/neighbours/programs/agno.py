"""An agent with a tool, plain and streamed."""

import os

os.environ["AGNO_TELEMETRY"] = "false"

from agno.agent import Agent
from agno.models.openai import OpenAIChat


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    model = OpenAIChat(id="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=0)
    agent = Agent(model=model, tools=[get_weather], telemetry=False)
    given = [agent.run("What is the weather?").content]
    parts = agent.run("Hello", stream=True)
    given.append("".join(str(getattr(part, "content", "") or "") for part in parts))
    try:
        failed = Agent(model=model, telemetry=False).run("[sim:status=401]")
        given.append(str(failed.status))
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
