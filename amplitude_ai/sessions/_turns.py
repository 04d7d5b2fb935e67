"""What a person said in a request, and which turn of the session it opens or belongs to.

Clients re-send the whole history with every call, and frameworks write in the user's role. New are the user turns
after the last assistant turn, but not (a) what a waiting tool call's arguments say (an agent used as a tool), (b) what
a model of this run answered to another conversation (in one that a person leads: if it is long, or answers what was
said last in it), (c) what another call has said already that runs beside this one, or before it in the same turn (a
router, a fallback, a second look: the very same request after its answer is a person who asks again), (d) a framework's
own texts (`_scripted`), (e) what the program says is its own (`Scope.from_user`). A turn is opened by what a person
said and carried by all calls about it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence

from msgspec import Struct

from .._models import Exchange, LLMCall, Message, ToolResult
from ._bounded import remember
from ._conversation import Conversation, Phrases, digest, last_text, phrases
from ._operations import is_conversation
from ._scripted import fields, identity, inputs, passed_in, scripted, spoken

_MAX_SEEN = 256
#: Characters of an answer that is taken to pieces, and those that a piece must have: a person says "yes" as well.
_MAX_PARTED, _SHORTEST = 65_536, 16
#: After this long the same words to the same history are said anew, not sent again.
_AGAIN_NS = 5 * 60 * 10**9
#: User turns of a request, from its end, by which its turn of the session is found.
_LOOK_BACK = 8


class Turn(Struct, frozen=True):
    """A turn of a session; ``index`` is 0 for the first."""

    id: str
    index: int


class Parent(Struct, frozen=True):
    """The tool call that a call works for: its id, and the agent that asked for it."""

    tool_call_id: str | None
    agent: str | None


class Asked(Struct, frozen=True):
    """A tool call that waits: the conversation that asked, its turn, and the words of its arguments."""

    conversation: bytes
    turn: Turn | None
    phrases: Phrases
    parent: Parent  # of a call that works for it


#: Finds the tool call that waits and whose arguments say a text.
FindsAsked = Callable[[str], Asked | None]


class Request(Struct, frozen=True):
    """One request as the wire had it."""

    fingerprint: bytes | None  # of its body
    attempt: int
    success: bool  # of its answer
    exchange: Exchange

    @property
    def answered(self) -> bytes | None:
        """The fingerprint, when there was an answer: what failed is asked again by retries and fallbacks too."""
        return self.fingerprint if self.success else b"failed"


class Said(Struct, frozen=True):
    """What a request says. ``texts`` are a person's and new; ``results`` travelled as user text."""

    texts: tuple[str, ...] = ()
    turn: Turn | None = None
    parent: Parent | None = None
    results: tuple[ToolResult, ...] = ()


class _Known(Struct):
    """A text of a user turn that was seen: when, how often in one request, in which turn, for which tool call."""

    turn: Turn | None
    parent: Parent | None
    occurrences: int
    fingerprint: bytes | None  # of a request that was answered
    started_ns: int
    finished_ns: int


class _Output(Struct, frozen=True):
    """What a model or a tool gave: whether all of it, and the text that it was an answer to."""

    is_whole: bool
    answers: bytes | None


class _Works(Struct, frozen=True):
    """The turn and the tool call that a conversation works for, and the conversation that asked."""

    turn: Turn | None
    parent: Parent | None
    asked_by: bytes


class _Keys(dict[str, bytes]):
    """What the texts of one request are known again by, each made once; it lives no longer than the request is read."""

    def __missing__(self, text: str) -> bytes:
        made = self[text] = digest(identity(text))
        return made


