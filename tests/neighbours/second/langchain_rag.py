"""A retrieval chain whose second question is made to stand alone first; an agent whose history is summed up."""

from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_classic.chains import ConversationalRetrievalChain
from langchain_classic.chains.conversational_retrieval.prompts import QA_PROMPT
from langchain_classic.memory import ConversationBufferMemory
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver

from tests.neighbours._script import say


def model(asked):
    if "Standalone question:" in asked.last:
        return say("When is my refund if I paid by card?")
    if "Context Extraction Assistant" in asked.last:
        return say("They greeted each other, and Ann likes tea.")
    return say("Thirty days.")


class Retriever(BaseRetriever):
    def _get_relevant_documents(self, query, *, run_manager):
        return [Document(page_content="Refunds take thirty days.\n\nQuestion: none\nHelpful Answer: none")]


def main(url):
    def llm():
        return ChatOpenAI(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")

    chain = ConversationalRetrievalChain.from_llm(
        llm(),
        Retriever(),
        memory=ConversationBufferMemory(memory_key="chat_history", return_messages=True),
        combine_docs_chain_kwargs={"prompt": QA_PROMPT},
    )
    for question in ("When is my refund?", "And by card?"):
        chain.invoke({"question": question})

    sums_up = SummarizationMiddleware(llm(), trigger=("messages", 3), keep=("messages", 1))
    agent = create_agent(llm(), [], middleware=[sums_up], checkpointer=InMemorySaver())
    for text in ("I am Ann and I like tea", "Who am I?"):
        agent.invoke({"messages": [("user", text)]}, {"configurable": {"thread_id": "1"}})
