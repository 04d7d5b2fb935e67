"""A program of one's own: a predictor, and a ReAct agent in it that has a tool; two more agents by other adapters."""

import asyncio
import json
import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import dspy

from tests.neighbours._script import LOOK_UP, Once, fail, look_up, say

refuses = Once()
#: One order is there, the other is not; in the second and third question the first is looked up alone.
STEPS = [*LOOK_UP["tools"], ("finish", {})]


def fields(**said):
    return say(
        "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in said.items()) + "\n\n[[ ## completed ## ]]"
    )


def model(asked):
    text = asked.last
    if "`[[ ## query ## ]]`" in text:
        if refuses():
            return fail(500)
        return fields(reasoning="Short.", query="refund A1")
    asks = text[text.rfind("Respond with") :]
    if "next_tool_name" in asks:
        steps = sum(f"tool_name_{number}" in text for number in range(3))
        name, arguments = STEPS[steps] if asked.body["model"] == "gpt-4o-mini" else STEPS[steps * 2]
        said = {"next_thought": "Look.", "next_tool_name": name, "next_tool_args": arguments}
    else:
        said = {"reasoning": "It is so.", "answer": "Thirty days."}
    if "a JSON object" in asks:
        return say(json.dumps(said))
    if "XML tags" in asks:
        return say("\n".join(f"<{name}>{_element(value)}</{name}>" for name, value in said.items()))
    return fields(**{name: json.dumps(value) if isinstance(value, dict) else value for name, value in said.items()})


def _element(value):
    return "".join(f"<{k}>{v}</{k}>" for k, v in value.items()) if isinstance(value, dict) else value


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


class Support(dspy.Module):
    def __init__(self):
        super().__init__()
        self.rewrite = dspy.ChainOfThought("question -> query")
        self.answer = dspy.ReAct("query -> answer", tools=[lookup_order])

    def forward(self, question):
        return self.answer(query=self.rewrite(question=question).query)


def main(url):
    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=f"{url}/v1", api_key="test", cache=False, num_retries=2))
    Support()(question="When is my refund?")
    lm = dspy.LM("openai/gpt-4o", api_base=f"{url}/v1", api_key="test", cache=False, num_retries=0)
    with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
        dspy.ReAct("question -> answer", tools=[lookup_order])(question="And by card?")
    with dspy.context(lm=lm, adapter=dspy.XMLAdapter()):
        asyncio.run(dspy.ReAct("question -> answer", tools=[lookup_order]).acall(question="And in cash?"))
