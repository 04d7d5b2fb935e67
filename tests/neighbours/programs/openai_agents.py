"""An agent with a tool, plain and streamed."""

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="test", max_retries=0)
    given = []
    for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
        model = kind(model="gpt-4o-mini", openai_client=client)
        agent = Agent(name="Weather", instructions="Be short.", model=model, tools=[get_weather])
        given.append(Runner.run_sync(agent, "What is the weather?").final_output)
        try:
            Runner.run_sync(agent, "[sim:status=401]")
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
