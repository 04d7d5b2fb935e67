"""What a parser of your own is made of. Register it with `amplitude_ai.register_parser`.

A parser reads one wire format: ``parse`` turns a request and the JSON of its answer into an `LLMCall`, ``fold`` turns
the events of a stream into the JSON that the same call would have been answered with, had it not been streamed. Both
get decoded JSON, and neither may raise on what a server sends. ``docs/parsers.md`` has a whole example.
"""

from __future__ import annotations

from ._models import CallError, LLMCall, Message, ToolCall, ToolResult, Usage
from .parsers._format import Folded, Frame, WireFormat, WireRequest

__all__ = [
    "CallError",
    "Folded",
    "Frame",
    "LLMCall",
    "Message",
    "ToolCall",
    "ToolResult",
    "Usage",
    "WireFormat",
    "WireRequest",
    "built_in",
]


def built_in(name: str) -> WireFormat:
    """One of the package's own parsers, to build on: ``openai.chat``, ``anthropic.messages``, ``google.generate`` ...

    Raises:
        KeyError: there is none of that name.
    """
    from .parsers._formats import FORMATS

    return FORMATS[name]
