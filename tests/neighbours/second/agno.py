"""A team with a leader and two members, a tool that fails, a session that is kept, two turns, the second streamed."""

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.openai import OpenAIChat
from agno.team import Team

from tests.neighbours._script import LOOK_UP, look_up, say, use


def model(asked):
    if asked.said("You know the law."):
        return say("Thirty days.")
    if asked.said("You look up."):
        if "lookup_order" not in asked.used:
            return LOOK_UP
        return say("A1 is shipped.")
    if asked.last == "And by card?":
        return say("Ten days by card.")
    if "delegate_task_to_member" not in asked.used:
        return use(
            ("delegate_task_to_member", {"member_id": "law", "task": "How long may it take?"}),
            ("delegate_task_to_member", {"member_id": "orders", "task": "Where are A1 and B2?"}),
        )
    return say("It takes thirty days.")


def lookup_order(order: str) -> str:
    """Look up an order."""
    return look_up(order)


def main(url):
    def chat():
        return OpenAIChat(id="gpt-4o-mini", base_url=f"{url}/v1", api_key="test")

    law = Agent(name="Law", id="law", model=chat(), instructions="You know the law.", telemetry=False)
    orders = Agent(
        name="Orders", id="orders", model=chat(), instructions="You look up.", tools=[lookup_order], telemetry=False
    )
    team = Team(
        name="Support",
        members=[law, orders],
        model=chat(),
        db=InMemoryDb(),
        add_history_to_context=True,
        telemetry=False,
    )
    team.run("When is my refund?", session_id="one")
    for _ in team.run("And by card?", session_id="one", stream=True):
        pass
