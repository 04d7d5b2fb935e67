"""A crew of two: the first has a tool, the second works on what the first said."""

import os

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool


@tool("get_weather")
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    llm = LLM(model="openai/gpt-4o-mini", base_url=f"{url}/v1", api_key="test")
    options = {"goal": "help", "backstory": "You know the firm.", "llm": llm, "verbose": False}
    billing = Agent(role="Billing", tools=[get_weather], **options)
    writer = Agent(role="Writer", **options)
    first = Task(description="I was charged twice", expected_output="a reason", agent=billing)
    second = Task(description="Write it down", expected_output="a letter", agent=writer, context=[first])
    Crew(agents=[billing, writer], tasks=[first, second], verbose=False).kickoff()
