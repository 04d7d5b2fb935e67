"""Triage hands over to billing, which has a tool, and an expert as another."""

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_trace_processors
from openai import AsyncOpenAI


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    set_trace_processors([])
    model = OpenAIChatCompletionsModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())
    expert = Agent(name="Expert", model=model)
    asking = expert.as_tool(tool_name="ask_expert", tool_description="Ask the expert.")
    billing = Agent(name="Billing", model=model, tools=[asking, get_weather])
    triage = Agent(name="Triage", model=model, handoffs=[billing])
    Runner.run_sync(triage, "I was charged twice")
