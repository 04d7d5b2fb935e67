"""An agent on Gemini."""

import asyncio
import os

from google.adk.agents import Agent
from google.adk.runners import InMemoryRunner
from google.genai import types


async def talk():
    agent = Agent(name="helper", model="gemini-2.5-flash", instruction="Be short.")
    runner = InMemoryRunner(agent=agent, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="ann")
    given = []
    for text in ("Hello", "[sim:status=400]"):
        message = types.Content(role="user", parts=[types.Part(text=text)])
        try:
            async for event in runner.run_async(user_id="ann", session_id=session.id, new_message=message):
                given += [part.text for part in event.content.parts] if event.content else [event.error_code]
        except Exception as exc:
            given.append(type(exc).__name__)
    return given


def main(url):
    os.environ.update(GOOGLE_API_KEY="test", GOOGLE_GEMINI_BASE_URL=url, GOOGLE_GENAI_USE_VERTEXAI="FALSE")
    return asyncio.run(talk())
