"""What a request's turns are known by: hashes of each and of each beginning. No content is kept. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from msgspec import Struct

from .._models import JSON, Message
from .._pattern import lazy_pattern

#: Characters of each end that a long text is known by: it takes no ten megabytes to know one again.
_ENDS = 32_768
#: Strings of a tool call's arguments that are remembered.
_MAX_PHRASES = 32
#: Characters a string must have to be looked for inside of a text, not only as the whole of it.
_HEAD = 16
#: Characters of a text in which such a string is looked for.
_LOOKED_AT = 65_536
#: Where a template puts what it was given: on a line of its own, or behind a colon.
_SLOT = lazy_pattern(r"(?:\A|\n)[ \t>*-]*[\"'`]*|: *[\"'`]*")
_SLOT_END = lazy_pattern(r"[\"'`.)\]]*[ \t]*(?:\n|\Z)")


def last_text(messages: Sequence[Message], role: str) -> str | None:
    """What was said last by a role, ``None`` where it said nothing."""
    return next((message.text for message in reversed(messages) if message.role == role), None)


def digest(text: str) -> bytes:
    """What a text is known by."""
    kept = text if len(text) <= 2 * _ENDS else text[:_ENDS] + text[-_ENDS:]
    return blake2b(f"{len(text)} {kept}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Conversation:
    """The turns of one request but the system's, which change from call to call (dates, memories)."""

    __slots__ = ("_beginnings", "after")

    def __init__(self, messages: Sequence[Message]) -> None:
        #: By index of a message: what the conversation up to and with it is known by.
        self.after: list[bytes] = []
        running = b""
        for message in messages:
            if message.role != "system":
                head = running + message.role.encode()
                running = blake2b(head + digest(message.text), digest_size=16).digest()
            self.after.append(running)
        self._beginnings = frozenset(self.after) - {b""}

    @property
    def whole(self) -> bytes:
        """What all of it is known by; empty when nothing was said."""
        return self.after[-1] if self.after else b""

    def continues(self, other: bytes) -> bool:
        """Whether this is ``other`` or goes on from it."""
        return other in self._beginnings

    def adds_to(self, other: bytes) -> bool:
        """Whether this is ``other`` and one turn more."""
        return len(self.after) > 1 and self.after[-2] == other != self.whole


class Phrases(Struct, frozen=True):
    """The strings of a tool call's arguments, as hashes: an agent that is used as a tool is asked in these words."""

    whole: frozenset[bytes] = frozenset()
    parts: Mapping[int, tuple[tuple[int, bytes], ...]] | None = None  # hash of the head → (length, digest)

    def are(self, text: str) -> bool:
        """Whether ``text`` is one of them, or a template around one."""
        stripped = text.strip()
        if digest(stripped) in self.whole:
            return True
        if stripped[:1] == "{" and len(stripped) <= _LOOKED_AT:
            try:
                if digest(canonical(json.loads(stripped))) in self.whole:
                    return True
            except (ValueError, RecursionError):
                pass
        return self.parts is not None and self._inside(stripped[:_LOOKED_AT])

    def _inside(self, text: str) -> bool:
        assert self.parts is not None
        for slot in _SLOT.finditer(text):
            at = slot.end()
            for length, known in self.parts.get(hash(text[at : at + _HEAD]), ()):
                found = text[at : at + length]
                if len(found) == length and _SLOT_END.match(text, at + length) and digest(found) == known:
                    return True
        return False


def phrases(arguments: JSON, shortest: int = 0, known_by: bytes | None = None) -> Phrases:
    """The strings among ``arguments`` of at least ``shortest`` characters, and the whole of them.

    Args:
        arguments: what a tool was called with.
        shortest: in characters.
        known_by: the digest of their `canonical` text, where it has been made already.
    """
    whole: set[bytes] = set()
    parts: dict[int, list[tuple[int, bytes]]] = {}
    for text in _strings(arguments):
        if len(whole) >= _MAX_PHRASES:
            break
        if len(text) < shortest:
            continue
        known = digest(text)
        whole.add(known)
        if _HEAD <= len(text) <= _LOOKED_AT:
            parts.setdefault(hash(text[:_HEAD]), []).append((len(text), known))
    if isinstance(arguments, Mapping) and arguments:
        whole.add(known_by or digest(canonical(arguments)))
    return Phrases(frozenset(whole), {head: tuple(found) for head, found in parts.items()} or None)


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def canonical(value: JSON) -> str:
    """A JSON value as the one text of all its spellings."""
    return _canonical.encode(value)


def _strings(value: JSON, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        if stripped := value.strip():
            yield stripped
    elif depth < 8 and isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item, depth + 1)
    elif depth < 8 and isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, depth + 1)
