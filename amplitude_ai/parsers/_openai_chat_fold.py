"""A chat completion's chunks (openai ``types/chat/chat_completion_chunk.py``) folded into its plain body.

Lenient where servers stray: tool calls without ``index``, or all at index 0; arguments as objects; whole messages
instead of deltas; usage on any chunk, in a choice (Moonshot) or under ``x_groq``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from .._pattern import lazy_pattern
from ._format import Folded, Frame
from ._json import as_count, as_dict, as_list, as_str, dicts
from ._openai import USAGE, visible_text
from ._usage import later

#: Characters of a function's name that are kept; the APIs allow 64.
MAX_NAME = 512
_KEPT = ("id", "model", "created", "service_tier", "system_fingerprint", "timings")
_NO_NEWS = [None, None, None]
_TOP = ("usage", "error", "x_groq", "object", *_KEPT)
#: Reasoning is no text, yet it is the first thing generated: DeepSeek and vLLM, OpenRouter, Groq.
_GENERATED = (
    "content",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "executed_tools",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
)


_BRACES = lazy_pattern(r'["\\\\{}]')


class _Depth(Struct, eq=False):
    """How deep a text of JSON is in braces, read piece by piece and each piece once."""

    read: int = 0
    braces: int = 0
    opened: bool = False
    in_text: bool = False
    skip: bool = False  # the character after a backslash

    def is_closed(self, pieces: list[str]) -> bool:
        """Whether all that was opened is closed."""
        for piece in pieces[self.read :]:
            self._read(piece)
        self.read = len(pieces)
        return self.opened and not self.braces and not self.in_text

    def _read(self, piece: str) -> None:
        skipped = 0 if self.skip and piece else -1
        self.skip = self.skip and not piece
        for mark in _BRACES.finditer(piece):
            if mark.start() == skipped:
                continue
            if mark.group() == "\\":
                skipped = mark.end()
                self.skip = self.in_text and skipped == len(piece)
            elif mark.group() == '"':
                self.in_text = not self.in_text
            elif not self.in_text:
                self.braces += 1 if mark.group() == "{" else -1
                self.opened = True


class _Call(Struct, eq=False):
    """One tool call under construction. ``whole`` are arguments that came as a value."""

    id: str | None = None
    custom: bool = False
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    whole: Any = None
    depth: _Depth = field(default_factory=lambda: _Depth())

    def is_whole(self) -> bool:
        """Whether the arguments so far are a whole JSON object."""
        return self.whole is not None or self.depth.is_closed(self.pieces)

    def add(self, delta: Mapping[str, Any]) -> None:
        self.id = self.id or as_str(delta.get("id"))
        part = as_dict(delta.get("function"))
        if not as_str(part.get("name")) and not part.get("arguments") and isinstance(delta.get("custom"), Mapping):
            part, self.custom = delta["custom"], True
        self.take(part)

    def take(self, part: Mapping[str, Any]) -> None:
        name = as_str(part.get("name"))
        if name is not None and name != self.name:  # some servers repeat it in each delta
            self.name = (self.name + name)[:MAX_NAME]
        made = part.get("input") if self.custom else part.get("arguments")
        if isinstance(made, str):
            if made:  # an empty one says nothing, and thousands of them would be looked through again and again
                self.pieces.append(made)
        elif made is not None:
            self.whole = made

    def part(self) -> dict[str, Any]:
        made = "".join(self.pieces) or self.whole
        return {"name": self.name, "input" if self.custom else "arguments": "" if made is None else made}

    def plain(self) -> dict[str, Any]:
        kind = "custom" if self.custom else "function"
        return {"id": self.id, "type": kind, kind: self.part()}


class _Choice(Struct, eq=False):
    finish_reason: str | None = None
    error: Any = None  # OpenRouter puts an upstream's failure into the choice
    text: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    by_index: dict[int, _Call] = field(default_factory=dict)
    by_id: dict[str, _Call] = field(default_factory=dict)
    legacy: _Call | None = None
    executed: dict[int, Any] = field(default_factory=dict)

    def add(self, choice: Mapping[str, Any]) -> bool:
        """Take one chunk's part of this choice; whether it held anything generated."""
        # Empty means "not yet" (Snowflake, older vLLM), never a reason.
        self.finish_reason = as_str(choice.get("finish_reason")) or self.finish_reason
        self.error = choice.get("error") or self.error
        delta = choice.get("delta")
        if type(delta) is dict and len(delta) == 1 and type(content := delta.get("content")) is str:
            if content:
                self.text.append(content)
            return bool(content)  # a piece of text and no more, as nearly all are
        if not isinstance(delta, Mapping):
            delta = as_dict(choice.get("message"))
            if delta:  # a whole message: it stands for all that came before
                self._forget()
        content = visible_text(delta.get("content"))
        if content:
            self.text.append(content)
        for target, value in (
            (self.refusal, delta.get("refusal")),
            (self.transcript, as_dict(delta.get("audio")).get("transcript")),
        ):
            if isinstance(value, str):
                target.append(value)
        for call in dicts(delta.get("tool_calls")):
            found = self._slot(call)
            found.add(call)
            if found.id is not None:
                self.by_id.setdefault(found.id, found)
        legacy = as_dict(delta.get("function_call"))
        if legacy:
            self.legacy = self.legacy or _Call()
            self.legacy.take(legacy)
        for position, run in enumerate(dicts(delta.get("executed_tools"))):
            index = as_count(run.get("index"))
            self.executed[position if index is None else index] = run
        return any(delta.get(name) for name in _GENERATED)

    def _forget(self) -> None:
        for made in (self.text, self.refusal, self.transcript, self.calls, self.by_index, self.by_id, self.executed):
            made.clear()
        self.legacy = None

    def _slot(self, delta: Mapping[str, Any]) -> _Call:
        """The call that ``delta`` continues, or a new one."""
        index = as_count(delta.get("index"))
        if index is not None:
            found = self.by_index.get(index)
        else:
            ident = as_str(delta.get("id"))
            known = self.by_id.get(ident) if ident else None
            found = known or (self.calls[-1] if self.calls else None)
        if found is None or _starts_another(found, delta):
            found = _Call()
            self.calls.append(found)
        if index is not None:
            self.by_index[index] = found
        return found

    def plain(self, index: int) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.text) if self.text else None}
        if any(self.refusal):
            message["refusal"] = "".join(self.refusal)
        if any(self.transcript):
            message["audio"] = {"transcript": "".join(self.transcript)}
        if self.calls:
            message["tool_calls"] = [call.plain() for call in self.calls]
        if self.legacy is not None:
            message["function_call"] = self.legacy.part()
        if self.executed:
            message["executed_tools"] = list(self.executed.values())
        choice = {"index": index, "message": message, "finish_reason": self.finish_reason}
        return choice | {"error": self.error} if self.error else choice