class Turns:
    """What one session has already seen, as hashes: no content is kept."""

    __slots__ = ("_conversations", "_known", "_outputs", "_works", "current")

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # by text
        self._conversations: OrderedDict[bytes, None] = OrderedDict()  # by all of it up to a user turn
        self._outputs: OrderedDict[bytes, _Output] = OrderedDict()
        #: By conversation: those whose question had been heard before a tool call asked it.
        self._works: OrderedDict[bytes, _Works] = OrderedDict()
        self.current: Turn | None = None

    def read(self, call: LLMCall, talk: Conversation, request: Request, find: FindsAsked) -> Said:
        """What ``call`` says, oldest first; remembers it."""
        if not is_conversation(call.operation) or not call.messages:
            return Said(turn=self.current)
        last, prefilled = _last_turns(call.messages)
        texts: list[str] = []
        results: list[ToolResult] = []
        known_before = bool(last) and talk.after[last[-1]] in self._conversations
        keys = _Keys()
        for index in last:
            text = call.messages[index].text
            if not text:
                continue
            script = scripted(text, call.messages[:index])
            if script is not None:
                results += script.results
                if not script.speaks:
                    continue
            if self._asks_again(call.messages, index, talk, find, keys):
                continue
            is_new = self._is_new(call.messages, index, request, find, known_before, prefilled, keys)
            if is_new and request.exchange.context.from_user is not False:
                texts.append(spoken(text, call.messages[:index]))
        if last:
            remember(self._conversations, talk.after[last[-1]], None, _MAX_SEEN)
        if texts:
            self._open(call.messages, last, request.exchange, keys)
        found = self._find(call.messages, talk, keys)
        return Said(
            texts=tuple(texts),
            turn=found.turn if found is not None and found.turn is not None else self.current,
            parent=found.parent if found is not None else None,
            results=tuple(results),
        )

    def is_current(self, text: str) -> bool:
        """Whether this opened the turn that goes on, or stands in it."""
        known = self._known.get(digest(identity(text)))
        return known is not None and known.turn is not None and known.turn == self.current

    def heard(self, text: str | None, messages: Sequence[Message] = ()) -> None:
        """Remember what a tool said, or a model to ``messages``, which frameworks pass on in a user's role."""
        if text and (stripped := text.strip()):
            answers = digest(messages[-1].text.strip()) if messages and messages[-1].role == "user" else None
            remember(self._outputs, digest(stripped), _Output(True, answers), _MAX_SEEN)
            for field in _parts_of(stripped):
                remember(self._outputs, field, _Output(False, answers), _MAX_SEEN)

    def _is_new(
        self,
        messages: Sequence[Message],
        index: int,
        request: Request,
        find: FindsAsked,
        known_before: bool,
        prefilled: bool,
        keys: _Keys,
    ) -> bool:
        text, exchange = messages[index].text, request.exchange
        key = keys[text]
        occurrences = sum(one.role == "user" and one.text == text for one in messages[: index + 1])
        known = self._known.get(key)
        if known is None:
            # A word that a tool is asked with is a person's as well.
            is_word = len(text.strip()) < _SHORTEST and self._is_led(messages[:index], keys)
            source = None if is_word else find(text)
            turn = None if source is None else source.turn
            parent = None if source is None else source.parent
            known = _Known(turn, parent, occurrences, request.answered, exchange.started_ns, exchange.finished_ns)
            remember(self._known, key, known, _MAX_SEEN)
            return source is None and not self._passed_on(messages, index, keys)
        overlapping = exchange.started_ns < known.finished_ns and known.started_ns < exchange.finished_ns
        same = known.parent is not None or (known.turn is not None and known.turn == self.current)
        soon = exchange.started_ns - known.finished_ns <= _AGAIN_NS
        anew = request.fingerprint == known.fingerprint and known.parent is None
        repeated = same and soon and not anew and occurrences <= known.occurrences
        again = overlapping or repeated or request.attempt > 0 or (known_before and prefilled)
        if again:
            known.finished_ns = max(known.finished_ns, exchange.finished_ns)
            known.started_ns = min(known.started_ns, exchange.started_ns) if overlapping else exchange.started_ns
            known.occurrences = max(known.occurrences, occurrences)
            return False
        known.parent, known.occurrences, known.fingerprint = None, occurrences, request.answered
        known.started_ns, known.finished_ns = exchange.started_ns, exchange.finished_ns
        return not self._passed_on(messages, index, keys)

    def _passed_on(self, messages: Sequence[Message], index: int, keys: _Keys) -> bool:
        """Whether a model said it, and not to this conversation: then a person may well repeat it."""
        text = messages[index].text
        stripped = text.strip()
        given = inputs(text).values()
        found = self._outputs.get(digest(stripped))
        if found is None and (words := passed_in(text)):
            stripped, found = words, self._outputs.get(digest(words))
        if found is None and not (given and all(self._gave(value) for value in given)):
            return False
        if any(one.role == "assistant" and one.text.strip() == stripped for one in messages):
            return False
        if found is None or (found.is_whole and len(stripped) >= _SHORTEST):
            return True
        # "yes" is what a guard answers as well; a model's list of questions is there to choose from.
        before = messages[:index]
        reply = last_text(before, "assistant")
        answers_it = reply is not None and found.is_whole and found.answers == digest(reply.strip())
        return answers_it or not self._is_led(before, keys)

    def _gave(self, value: str) -> bool:
        """Whether a model of DSPy's gave it: as a field, or as an answer in which another finds the fields."""
        return _field(value) in self._outputs or digest(value) in self._outputs

    def _is_led(self, before: Sequence[Message], keys: _Keys) -> bool:
        """Whether a person and a model have talked so far."""
        if not any(one.role == "assistant" for one in before):
            return False
        known = (self._known.get(keys[one.text]) for one in reversed(before) if one.role == "user" and one.text)
        return any(one is None or (one.turn is not None and one.parent is None) for one in known)

    def _open(self, messages: Sequence[Message], last: Sequence[int], exchange: Exchange, keys: _Keys) -> None:
        index = 0 if self.current is None else self.current.index + 1
        self.current = Turn(exchange.id, index)
        for at in last:
            known = self._known.get(keys[messages[at].text])
            if known is not None and known.started_ns == exchange.started_ns and known.parent is None:
                known.turn = self.current

    def _asks_again(
        self, messages: Sequence[Message], index: int, talk: Conversation, find: FindsAsked, keys: _Keys
    ) -> bool:
        """Whether a tool call asks an agent in words that were heard before: a person's, or another tool call's."""
        text, after = messages[index].text, talk.after[index]
        known = self._known.get(keys[text])
        is_word = len(text.strip()) < _SHORTEST and self._is_led(messages[:index], keys)
        source = None if known is None or is_word else find(text)
        if source is None or talk.continues(source.conversation):
            self._works.pop(after, None)
            return False
        remember(self._works, after, _Works(source.turn, source.parent, source.conversation), _MAX_SEEN)
        return True

    def _find(self, messages: Sequence[Message], talk: Conversation, keys: _Keys) -> _Known | _Works | None:
        """Of the last user turns that were seen, the last."""
        left = _LOOK_BACK
        for index in range(len(messages) - 1, -1, -1):
            message = messages[index]
            if message.role == "user" and message.text:
                works = self._works.get(talk.after[index])
                if works is not None and not talk.continues(works.asked_by):
                    return works
                known = self._known.get(keys[message.text])
                if known is not None:
                    return known
                left -= 1
                if not left:
                    break
        return None


