"""A graph that calls a model, invoked and streamed."""

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph


def main(url):
    model = ChatOpenAI(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=0)

    def ask(state):
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    app = graph.compile()
    given = [app.invoke({"messages": [("user", "Hello")]})["messages"][-1].content]
    parts = app.stream({"messages": [("user", "Hello again")]}, stream_mode="messages")
    given.append("".join(message.content for message, _ in parts))
    try:
        app.invoke({"messages": [("user", "[sim:status=401]")]})
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
