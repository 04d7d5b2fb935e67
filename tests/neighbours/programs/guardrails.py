"""A guarded answer, another that is tried again, an error."""

import os

os.environ["OTEL_SDK_DISABLED"] = "true"

from guardrails import Guard
from pydantic import BaseModel


class Weather(BaseModel):
    days: int


def main(url):
    given = []
    for guard, text in ((Guard(), "Hello"), (Guard.for_pydantic(Weather), "As data"), (Guard(), "[sim:status=401]")):
        try:
            outcome = guard(
                model="openai/gpt-4o-mini",
                messages=[{"role": "user", "content": text}],
                num_reasks=1,
                api_base=f"{url}/v1",
                api_key="test",
            )
            given.append(str(outcome.raw_llm_output))
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
