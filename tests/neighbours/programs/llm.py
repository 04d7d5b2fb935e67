"""Simon Willison's llm: a prompt, streamed and not, a tool, an error."""

import os


def main(url):
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1")
    import llm

    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    model = llm.get_model("gpt-4o-mini")
    given = [model.prompt("Hello", stream=False).text(), "".join(model.prompt("Hello again"))]
    given.append(model.chain("What is the weather?", tools=[get_weather]).text())
    try:
        model.prompt("[sim:status=401]", stream=False).text()
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
