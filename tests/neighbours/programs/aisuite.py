"""A chat by its one interface, with a tool, and an error."""

import os


def main(url):
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1")
    import aisuite

    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    ask = aisuite.Client().chat.completions.create

    def said(text, **more):
        messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": text}]
        return ask(model="openai:gpt-4o-mini", messages=messages, **more).choices[0].message.content

    given = [said("Hello"), said("What is the weather?", tools=[get_weather], max_turns=2)]
    try:
        said("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
