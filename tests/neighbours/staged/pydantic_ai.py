"""An agent with a tool, and another agent behind one."""

from pydantic_ai import Agent


def main(url):
    expert = Agent("openai-chat:gpt-4o-mini", name="expert")
    billing = Agent("openai-chat:gpt-4o-mini", name="billing")

    @billing.tool_plain
    async def ask_expert(question: str) -> str:
        """Ask the expert."""
        return (await expert.run(question)).output

    @billing.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    billing.run_sync("I was charged twice")
