"""Triage hands over to billing, which has a tool."""

import asyncio
import os

from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def talk():
    billing = Agent(
        name="billing", model="gemini-2.5-flash", description="Bills.", tools=[get_weather],
        disallow_transfer_to_parent=True, disallow_transfer_to_peers=True,
    )  # fmt: skip
    triage = Agent(name="triage", model="gemini-2.5-flash", sub_agents=[billing])
    runner = InMemoryRunner(agent=triage, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="ann")
    message = types.Content(role="user", parts=[types.Part(text="I was charged twice")])
    async for _ in runner.run_async(user_id="ann", session_id=session.id, new_message=message):
        pass


def main(url):
    os.environ.update(GOOGLE_GEMINI_BASE_URL=url, GOOGLE_GENAI_USE_VERTEXAI="FALSE")
    asyncio.run(talk())
