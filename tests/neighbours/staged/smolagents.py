"""A manager with a tool, and a managed agent."""

from smolagents import OpenAIServerModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name.
    """
    return f"sunny in {city}"


def main(url):
    model = OpenAIServerModel(model_id="gpt-4o-mini", api_base=f"{url}/v1", api_key="test")
    expert = ToolCallingAgent(tools=[], model=model, name="expert", description="Knows policies.", verbosity_level=0)
    billing = ToolCallingAgent(
        tools=[get_weather], model=model, managed_agents=[expert], name="billing", verbosity_level=0, max_steps=6
    )
    billing.run("I was charged twice")
