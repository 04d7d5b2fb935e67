"""Which agent a tool call hands over to. Pure; the table is the knowledge. Delegation is none: it comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .._models import JSON

#: The rest of the tool's name is the agent's: openai-agents, AutoGen's and LangGraph's swarms, LangGraph's supervisor;
#: Semantic Kernel's orchestration (``Handoff-transfer_to_billing``).
_STARTS = ("transfer_to_", "handoff_to_", "delegate_to_", "Handoff-transfer_to_")
#: One tool for all of them: the agent is an argument. google-adk; Strands' swarm; LlamaIndex's workflow of agents.
_NAMED_BY = {"transfer_to_agent": "agent_name", "handoff_to_agent": "agent_name", "handoff": "to_agent"}


def handoff_to(tool_name: str, arguments: JSON) -> str | None:
    """The agent, as the call tells it; ``None`` where it is no handoff.

    Args:
        tool_name: of the call.
        arguments: of the call; ``None`` where privacy leaves them out.
    """
    parameter = _NAMED_BY.get(tool_name)
    if parameter is not None:
        named = arguments.get(parameter) if isinstance(arguments, Mapping) else None
        return named if isinstance(named, str) and named else None
    return next((tool_name[len(start) :] or None for start in _STARTS if tool_name.startswith(start)), None)


def taken_by(result: JSON) -> str | None:
    """The agent that took over, in its own spelling: openai-agents' result is ``{"assistant": its name}``."""
    if not isinstance(result, str) or len(result) > 1000 or not result.startswith('{"assistant":'):
        return None
    try:
        told = json.loads(result)
    except (ValueError, RecursionError):
        return None
    name = told["assistant"] if told.keys() == {"assistant"} else None
    return name if isinstance(name, str) and name else None
