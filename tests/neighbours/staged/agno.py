"""A team: its leader has a member do a task."""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    def model():
        return OpenAIChat(id="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")

    expert = Agent(name="Expert", id="expert", model=model(), telemetry=False)
    Team(name="Billing", members=[expert], model=model(), tools=[get_weather], telemetry=False).run(
        "I was charged twice"
    )
