"""What a request tells the simulator to do: the ``x-sim`` header, or ``[sim:key=value,...]`` in the last user text.

In: two strings. Out: a frozen `Directives`. A key nobody knows is an error, so that a typo fails a test loudly.
Values are percent-decoded, so a reply may hold a comma: ``reply=Yes%2C%20sir``. A bare key means 1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import unquote

_IN_TEXT = re.compile(r"\[sim:([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Directives:
    """How to answer one request.

    Attributes:
        status: fail with this HTTP status and the provider's error body.
        fail_once: fail the first attempt with this status; the retry (same body, or a retry header) succeeds.
        delay_headers: seconds to wait before the status line.
        cut_body: close the socket in the middle of a plain body.
        cut_stream: close the socket after this many stream frames.
        error_in_stream: after this many frames, send the provider's in-stream error and end.
        slow: seconds between stream frames.
        chunks: length of the answer: this many words, each a frame of the stream.
        split: bytes per HTTP chunk, whatever the frames are (1 cuts inside UTF-8 characters).
        encoding: content-encoding of the answer: gzip, deflate, br or zstd.
        reply: the answer's text.
        model: the model that answers; default: the one asked for.
        cached: input tokens read from a cache, on top of the counted ones.
        cache_write: input tokens written to a cache, on top of the counted ones.
        reasoning: reasoning tokens, on top of the counted output.
        tool_calls: how many tools an answer calls at once, when it calls any.
        usage: send usage in an OpenAI stream that did not ask for it, as Mistral and others do.
    """

    status: int | None = None
    fail_once: int | None = None
    delay_headers: float = 0.0
    cut_body: int = 0
    cut_stream: int | None = None
    error_in_stream: int | None = None
    slow: float = 0.0
    chunks: int | None = None
    split: int | None = None
    encoding: str | None = None
    reply: str | None = None
    model: str | None = None
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    tool_calls: int = 1
    usage: int = 0


_CONVERTERS: dict[str, type] = {
    field.name: str if "str" in str(field.type) else float if "float" in str(field.type) else int
    for field in fields(Directives)
}


def read(header: str | None, text: str) -> Directives:
    """The directives of one request; the header wins over the text.

    Raises:
        ValueError: a key is unknown, or its value is no number where one is needed.
    """
    pairs = [pair for found in _IN_TEXT.findall(text) for pair in found.split(",")] + (header or "").split(",")
    values: dict[str, Any] = {}
    for key, _, value in (pair.strip().partition("=") for pair in pairs if pair.strip()):
        if key not in _CONVERTERS:
            raise ValueError(f"unknown directive {key!r}: one of {', '.join(_CONVERTERS)}")
        values[key] = _CONVERTERS[key](unquote(value) or "1")
    return Directives(**values)


def without(text: str) -> str:
    """The text without its directives."""
    return _IN_TEXT.sub("", text).strip()
