"""browser-use's own prompts for three steps of two requests, without a browser; a call is refused once."""

import asyncio
import os
import tempfile

os.environ.update(ANONYMIZED_TELEMETRY="false", BROWSER_USE_LOGGING_LEVEL="error")

from browser_use.agent.prompts import AgentMessagePrompt
from browser_use.agent.views import AgentStepInfo
from browser_use.browser.views import BrowserStateSummary
from browser_use.dom.views import SerializedDOMState
from browser_use.filesystem.file_system import FileSystem
from browser_use.llm import ChatOpenAI, SystemMessage, UserMessage

from tests.neighbours._script import Once, fail, say

refuses = Once()
FIRST = "When is my refund?"
BOTH = (
    f"<initial_user_request>{FIRST}</initial_user_request>\n"
    "<follow_up_user_request> And by card? </follow_up_user_request>"
)
NUDGE = "PLANNING NUDGE: You have taken 3 steps without creating a plan. If the task is complex, output one."


def model(asked):
    return fail(500) if refuses() else say("Fine.")


async def talk(url):
    chat = ChatOpenAI(model="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")
    for number, task in enumerate((FIRST, FIRST, BOTH)):
        dom = SerializedDOMState(_root=None, selector_map={})
        page = BrowserStateSummary(dom_state=dom, url=f"http://shop.test/{number}", title="Shop", tabs=[])
        prompt = AgentMessagePrompt(
            browser_state_summary=page,
            file_system=FileSystem(tempfile.mkdtemp()),
            task=task,
            agent_history_description=f"<step>{number}</step>",
            step_info=AgentStepInfo(number, 10),
        )
        nudges = [UserMessage(content=NUDGE)] if number == 1 else []
        await chat.ainvoke([SystemMessage(content="You browse."), prompt.get_user_message(False), *nudges])


def main(url):
    asyncio.run(talk(url))
