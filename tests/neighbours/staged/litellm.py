"""A tool loop by hand."""

import json
import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import litellm


def main(url):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]
    options = {"model": "openai/gpt-4o-mini", "api_base": f"{url}/v1", "api_key": "test", "tools": tools}
    said = [{"role": "user", "content": "I was charged twice"}]
    message = litellm.completion(messages=said, **options).choices[0].message
    while message.tool_calls:
        call = message.tool_calls[0]
        content = f"sunny in {json.loads(call.function.arguments)['city']}"
        said += [message.model_dump(), {"role": "tool", "tool_call_id": call.id, "content": content}]
        message = litellm.completion(messages=said, **options).choices[0].message
