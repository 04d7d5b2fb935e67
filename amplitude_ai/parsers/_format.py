"""What a wire format is: two pure functions over decoded JSON. No clock, environment, log or thread.

`fold` turns the frames of a stream into the body the same call would have had without streaming, so that
`parse` is the only place where usage, text, tools and errors are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from msgspec import field

from .._fact import Fact
from .._models import JSON, LLMCall, is_refusal
from ._json import as_dict


class Frame(Fact, frozen=True):
    """One event of a stream. ``data`` is decoded JSON, or the text itself when it is no JSON (``[DONE]``).

    ``end`` is the offset in the decoded body where the frame ends: it dates the first token.
    """

    event: str | None
    data: JSON
    end: int = 0


class Folded(Fact, frozen=True):
    """A stream as one body.

    Attributes:
        body: what the plain response would have been; an in-stream error sits under ``"error"``.
        complete: the format's terminal frame was seen.
        first_token_end: ``Frame.end`` of the first frame that held generated content (text, reasoning or
            tool arguments); ``None`` when there was none.
        usage_complete: the counts are those of the whole answer; ``None``: they are when it is ``complete``.
    """

    body: dict[str, Any]
    complete: bool
    first_token_end: int | None = None
    usage_complete: bool | None = None


def one_object(frames: Iterable[Frame]) -> Folded:
    """The fold of an answer that is one object, or parts of one: what comes later stands."""
    body: dict[str, Any] = {}
    for frame in frames:
        body.update(as_dict(frame.data))
    return Folded(body, bool(body))


class WireRequest(Fact, frozen=True):
    """The request as a parser may see it: where it went and its decoded JSON body (``{}`` when unreadable)."""

    provider: str
    host: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"

    @property
    def last_segment(self) -> str:
        """What the path ends with, whatever slashes stand behind it."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def refused(self) -> bool:
        """Whether it was answered by an error's status; not where no answer came."""
        return is_refusal(self.status)


class WireFormat(Protocol):
    """One wire format. Implementations are modules' plain objects, listed in ``_formats.py``."""

    @property
    def name(self) -> str:
        """``openai.chat``, ``anthropic.messages`` ..."""
        ...

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        """Turn a stream's frames into the body the call would have had without streaming."""
        ...

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        """Read one call. ``body`` is ``{}`` when no answer came. ``None``: this is no model call."""
        ...
