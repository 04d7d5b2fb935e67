"""A validated answer: what the model says first is refused, and asked for again."""

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Answer(BaseModel):
    days: int


def main(url):
    client = instructor.from_openai(OpenAI(), mode=instructor.Mode.JSON)
    try:
        said = [{"role": "user", "content": "I was charged twice"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=said, response_model=Answer, max_retries=2)
    except Exception:  # it never fits
        return
