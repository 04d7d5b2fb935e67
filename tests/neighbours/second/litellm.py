"""A router that retries and falls back; a stream; tools at once; two turns."""

import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import litellm

from tests.neighbours._script import LOOK_UP, refused_once, say

by_card = refused_once("Ten days by card.")


def model(asked):
    if reply := by_card(asked):
        return reply
    if "lookup_order" not in asked.used:
        return LOOK_UP
    return say("It takes thirty days.")


def main(url):
    parameters = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    tools = [{"type": "function", "function": {"name": "lookup_order", "parameters": parameters}}]
    deployed = {"model": "openai/gpt-4o-mini", "api_base": f"{url}/v1", "api_key": "test"}
    router = litellm.Router([{"model_name": "chat", "litellm_params": deployed}], num_retries=2)
    said = [{"role": "user", "content": "When is my refund?"}]
    message = router.completion("chat", said, tools=tools).choices[0].message
    said.append(message.model_dump())
    for call, result in zip(message.tool_calls, ("A1: shipped", "Error: no such order"), strict=True):
        said.append({"role": "tool", "tool_call_id": call.id, "content": result})
    message = router.completion("chat", said, tools=tools).choices[0].message
    said += [message.model_dump(), {"role": "user", "content": "And by card?"}]
    for _ in router.completion("chat", said, tools=tools, stream=True, stream_options={"include_usage": True}):
        pass
