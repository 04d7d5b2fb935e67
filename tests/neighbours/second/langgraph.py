"""A graph of one's own: branches side by side, a tool that fails, a handoff, two turns with a checkpointer."""

from typing import Annotated

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, Send

import amplitude_ai
from tests.neighbours._script import LOOK_UP, Once, fail, say, use

refuses = Once()


def model(asked):
    if asked.said("You check."):
        if asked.last == "Check the bank" and refuses():
            return fail(500)
        return say(f"Done: {asked.last}")
    if asked.said("You triage."):
        return say("Anything else?") if asked.last == "Thanks" else use(("transfer_to_billing", {}))
    if "lookup_order" not in asked.used:
        return LOOK_UP
    return say("It takes thirty days.")


@tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    if order == "B2":
        return "Error: no such order"
    return f"{order}: shipped"


@tool
def transfer_to_billing(tool_call_id: Annotated[str, InjectedToolCallId]):
    """Hand over."""
    told = {"role": "tool", "content": "Transferred.", "tool_call_id": tool_call_id, "name": "transfer_to_billing"}
    return Command(goto="billing", graph=Command.PARENT, update={"messages": [told]})


def main(url):
    chat = ChatOpenAI(model="gpt-4o-mini", max_retries=2)
    triage = create_agent(chat, tools=[transfer_to_billing], name="triage", system_prompt="You triage.")
    billing = create_agent(chat, tools=[lookup_order], name="billing", system_prompt="You bill.")

    def check(state):
        with amplitude_ai.context(from_user=False):
            said = chat.invoke([("system", "You check."), ("user", state["what"])])
        return {"messages": [said]}

    graph = StateGraph(MessagesState)
    graph.add_node("triage", triage)
    graph.add_node("billing", billing)
    graph.add_node("check", check)
    graph.add_edge(START, "triage")
    graph.add_edge("triage", END)
    graph.add_conditional_edges(
        "billing", lambda state: [Send("check", {"what": f"Check the {one}"}) for one in ("invoice", "bank")], ["check"]
    )
    graph.add_edge("check", END)
    made = graph.compile(checkpointer=InMemorySaver())
    thread = {"configurable": {"thread_id": "one"}}
    made.invoke({"messages": [HumanMessage("When is my refund?")]}, thread)
    for _ in made.stream({"messages": [HumanMessage("Thanks")]}, thread, stream_mode="messages"):
        pass
