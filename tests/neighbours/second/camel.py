"""An agent with tools at once of which one fails and a second question, refused once; then two agents in roles."""

import os
from importlib.util import find_spec
from pathlib import Path

# It counts tokens by a file that litellm has on disk: there is no network.
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

from camel.agents import ChatAgent
from camel.models import ModelFactory
from camel.societies import RolePlaying
from camel.types import ModelPlatformType

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say

by_card = refused_once("Ten days by card.")


def model(asked):
    if reply := by_card(asked):
        return reply
    if asked.said("You bill."):
        return say("It takes thirty days.") if asked.results else LOOK_UP
    if asked.said("more specific"):
        return say("Write a letter of one page.")
    if asked.said("you are a Writer") or asked.said("You are a Writer"):
        return say("Solution: Dear Ann. Next request.")
    return say("CAMEL_TASK_DONE" if "Dear Ann" in asked.last else "Instruction: Begin.\nInput: None")


def lookup_order(order: str) -> str:
    """Look up an order.

    Args:
        order: its number.
    """
    return look_up(order)


def main(url):
    chat = ModelFactory.create(
        model_platform=ModelPlatformType.OPENAI_COMPATIBLE_MODEL,
        model_type="gpt-4o-mini",
        url=f"{url}/v1",
        api_key="test",
    )
    billing = ChatAgent("You bill.", model=chat, tools=[lookup_order])
    billing.step("When is my refund?")
    billing.step("And by card?")
    society = RolePlaying(assistant_role_name="Writer", user_role_name="Boss", task_prompt="Write it down", model=chat)
    said = society.init_chat()
    for _ in range(2):
        said = society.step(said)[0].msg
