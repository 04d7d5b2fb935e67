"""An agent with a tool, and another agent behind one; each model has a client of its own."""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def main(url):
    expert = create_agent(ChatOpenAI(model="gpt-4o-mini"), tools=[], name="expert")

    @tool
    def ask_expert(question: str) -> str:
        """Ask the expert."""
        return expert.invoke({"messages": [("user", question)]})["messages"][-1].content

    billing = create_agent(ChatOpenAI(model="gpt-4o-mini"), tools=[ask_expert, get_weather], name="billing")
    billing.invoke({"messages": [("user", "I was charged twice")]})
