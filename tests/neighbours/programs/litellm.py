"""Plain, streamed, async."""

import asyncio
import os

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True")

import litellm


def main(url):
    litellm.telemetry = False
    options = {"model": "openai/gpt-4o-mini", "api_base": f"{url}/v1", "api_key": "test", "num_retries": 0}

    def said(text):
        return {"messages": [{"role": "user", "content": text}], **options}

    given = [litellm.completion(**said("Hello")).choices[0].message.content]
    parts = litellm.completion(**said("Stream"), stream=True)
    given.append("".join(part.choices[0].delta.content or "" for part in parts))
    given.append(asyncio.run(litellm.acompletion(**said("Hello"))).choices[0].message.content)
    claude = {"model": "anthropic/claude-3-5-haiku-latest", "api_base": url, "api_key": "test"}
    given.append(litellm.completion(**{**said("Hello"), **claude}).choices[0].message.content)
    try:
        litellm.completion(**said("[sim:status=401]"))
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
