"""Two turns: tools at once of which one fails, a stream that is refused once. An answer that is to fit a schema."""

from griptape.artifacts import TextArtifact
from griptape.drivers.prompt.openai import OpenAiChatPromptDriver
from griptape.structures import Agent
from griptape.tokenizers import SimpleTokenizer
from griptape.tools import BaseTool
from griptape.utils.decorators import activity
from pydantic import BaseModel
from schema import Schema

from tests.neighbours._script import look_up, refused_once, say, use

second = refused_once("Ten days by card.")


class Refund(BaseModel):
    days: int


class Orders(BaseTool):
    @activity(config={"description": "Look up an order", "schema": Schema({"order": str})})
    def lookup_order(self, values: dict) -> TextArtifact:
        return TextArtifact(look_up(values["order"]))


def model(asked):
    if asked.last == "As data?":
        return say('{"day": 30}')
    if asked.last == "Fix these validation errors.":
        return say('{"days": 30}')
    looks = use(*[("Orders_lookup_order", {"order": order}) for order in ("A1", "B2")])
    return second(asked) or (say("Thirty days.") if asked.results else looks)


def main(url):
    def driver(**changes):
        tokens = SimpleTokenizer(characters_per_token=4, max_input_tokens=100_000, max_output_tokens=1000)  # no fetch
        return OpenAiChatPromptDriver(
            model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", tokenizer=tokens, **changes
        )

    agent = Agent(prompt_driver=driver(), tools=[Orders()])
    agent.run("When is my refund?")
    agent.prompt_driver.stream = True
    agent.run("And by card?")
    Agent(prompt_driver=driver(structured_output_strategy="rule"), output_schema=Refund).run("As data?")
