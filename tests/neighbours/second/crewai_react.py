"""A crew whose model calls no functions: it asks for tools by text. One order is there, the other is not."""

import os

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

from tests.neighbours._script import flat, look_up, say


def model(asked):
    text = "\n".join(flat(one) for one in asked.messages)
    order = next((one for one in ("A1", "B2") if one not in text), None)
    if order is None:
        return say("Thought: I now know the final answer\nFinal Answer: Thirty days.")
    return say(f'Thought: I look.\nAction: lookup_order\nAction Input: {{"order": "{order}"}}')


@tool("lookup_order")
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    llm = LLM(model="openai/gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=2)
    type(llm).supports_function_calling = lambda self: False
    billing = Agent(role="Billing", goal="help", backstory="You know the firm.", tools=[lookup_order], llm=llm)
    task = Task(description="When is my refund?", expected_output="a date", agent=billing)
    Crew(agents=[billing], tasks=[task], verbose=False).kickoff()
