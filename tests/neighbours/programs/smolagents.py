"""A tool-calling agent and a bare model."""

from smolagents import OpenAIServerModel, ToolCallingAgent, tool


@tool
def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name.
    """
    return f"sunny in {city}"


def main(url):
    model = OpenAIServerModel(
        model_id="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", client_kwargs={"max_retries": 0}
    )
    message = model([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}])
    given = [message.content]
    agent = ToolCallingAgent(tools=[get_weather], model=model, max_steps=2, verbosity_level=0)
    given.append(str(agent.run("What is the weather?")))
    try:
        model([{"role": "user", "content": [{"type": "text", "text": "[sim:status=400]"}]}])
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
