"""The Anthropic SDK with a tool: the tool's result and time are recorded when the next request carries them back.

python examples/anthropic_client.py --demo
"""

import _demo

_demo.begin()

from amplitude_ai import get_anthropic

Anthropic, _ = get_anthropic()
TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
turns = [{"role": "user", "content": "What is the weather in Paris?"}]

with Anthropic(amplitude_user_id="user123") as client:
    answer = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=turns, tools=TOOLS)
    turns.append({"role": "assistant", "content": answer.content})
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "18 degrees"}
        for block in answer.content
        if block.type == "tool_use"
    ]
    turns.append({"role": "user", "content": results or "Thanks!"})
    with client.messages.stream(model="claude-haiku-5-5", max_tokens=200, messages=turns, tools=TOOLS) as stream:
        for text in stream.text_stream:
            print(text, end="")
        print()

_demo.end()
