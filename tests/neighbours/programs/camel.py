"""An agent with a tool, and an error."""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers")

from camel.agents import ChatAgent
from camel.models import ModelFactory
from camel.types import ModelPlatformType


def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name.
    """
    return f"sunny in {city}"


def main(url):
    model = ModelFactory.create(
        model_platform=ModelPlatformType.OPENAI_COMPATIBLE_MODEL,
        model_type="gpt-4o-mini",
        url=f"{url}/v1",
        api_key="test",
        max_retries=0,
    )
    given = [ChatAgent("Be short.", model=model, tools=[get_weather]).step("What is the weather?").msgs[0].content]
    try:
        given.append(ChatAgent("Be short.", model=model).step("[sim:status=401]").msgs[0].content)
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
