"""LangChain's classic agents, which ask for tools by text: in one prompt, as a JSON object, and in a conversation."""

import json

from langchain_classic.agents import AgentExecutor, AgentType, create_react_agent, initialize_agent
from langchain_classic.agents.mrkl import prompt as mrkl
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.neighbours._script import Once, fail, flat, say

refuses = Once()
ONE_PROMPT = "\n\n".join((mrkl.PREFIX, "{tools}", mrkl.FORMAT_INSTRUCTIONS, mrkl.SUFFIX))


def model(asked):
    text = "\n".join(flat(one) for one in asked.messages)
    order = next((one for one in ("A1", "B2") if one not in text), None)
    if '"action_input"' in text:
        action = {"action": "Final Answer", "action_input": "Ten days."}
        if order is not None:
            action = {"action": "lookup_order", "action_input": order if "TOOLS\n" in text else {"order": order}}
        return say(f"Thought: I go on.\nAction:\n```json\n{json.dumps(action)}\n```")
    if order is None:
        return fail(500) if refuses() else say("I now know the final answer\nFinal Answer: Thirty days.")
    return say(f"I should look.\nAction: lookup_order\nAction Input: {order}")


@tool
def lookup_order(order: str) -> str:
    """Look up an order."""
    order = order.strip()
    return "Error: no such order" if order == "B2" else f"{order}: shipped"


def main(url):
    chat = ChatOpenAI(model="gpt-4o-mini", max_retries=2)
    agent = create_react_agent(chat, [lookup_order], PromptTemplate.from_template(ONE_PROMPT))
    AgentExecutor(agent=agent, tools=[lookup_order]).invoke({"input": "When is my refund?"})
    by_object = initialize_agent([lookup_order], chat, agent=AgentType.STRUCTURED_CHAT_ZERO_SHOT_REACT_DESCRIPTION)
    by_object.invoke({"input": "And by card?"})
    talk = initialize_agent([lookup_order], chat, agent=AgentType.CHAT_CONVERSATIONAL_REACT_DESCRIPTION)
    talk.invoke({"input": "And in cash?", "chat_history": []})
