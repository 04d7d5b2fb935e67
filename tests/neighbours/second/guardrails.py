"""A guard's second try at a text and at an object; its schema behind a question."""

import os

os.environ["OTEL_SDK_DISABLED"] = "true"

from guardrails import Guard, OnFailAction
from guardrails.validator_base import FailResult, PassResult, Validator, register_validator
from pydantic import BaseModel

from tests.neighbours._script import say

#: It runs its calls in a context of its own, without ours.
OWN_SESSIONS = True


def model(asked):
    if "JSON response, which had problems" in asked.last:
        return say('{"days": 30}')
    if "previous response you generated" in asked.last:
        return say("Thirty days.")
    return say('{"days": "soon"}' if "data" in asked.last else "It takes thirty days, my friend.")


@register_validator(name="test/short", data_type="string")
class Short(Validator):
    def validate(self, value, metadata):
        return PassResult() if len(value) < 20 else FailResult(error_message="too long")


class Refund(BaseModel):
    days: int


def main(url):
    def ask(guard, text):
        guard(
            model="openai/gpt-4o-mini",
            messages=[{"role": "user", "content": text}],
            num_reasks=1,
            api_base=f"{url}/v1",
            api_key="test",
        )

    ask(Guard().use(Short(on_fail=OnFailAction.REASK)), "When is my refund?")
    ask(Guard.for_pydantic(Refund), "As data, by card?\n${gr.complete_json_suffix_v2}")
