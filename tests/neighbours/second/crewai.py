"""A flow of two crews' work: delegation to a coworker, a tool that fails, a guardrail that refuses."""

import os

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

from crewai import LLM, Agent, Crew, Task
from crewai.flow.flow import Flow, listen, start
from crewai.tools import tool

from tests.neighbours._script import Once, fail, look_up, say, use

refuses = Once()


def model(asked):
    text = "\n".join(str(one.get("content")) for one in asked.messages)
    if "You are Law." in text:
        return say("Thirty days.")
    if "You are Writer." in text:
        if "Previous attempt failed validation" in text:
            return say("Dear sir: thirty days.")
        if refuses():
            return fail(500)
        return say("Too short.")
    if "lookup_order" not in asked.used:
        return use(("lookup_order", {"order": "B2"}))
    if "delegate_work_to_coworker" not in asked.used:
        given = {"task": "Say how long it may take", "context": "A refund of order A1", "coworker": "Law"}
        return use(("delegate_work_to_coworker", given))
    return say("It takes thirty days.")


@tool("lookup_order")
def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    llm = LLM(model="openai/gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=2)
    options = {"goal": "help", "backstory": "You know the firm.", "llm": llm, "verbose": False}
    billing = Agent(role="Billing", tools=[lookup_order], allow_delegation=True, **options)
    law = Agent(role="Law", **options)
    writer = Agent(role="Writer", use_system_prompt=False, **options)

    class Support(Flow):
        @start()
        def answer(self):
            task = Task(description="When is my refund?", expected_output="a date", agent=billing)
            return Crew(agents=[billing, law], tasks=[task], verbose=False).kickoff().raw

        @listen(answer)
        def write(self, found):
            polite = lambda told: (True, told.raw) if told.raw.startswith("Dear") else (False, "Be polite.")  # noqa: E731
            task = Task(description="Write it down", expected_output="a letter", agent=writer, guardrail=polite)
            return Crew(agents=[writer], tasks=[task], verbose=False).kickoff().raw

    Support().kickoff()
