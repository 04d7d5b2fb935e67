"""The formats in which models ask for tools by text, and who looks for them. Pure; a format is one file.

A call is looked for in an answer that has no tool calls of its own, and only where the request offers the format, in
words that are the program's; a result only while such a call waits for it. So a person's text that looks like one is
none, and all other calls cost a search for a few words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ..._models import LLMCall, ToolResult
from . import _dspy
from ._mark import Format, Mark, Written

FORMATS: tuple[Format, ...] = (_dspy.FORMAT,)
#: Characters of an answer that may ask for a tool: what is longer is an essay.
_MAX_ANSWER = 262_144


class Waiting(Protocol):
    """A tool call that waits for its result."""

    @property
    def name(self) -> str:
        """Of the tool."""

    @property
    def mark(self) -> Mark | None:
        """Where its result will stand."""


_Waits = TypeVar("_Waits", bound=Waiting)


def written_calls(call: LLMCall) -> list[Written]:
    """The tool calls that stand in an answer's text."""
    text = call.output_text
    if not text or call.tool_calls or len(text) > _MAX_ANSWER:
        return []
    for one in FORMATS:
        if any(sign in text for sign in one.signs) and (found := one.asked(call)):
            return found
    return []


def written_results(waiting: Iterable[_Waits], call: LLMCall) -> list[tuple[_Waits, ToolResult]]:
    """Those that wait whose results stand in the texts of a request."""
    found = []
    for one in waiting:
        if one.mark is not None and (text := one.mark.format.result(call, one.mark, one.name)) is not None:
            found.append((one, ToolResult(None, text, name=one.name)))
    return found
