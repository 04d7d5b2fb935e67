"""``get_pydantic()``: Pydantic AI's agents, their model calls recorded from the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._sdk import import_sdk

if TYPE_CHECKING:
    from ._pydantic_ai import PydanticAIWrapper


def get_pydantic() -> type[PydanticAIWrapper]:
    """``PydanticAIWrapper``, whose ``create_agent(model=..., ...)`` makes a Pydantic AI agent that is recorded.

    ``create_agent`` takes everything ``pydantic_ai.Agent`` does, and besides ``amplitude_client``, ``ai_config``,
    ``user_id``, ``session_id`` and ``auto_start_session``, as `amplitude_ai.get_openai` does.

    Models that send HTTP are recorded from the wire, once, whatever else watches it; ``TestModel``, ``FunctionModel``
    and the like from what the agent asked and got. A tool is told when its result goes back to the model.

    Raises:
        ImportError: pydantic-ai (or pydantic-ai-slim) is not installed.
    """
    import_sdk("pydantic_ai.models.wrapper", "pydantic-ai")
    from ._pydantic_ai import PydanticAIWrapper

    return PydanticAIWrapper