def _parts_of(output: str) -> list[bytes]:
    """What stands in an answer that has parts, and may be the next question: the fields of DSPy's, a JSON object's."""
    if output.startswith("[[ ## "):
        return [_field(value) for value in fields(output[:_MAX_PARTED]).values()]
    if output[0] != "{" or len(output) > _MAX_PARTED:
        return []
    try:
        return list(phrases(json.loads(output), shortest=_SHORTEST).whole)
    except (ValueError, RecursionError):
        return []


def _field(value: str) -> bytes:
    return digest(f"[[ ## ]]{value}")


def last_user_text(call: LLMCall) -> str | None:
    """What the call is an answer to: its last user turns, new or not."""
    turns, _ = _last_turns(call.messages)
    if not turns:
        turns = [index for index, message in enumerate(call.messages) if message.role == "user"][-1:]
    return "\n\n".join(call.messages[index].text for index in turns) or None


def _last_turns(messages: Sequence[Message]) -> tuple[list[int], bool]:
    """The user turns after the last assistant turn, by index, and whether an assistant turn ends the request."""
    end = len(messages)
    while end and messages[end - 1].role == "assistant":
        end -= 1
    found: list[int] = []
    for index in range(end - 1, -1, -1):
        if messages[index].role == "assistant":
            break
        if messages[index].role == "user":
            found.append(index)
    return found[::-1], end < len(messages)
