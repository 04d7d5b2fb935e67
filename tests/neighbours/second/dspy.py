"""A program of one's own: a predictor, and a ReAct agent in it that has a tool."""

import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import dspy

from tests.neighbours._script import Once, fail, say

refuses = Once()


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
    if "`[[ ## next_tool_name ## ]]`" in text:
        if "tool_name_0" in text:
            return fields(next_thought="Done.", next_tool_name="finish", next_tool_args="{}")
        return fields(next_thought="Look.", next_tool_name="lookup_order", next_tool_args='{"order": "A1"}')
    return fields(reasoning="It is so.", answer="Thirty days.")


def lookup_order(order: str) -> str:
    """Look up an order."""
    return f"{order}: shipped"


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
