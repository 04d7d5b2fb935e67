"""Agents one after the other and side by side, an agent as a tool, a tool that fails, two turns, one streamed."""

import asyncio
import os

from google.adk.agents import Agent, ParallelAgent, SequentialAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

from tests.neighbours._script import LOOK_UP, say, use


def model(asked):
    if asked.said('"expert"'):
        return say("Thirty days.")
    if asked.said('"bank"') or asked.said('"invoice"'):
        return say("It is fine.")
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if "lookup_order" not in asked.used:
        return LOOK_UP
    if "expert" not in asked.used:
        return use(("expert", {"request": "How long may it take?"}))
    return say("It takes thirty days.")


def lookup_order(order: str) -> dict:
    """Look up an order."""
    return {"error": "no such order"} if order == "B2" else {"order": order, "state": "shipped"}


async def talk():
    def agent(name, **more):
        return Agent(name=name, model="gemini-2.5-flash", description=f"The {name}.", **more)

    checks = ParallelAgent(name="checks", sub_agents=[agent("bank"), agent("invoice")])
    billing = agent("billing", tools=[lookup_order, AgentTool(agent("expert"))])
    runner = InMemoryRunner(agent=SequentialAgent(name="support", sub_agents=[billing, checks]), app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="ann")
    for text, mode in (("When is my refund?", StreamingMode.NONE), ("And by card?", StreamingMode.SSE)):
        message = types.Content(role="user", parts=[types.Part(text=text)])
        given = {"user_id": "ann", "session_id": session.id, "new_message": message}
        async for _ in runner.run_async(**given, run_config=RunConfig(streaming_mode=mode)):
            pass


def main(url):
    os.environ.update(GOOGLE_GEMINI_BASE_URL=url, GOOGLE_GENAI_USE_VERTEXAI="FALSE")
    asyncio.run(talk())
