"""Questions to an index: one is refined; of a chat the second is made to stand alone first, and is refused once."""

from llama_index.core import Document, MockEmbedding, Settings, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.llms.openai import OpenAI

from tests.neighbours._script import Once, fail, say

refuses = Once()
TEXTS = ["Refunds take thirty days.\nQuery: none\nAnswer: none", "Orders ship at once."]


def model(asked):
    if "Standalone question" in asked.last:
        return say("When is my refund if I paid by card?")
    if "if I paid by card?" in asked.last and refuses():
        return fail(500)
    return say("Thirty days.")


def main(url):
    Settings.tokenizer = words = str.split  # its own is fetched
    Settings.llm = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test")
    Settings.embed_model = MockEmbedding(8)
    Settings.node_parser = SentenceSplitter(chunk_size=50, chunk_overlap=0, tokenizer=words)
    index = VectorStoreIndex.from_documents([Document(text=text) for text in TEXTS])
    index.as_query_engine(response_mode="refine").query("What do you know?")
    chat = index.as_chat_engine(chat_mode="condense_question")
    for question in ("When is my refund?", "And by card?"):
        chat.chat(question)
