"""A manager, a managed agent that works with a tool that fails once, and a second question to the same manager."""

from smolagents import OpenAIServerModel, ToolCallingAgent, tool

from tests.neighbours._script import Once, fail, use

refuses = Once()


def model(asked):
    text = "\n".join(str(one.get("content")) for one in asked.messages)
    if "You're a helpful agent named 'orders'" in text:
        if "A1: shipped" in text:
            return use(("final_answer", {"answer": "A1 is shipped."}))
        return use(("lookup_order", {"order": "A1" if "no such order" in text else "B2"}))
    if "And by card?" in text:
        return use(("final_answer", {"answer": "Ten days by card."}))
    if "A1 is shipped." in text:
        if refuses():
            return fail(503)
        return use(("final_answer", {"answer": "It takes thirty days."}))
    return use(("orders", {"task": "Where is the order?"}))


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
    orders = ToolCallingAgent(tools=[lookup_order], model=chat, name="orders", description="Orders.", verbosity_level=0)
    billing = ToolCallingAgent(tools=[], model=chat, managed_agents=[orders], name="billing", verbosity_level=0)
    billing.run("When is my refund?")
    billing.run("And by card?", reset=False)
