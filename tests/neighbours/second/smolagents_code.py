"""A CodeAgent: what its model writes is a program, which fails once; one that answers in an object too."""

import json

from smolagents import CodeAgent, OpenAIServerModel, tool

from tests.neighbours._script import flat, say


def model(asked):
    text = "\n".join(flat(one) for one in asked.messages if one["role"] != "system")
    code = next((f"print(lookup_order(order='{one}'))" for one in ("A1", "B2") if f"'{one}'" not in text), None)
    code = code or "final_answer('Thirty days.')"
    if asked.body.get("response_format"):
        return say(json.dumps({"thought": "I look.", "code": code}))
    return say(f"Thought: I look.\n<code>\n{code}\n")


@tool
def lookup_order(order: str) -> str:
    """Look up an order.

    Args:
        order: its number.
    """
    if order == "B2":
        raise ValueError("no such order")
    return f"{order}: shipped"


def main(url):
    chat = OpenAIServerModel(model_id="gpt-4o-mini", api_base=f"{url}/v1", api_key="test")
    CodeAgent(tools=[lookup_order], model=chat, verbosity_level=0).run("When is my refund?")
    by_object = CodeAgent(tools=[lookup_order], model=chat, verbosity_level=0, use_structured_outputs_internally=True)
    by_object.run("And by card?")
