"""A task whose agent has a tool of which one call fails, and a sub-task; then a second question, refused once."""

import os
from importlib.util import find_spec
from pathlib import Path

# It counts tokens as it is imported, by a file that litellm has on disk: there is no network.
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

import langroid as lr
import langroid.language_models as lm

from tests.neighbours._script import LOOK_UP, look_up, refused_once, say

by_card = refused_once("DONE Ten days by card.")


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if reply := by_card(asked):
        return reply
    if asked.last == "Thirty days.":
        return say("DONE It takes thirty days.")
    return say("How long may it take?") if asked.results else LOOK_UP


class LookUp(lr.ToolMessage):
    request: str = "lookup_order"
    purpose: str = "Look up an <order>."
    order: str

    def handle(self) -> str:
        try:
            return look_up(self.order)
        except ValueError as exc:  # it passes none on
            return f"Error: {exc}"


def main(url):
    lr.utils.configuration.settings.quiet = True
    llm = lm.OpenAIGPTConfig(chat_model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", stream=False)

    def task(name, prompt, **more):
        agent = lr.ChatAgent(lr.ChatAgentConfig(name=name, llm=llm, system_message=prompt))
        return lr.Task(agent, interactive=False, config=lr.TaskConfig(enable_loggers=False), **more)

    billing = task("billing", "You bill.")
    billing.agent.enable_message(LookUp)
    billing.add_sub_task(task("expert", "You know the law.", done_if_response=[lr.Entity.LLM]))
    billing.run("When is my refund?")
    billing.run("And by card?")
