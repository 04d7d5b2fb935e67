"""What the server and the providers' formats exchange: a `Request` in, a body or frames out, a `Format` between.

Knows no provider and no socket.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ._answers import Answer, Ask, Tokens

JSON = Any


class Frame(NamedTuple):
    """One piece of a stream, and the usage the client has been told once it has read it (``None``: nothing new)."""

    data: bytes
    told: Tokens | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived. ``json`` is ``{}`` for bodies that are none; ``captured`` holds the route's groups."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: JSON = field(default_factory=dict)
    captured: Mapping[str, str] = field(default_factory=dict)

    def form(self, name: str) -> str | None:
        """A text field of a multipart body."""
        found = re.search(rb'name="%b"\r\n\r\n(.*?)\r\n--' % name.encode(), self.body, re.DOTALL)
        return found[1].decode() if found else None


class Format(ABC):
    """One provider's wire format for one kind of call."""

    content_type = "application/json"

    @abstractmethod
    def ask(self, request: Request) -> Ask:
        """What the request wants."""

    @abstractmethod
    def whole(self, request: Request, answer: Answer) -> JSON | bytes:
        """The body of a plain answer: a JSON value, or bytes as they are."""

    @abstractmethod
    def error(self, status: int, message: str) -> JSON:
        """The body of an error answer."""

    def told(self, answer: Answer) -> Tokens | None:
        """The usage a plain answer tells; ``None`` where the format has none."""
        return answer.tokens

    def headers(self, request: Request) -> Mapping[str, str]:
        """Headers of every answer, errors included."""
        return {}

    def error_headers(self, status: int) -> Mapping[str, str]:
        """More headers of an error answer."""
        return {}


class StreamingFormat(Format):
    """A format that can stream."""

    def stream_type(self, request: Request) -> str:
        """The content type of a streamed answer."""
        return "text/event-stream; charset=utf-8"

    @abstractmethod
    def stream(self, request: Request, answer: Answer) -> Iterator[Frame]:
        """The answer in frames."""

    @abstractmethod
    def broken(self, request: Request) -> Frame:
        """The frame that says the provider failed after HTTP 200."""


class Route(NamedTuple):
    """A path (searched, not matched from its start: proxies and versions put prefixes before it) and its format."""

    pattern: re.Pattern[str]
    format: Format
    method: str = "POST"


def routes(*table: tuple[str, Format]) -> Sequence[Route]:
    """POST routes from (pattern, format) rows."""
    return [Route(re.compile(pattern), format_) for pattern, format_ in table]


def dumps(value: JSON) -> bytes:
    """JSON as the providers send it: compact, and not escaped to ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(value: JSON, told: Tokens | None = None, event: str | None = None) -> Frame:
    """One server-sent event."""
    name = f"event: {event}\n".encode() if event else b""
    return Frame(name + b"data: " + dumps(value) + b"\n\n", told)
