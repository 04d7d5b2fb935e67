"""What a tool call that stands in a text is known by, until its result comes. No content is kept."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from ..._models import LLMCall, ToolCall, ToolResult
from .._conversation import last_text


class Mark(Struct, frozen=True):
    """Where its result will stand: behind a text of ``size`` characters whose digest is ``known``."""

    format: Format
    known: bytes
    size: int


class Written(Struct, frozen=True):
    """A tool call that an answer's text asks for. Without a mark its result travels as a message of its own."""

    tool: ToolCall
    mark: Mark | None = None


class Format(Struct, frozen=True):
    """One way to ask for tools in a text.

    Attributes:
        signs: one of them stands in each answer that asks for a tool.
        asked: what an answer asks for, where its request offers this format; else nothing.
        result: of the tool of that name, as a later request's text has it; ``None`` where it has none.
    """

    signs: tuple[str, ...]
    asked: Callable[[LLMCall], list[Written]]
    result: Callable[[LLMCall, Mark, str], ToolResult | None]


def last_user_text(call: LLMCall) -> str:
    """The text of a request's last user turn; empty where there is none."""
    return last_text(call.messages, "user") or ""


def in_system_prompt(call: LLMCall, text: str) -> bool:
    """Whether the program's own instructions say it: what a person writes offers nothing."""
    return any(message.role == "system" and text in message.text for message in call.messages)
