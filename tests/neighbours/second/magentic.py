"""A prompt and a typed one, which is refused once; both are streams."""

from magentic import OpenaiChatModel, prompt
from pydantic import BaseModel

from tests.neighbours._script import Once, fail, say, use

refuses = Once()


class Refund(BaseModel):
    days: int


def model(asked):
    if not asked.tools:
        return say("It takes thirty days.")
    return fail(500) if refuses() else use((asked.tools[0], {"days": 10}))


@prompt("{question}")
def ask(question: str) -> str: ...


@prompt("{question}")
def typed(question: str) -> Refund: ...


def main(url):
    with OpenaiChatModel("gpt-4o-mini", base_url=f"{url}/v1", api_key="test"):
        ask("When is my refund?")
        assert typed("And by card?").days == 10
