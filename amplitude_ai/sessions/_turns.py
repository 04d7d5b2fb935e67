"""Which user turns of a request are new: clients re-send the whole history with every call.

New are the user turns after the last assistant turn. A request that *ends* in an assistant turn (a prefilled answer, a
paused turn continued) is looked at without that ending, and its user turns are new unless this session saw them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from .._models import LLMCall, Message

#: What these are given is data to work on, not something a user said.
_NO_USER = frozenset({"embeddings", "rerank", "moderation", "ocr", "audio"})
_MAX_SEEN = 256
#: Characters of each end of a long text that it is known by.
_ENDS = 32_768


class Turns:
    """What one session has already seen, as hashes: no content is kept."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def new(self, call: LLMCall) -> list[str]:
        """The texts of the new user turns of ``call``, oldest first."""
        if call.operation in _NO_USER or not call.messages:
            return []
        turns, prefilled = _last_turns(call.messages)
        if not turns:
            return []
        digest = _digest(call.messages[: turns[-1] + 1])
        known = digest in self._seen
        self._seen[digest] = None
        self._seen.move_to_end(digest)
        if len(self._seen) > _MAX_SEEN:
            self._seen.popitem(last=False)
        if prefilled and known:
            return []
        return [call.messages[index].text for index in turns if call.messages[index].text]


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


def _digest(messages: Sequence[Message]) -> bytes:
    digest = blake2b(digest_size=16)
    for message in messages:
        text = message.text
        if len(text) > 2 * _ENDS:  # it takes no ten megabytes to know a text again
            text = text[:_ENDS] + text[-_ENDS:]
        digest.update(f"{message.role}\0{len(message.text)}\0{text}".encode("utf-8", "surrogatepass"))
    return digest.digest()
