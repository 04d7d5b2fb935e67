"""The console exporter: each call as one line, as its event leaves for its client.

In: events that privacy has passed. Out: text on stderr (in a notebook: where the cells print), no prompts and no
answers; colours only where a terminal takes them. Needs no other package. Runs on the worker's thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from .._models import Event
from ..look._line import line
from ..look._when import iso
from ..sessions.schema import LLM_MESSAGE

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def show(events: list[Event]) -> None:
    """Print the calls among ``events``; whatever the stream raises is raised."""
    text = ""
    stream: Any = _stream()
    for event in events:
        if event.event_type == LLM_MESSAGE:
            text += _painted({**event.properties, "time": iso(event.time_ms), "user_id": event.user_id}, stream) + "\n"
    if text and stream is not None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # In one piece, so that other threads' lines stay whole.
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def _painted(call: Mapping[str, Any], stream: Any) -> str:
    said = line(call)
    return f"{_RED}{said}{_PLAIN}" if call.get("success") is False and _has_colours(stream) else said


def _stream() -> Any:
    # A notebook shows stderr on red ground, as if something had failed.
    return sys.stdout if type(sys.stdout).__module__.startswith("ipykernel") else sys.stderr


def _has_colours(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    isatty = getattr(stream, "isatty", None)
    return os.environ.get("TERM") != "dumb" and isatty is not None and bool(isatty())
