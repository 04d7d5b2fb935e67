"""A call with a tool, and its results."""

from mirascope import llm


@llm.tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@llm.call("openai/gpt-4o-mini:completions", tools=[get_weather])
def ask(text: str):
    return text


def main(url):
    response = ask("I was charged twice")
    while response.tool_calls:
        response = response.resume(response.execute_tools())
