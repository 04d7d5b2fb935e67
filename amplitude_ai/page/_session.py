"""One session as the page shows it: turns, in them agents within agents, in those what was said, called and done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from ..look._cube import fold
from ..look._kinds import ADDED, COUNTED, SUMMED
from ..look._reader import Row
from ..sessions.schema import LLM_MESSAGE, TOOL_CALLED

#: Agents within agents that are shown as such.
_DEEP = 8


class Group(Struct):
    """What one agent did (``None``: nobody in particular): events, and groups of agents that it called."""

    agent: str | None
    parts: list[Row | Group] = field(default_factory=list)


class Turn(Struct, frozen=True):
    """What a user said and all that followed; ``number`` is ``None`` for what belongs to no turn."""

    number: int | None
    total: Row
    tools: int
    agents: Group


class Placed(Struct, frozen=True):
    """An event, and the agents around it, the outermost first."""

    event: Row
    agents: tuple[str, ...]


def placed(events: Sequence[Row]) -> list[Placed]:
    """A session's events, each with the agents around it, as far as all of them tell."""
    said = (event["properties"] for event in events)
    pairs = ((one.get("agent"), one.get("parent_agent")) for one in said)
    parents = {agent: parent for agent, parent in pairs if isinstance(agent, str) and isinstance(parent, str)}
    return [Placed(event, _agents_around(event, parents)) for event in events]


def turns(session: Sequence[Placed]) -> list[Turn]:
    """The turns of a session, in the order of their first events; last what belongs to none."""
    by_turn: dict[str | None, list[Placed]] = {}
    for one in session:
        turn = one.event["properties"].get("turn_id")
        by_turn.setdefault(turn if isinstance(turn, str) else None, []).append(one)
    if None in by_turn:
        by_turn[None] = by_turn.pop(None)
    return [_turn(name, parts) for name, parts in by_turn.items()]


def _turn(name: str | None, session: list[Placed]) -> Turn:
    events = [one.event for one in session]
    number = next((at for event in events if isinstance(at := event["properties"].get("turn_index"), int)), None)
    calls = [_figures(event["properties"]) for event in events if event["event_type"] == LLM_MESSAGE]
    top = Group(None)
    for one in session:
        group = top
        for agent in one.agents:
            last = group.parts[-1] if group.parts else None
            if not isinstance(last, Group) or last.agent != agent:
                last = Group(agent)
                group.parts.append(last)
            group = last
        group.parts.append(one.event)
    return Turn(
        number=number if name is not None else None,
        total=fold(calls, None)[0],
        tools=sum(event["event_type"] == TOOL_CALLED for event in events),
        agents=top,
    )


def _agents_around(event: Row, parents: dict[str, str]) -> tuple[str, ...]:
    agent = event["properties"].get("agent")
    return tuple(_upwards(agent, parents))[::-1] if isinstance(agent, str) else ()


def _upwards(agent: str | None, parents: dict[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    while agent is not None and agent not in seen and len(seen) < _DEEP:  # whoever names itself its own parent
        seen.add(agent)
        yield agent
        agent = parents.get(agent)


def _figures(said: Row) -> Row:
    """One call as a row of sums."""
    figures: Row = {**dict.fromkeys(COUNTED, 0), **dict.fromkeys(SUMMED)}
    for name in ADDED:
        figures[name] = said[name] if isinstance(said.get(name), int | float) else None
    figures |= {
        "calls": 1,
        "errors": int(said.get("success") is False),
        "priced": int(figures["cost_usd"] is not None),
    }
    if isinstance(took := said.get("latency_ms"), int | float):
        figures |= {"latency_sum": took, "latency_n": 1}
    return figures
