"""An agent with a tool; strands streams by itself."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    model = OpenAIModel(
        client_args={"base_url": f"{url}/v1", "api_key": "test", "max_retries": 0}, model_id="gpt-4o-mini"
    )
    given = [str(Agent(model=model, tools=[get_weather], callback_handler=None)("What is the weather?"))]
    try:
        Agent(model=model, callback_handler=None)("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
