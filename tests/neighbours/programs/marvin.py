"""An extraction and a task of an agent, and an error."""

import os

os.environ.update(MARVIN_DATABASE_URL="sqlite+aiosqlite://", MARVIN_LOG_LEVEL="CRITICAL")


def main(url):
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1")
    import marvin

    given = []
    for run in (
        lambda: marvin.Agent(name="helper", instructions="Be short.").run("What is the weather?", handlers=[]),
        lambda: marvin.run("[sim:status=401]", handlers=[]),
    ):
        try:
            given.append(str(run()))
        except Exception as exc:
            given.append(type(exc).__name__)
    return given
