"""A crew of one."""

import os

os.environ.update(CREWAI_DISABLE_TELEMETRY="true", OTEL_SDK_DISABLED="true", CREWAI_TRACING_ENABLED="false")

from crewai import LLM, Agent, Crew, Task


def main(url):
    llm = LLM(model="openai/gpt-4o-mini", base_url=f"{url}/v1", api_key="test", max_retries=0)
    agent = Agent(role="Helper", goal="help", backstory="none", llm=llm, verbose=False, max_iter=1, max_retry_limit=0)
    task = Task(description="Say hello.", expected_output="hello", agent=agent)
    given = [str(Crew(agents=[agent], tasks=[task], verbose=False).kickoff()), llm.call("Hello")]
    try:
        llm.call("[sim:status=401]")
    except Exception as exc:
        given.append(type(exc).__name__)
    return given
