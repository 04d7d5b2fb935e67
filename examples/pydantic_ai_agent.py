"""Pydantic AI: an agent with a tool, which is recorded with its result and time.

python examples/pydantic_ai_agent.py --demo
"""

import _demo

_demo.begin()

from amplitude_ai import get_pydantic

PydanticAIWrapper = get_pydantic()
wrapper = PydanticAIWrapper.create_agent(model="openai-chat:gpt-6-luna", result_type=str, user_id="user123")


@wrapper.agent.tool_plain
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees in {city}"


print(wrapper.run_sync("What is the weather in Paris?").output)
_demo.end()
