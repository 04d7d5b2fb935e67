"""A decorated function."""

import os


def main(url):
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1")
    from mirascope import llm

    if hasattr(llm, "register_provider"):
        llm.register_provider("openai", base_url=f"{url}/v1", api_key="test")

        @llm.call("openai/gpt-4o-mini:completions")
        def ask(text):
            return text

        def read(response):
            return response.text()
    else:

        @llm.call(provider="openai", model="gpt-4o-mini")
        def ask(text):
            return text

        def read(response):
            return response.content

    given = [read(ask("Hello"))]
    try:
        ask("[sim:status=400]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
