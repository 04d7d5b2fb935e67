"""A generator in a pipeline."""

import os

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Pipeline
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret


def main(url):
    generator = OpenAIChatGenerator(
        model="gpt-4o-mini", api_base_url=f"{url}/v1", api_key=Secret.from_token("test"), max_retries=0
    )
    pipeline = Pipeline()
    pipeline.add_component("llm", generator)
    given = [pipeline.run({"llm": {"messages": [ChatMessage.from_user("Hello")]}})["llm"]["replies"][0].text]
    parts = []
    generator.run([ChatMessage.from_user("Stream")], streaming_callback=lambda chunk: parts.append(chunk.content))
    given.append("".join(parts))
    try:
        pipeline.run({"llm": {"messages": [ChatMessage.from_user("[sim:status=401]")]}})
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
