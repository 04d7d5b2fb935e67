"""Validated answers by tool calls: one refused once and asked for again, then a list, streamed, in a second turn."""

import instructor
from openai import OpenAI
from pydantic import BaseModel

from tests.neighbours._script import use


class Refund(BaseModel):
    days: int


def model(asked):
    text = str(asked.messages)
    if "By card?" in text:
        return use((asked.tools[0], {"days": 10}))
    return use((asked.tools[0], {"days": 30 if "validation error" in text.lower() else "soon"}))


def main(url):
    client = instructor.from_openai(OpenAI())
    said = [{"role": "user", "content": "When is my refund?"}]
    found = client.chat.completions.create(model="gpt-4o-mini", messages=said, response_model=Refund, max_retries=3)
    assert found.days == 30
    said += [{"role": "assistant", "content": "30 days"}, {"role": "user", "content": "By card?"}]
    for _ in client.chat.completions.create_partial(model="gpt-4o-mini", messages=said, response_model=Refund):
        pass
