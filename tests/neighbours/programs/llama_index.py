"""A chat, a completion, a stream."""

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI


def main(url):
    llm = OpenAI(model="gpt-4o-mini", api_base=f"{url}/v1", api_key="test", max_retries=0)
    given = [llm.chat([ChatMessage(role="user", content="Hello")]).message.content]
    given.append(llm.complete("Hello").text)
    given.append("".join(part.delta or "" for part in llm.stream_chat([ChatMessage(role="user", content="Stream")])))
    try:
        llm.complete("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
