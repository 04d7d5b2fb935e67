"""A typed answer."""

import instructor
import openai
from pydantic import BaseModel


class City(BaseModel):
    city: str


def main(url):
    client = instructor.from_openai(openai.OpenAI(base_url=f"{url}/v1", api_key="test", max_retries=0))
    ask = client.chat.completions.create
    given = [
        ask(
            model="gpt-4o-mini",
            response_model=City,
            max_retries=0,
            messages=[{"role": "user", "content": "The weather of which city?"}],
        ).model_dump()
    ]
    try:
        ask(
            model="gpt-4o-mini",
            response_model=City,
            max_retries=0,
            messages=[{"role": "user", "content": "[sim:status=401]"}],
        )
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
