"""The simulated model: from what was asked to an answer with exact token counts. Provider-neutral and deterministic.

Tokens are words: input = words of every message + `OVERHEAD` (+ cached + cache_write), output = words of the answer
(+ reasoning), or for tool calls `CALL_TOKENS` each. A user text with "weather" and a tool to call gives a tool call;
a tool's result gives a text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from ._directives import Directives, without
from ._schema import sample

OVERHEAD = 7
CALL_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counts, normalised: input includes cached and cache_write, output includes reasoning.

    0 where a format tells none.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the caller offers, with the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the request; ``role`` is system, user, assistant or tool."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request wants. ``schema`` is that of a structured answer."""

    model: str
    turns: Sequence[Turn] = ()
    tools: Sequence[Tool] = ()
    stream: bool = False
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None

    @property
    def last_user(self) -> str:
        """The last user text, directives included."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of the answer."""

    id: str
    name: str
    arguments: Mapping[str, Any]

    @property
    def json(self) -> str:
        """The arguments as the text a model writes."""
        return json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says. ``pieces`` joined are the text; ``finish`` is stop, length or tool."""

    id: str
    model: str
    tokens: Tokens
    pieces: Sequence[str] = ()
    calls: Sequence[Call] = ()
    finish: str = "stop"
    usage: bool = False

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def text_of(content: Any) -> str:
    """All text in a message's content, whatever its shape; media have none."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(filter(None, map(text_of, content)))
    if isinstance(content, dict):
        inner = (content.get(key) for key in ("text", "content", "parts", "output", "response", "result", "json"))
        found = next((value for value in inner if value), "")
        return found if isinstance(found, str) else text_of(found) or (json.dumps(found) if found else "")
    return ""


def count(turns: Sequence[Turn]) -> int:
    """The input tokens of some messages."""
    return sum(len(turn.text.split()) for turn in turns) + OVERHEAD


def compose(ask: Ask, how: Directives, id: str) -> Answer:
    """Answer."""
    calls = _calls(ask, how, id)
    words = [] if calls else _words(ask, how)
    finish = "tool" if calls else "stop"
    if ask.max_tokens is not None and len(words) > ask.max_tokens:
        words, finish = words[: ask.max_tokens], "length"
    tokens = Tokens(
        input=count(ask.turns) + how.cached + how.cache_write,
        output=len(words) + CALL_TOKENS * len(calls) + how.reasoning,
        cached=how.cached,
        cache_write=how.cache_write,
        reasoning=how.reasoning,
    )
    pieces = [word if index == 0 else f" {word}" for index, word in enumerate(words)]
    return Answer(id, how.model or ask.model, tokens, pieces, calls, finish, bool(how.usage))


def _calls(ask: Ask, how: Directives, id: str) -> list[Call]:
    wanted = ask.tools and ask.turns and ask.turns[-1].role != "tool" and "weather" in ask.last_user.lower()
    if not wanted or how.reply is not None:
        return []
    tools = islice(cycle(ask.tools), how.tool_calls)
    return [Call(f"call_{id}_{index}", tool.name, sample(tool.schema)) for index, tool in enumerate(tools)]


def _words(ask: Ask, how: Directives) -> list[str]:
    if how.reply is not None:
        words = how.reply.split()
    elif ask.schema is not None:
        words = json.dumps(sample(ask.schema)).split()
    elif ask.turns and ask.turns[-1].role == "tool":
        words = f"The tool says: {ask.turns[-1].text}".split()
    else:
        # Not ASCII alone, so that bytes and characters are never the same thing by luck.
        words = f"You said «{without(ask.last_user)}» — a simulated answer.".split()
    return words if how.chunks is None else list(islice(cycle(words or ["word"]), how.chunks))
