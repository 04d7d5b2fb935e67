"""Somebody else's program, type-checked against the installed package by test_packaging.py; never run."""

from collections.abc import Mapping
from typing import assert_type

import httpx2

import amplitude_ai
from amplitude_ai import AIConfig
from amplitude_ai.testing import EventList, LLMCalls, watch_calls
from amplitude_ai.web import ASGIMiddleware, identify, inject

config = AIConfig(privacy_mode=True, event_schema="both", prices={"gpt-4o": {"input": 1e-6, "output": 2e-6}})
assert_type(config.calculate_cost("openai", "gpt-4o", 1, 2), float | None)
seen = EventList()
amplitude_ai.install_transport(amplitude_client=seen, ai_config=config, user_id="ann")
assert_type(amplitude_ai.instrument(httpx2.Client()), httpx2.Client)
assert_type(amplitude_ai.flush(timeout=1.0), bool)
assert_type(amplitude_ai.stats(), dict[str, int])
assert_type(amplitude_ai.create_session_id(), str)
with amplitude_ai.context(user_id="ann", device_id="d", amplitude_session_id=1, agent="a"):
    identify(user_id="ann")
with amplitude_ai.llm_session(seen, user_id="ann") as session:
    session.track_message("Hi", input_tokens=1)
with watch_calls() as calls:
    assert_type(calls, LLMCalls)
    assert_type(calls[0].cost_usd, float | None)
headers: Mapping[str, str] = inject({"a": "b"})


async def application(scope: object, receive: object, send: object) -> None:
    """An ASGI application."""


ASGIMiddleware(application)


@amplitude_ai.context(user_id="ann")
def work(number: int) -> str:
    """A decorated function keeps its type."""
    return str(number)


assert_type(work(1), str)
AIConfig(privacy_mod=True)  # error: a misspelt option
amplitude_ai.context(user_id=5)  # error: a wrong type
amplitude_ai.install_transport(ai_confg=config)  # error: a misspelt argument
AIConfig(event_schema="agents")  # error: no such schema