def _starts_another(call: _Call, delta: Mapping[str, Any]) -> bool:
    """Whether ``delta`` begins a call of its own, though its index is taken or missing.

    Gemini's OpenAI door sends whole calls, all at index 0; a new id with a name tells. An id alone does not: old vLLM
    made up a new one for every delta. Where ids are missing or empty, the arguments tell: once they are whole JSON, the
    next name begins another call; until then it is the same name again.
    """
    name = as_str(as_dict(delta.get("function")).get("name")) or as_str(as_dict(delta.get("custom")).get("name"))
    if name is None:
        return False
    ident = as_str(delta.get("id"))
    if ident is not None and call.id is not None:
        return ident != call.id
    begun = bool(call.pieces) or call.whole is not None
    return begun and (name != call.name or call.is_whole())


def fold(frames: Iterable[Frame]) -> Folded:
    """Fold chunks. Complete: ``[DONE]`` came, or every choice that was begun has its finish reason."""
    body: dict[str, Any] = {"object": "chat.completion"}
    choices: dict[int, _Choice] = {}
    done = False
    first: int | None = None
    before: list[Any] | None = None
    for frame in frames:
        chunk = frame.data
        if type(chunk) is not dict and not isinstance(chunk, Mapping):
            done = done or (isinstance(chunk, str) and chunk.strip() == "[DONE]")
            continue
        top = [*map(chunk.get, _TOP)]
        if top != before or frame.event == "error":  # else it says what the last chunk said, as nearly all do
            _take_top(body, chunk, frame.event)
            before = top if top[:3] == _NO_NEWS and top[3] != "error" else None
        generated = False
        for position, part in enumerate(dicts(chunk.get("choices"))):
            index = part.get("index")
            choice = choices.get(index) if type(index) is int else None
            if choice is None:
                counted = as_count(index)
                choice = choices.setdefault(position if counted is None else counted, _Choice())
            generated = choice.add(part) or generated
            if part.get("usage"):
                _take_usage(body, part["usage"])
        if generated and first is None:
            first = frame.end
    body["choices"] = [choices[index].plain(index) for index in sorted(choices)]
    finished = bool(choices) and all(choice.finish_reason for choice in choices.values())
    return Folded(body, done or finished, first)


def _take_top(body: dict[str, Any], chunk: Mapping[str, Any], event: str | None) -> None:
    known = body.get("id")
    for name in _KEPT:
        value = chunk.get(name)
        if value or (isinstance(value, str) and name not in body):
            body[name] = value
    if known:  # Groq's compound systems number each chunk, and call the last ``stub``: the first has the answer's
        body["id"] = known
    error = chunk.get("error")
    if "x_groq" in chunk:
        groq = as_dict(chunk["x_groq"])
        # Groq's id stays the first chunk's: x_groq.id is the request's.
        _take_usage(body, groq.get("usage"))
        error = error or groq.get("error")
    if (usage := chunk.get("usage")) is not None:
        _take_usage(body, usage)
    if not error and (event == "error" or chunk.get("object") == "error") and not as_list(chunk.get("choices")):
        error = {name: chunk[name] for name in ("message", "type", "code") if name in chunk}
    if error:
        body["error"] = error


def _take_usage(body: dict[str, Any], usage: object) -> None:
    if isinstance(usage, Mapping) and usage:
        body["usage"] = later(body.get("usage"), usage, USAGE)
