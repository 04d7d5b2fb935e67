"""An agent with a tool, and another agent behind one."""

from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    def model():
        return OpenAIModel(client_args={"base_url": f"{url}/v1", "api_key": "test"}, model_id="gpt-4o-mini")

    expert = Agent(name="expert", model=model(), callback_handler=None)

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        return str(expert(question))

    Agent(name="billing", model=model(), tools=[ask_expert, get_weather], callback_handler=None)("I was charged twice")
