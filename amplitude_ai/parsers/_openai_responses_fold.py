"""The events of a Responses stream folded into the response.

Events: openai ``types/responses/response_stream_event.py``. The terminal event carries the whole response; the rest is
only needed when the stream was cut, or when a server leaves ``output`` out at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from ._format import Folded, Frame
from ._json import as_count, as_dict, as_list, as_str
from ._openai import USAGE
from ._usage import later

_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
_STARTED = frozenset({"response.created", "response.queued", "response.in_progress"})
#: Deltas of an item's field: event without ``response.`` and ``.delta``/``.done`` -> (field, its name when done).
_FIELDS = {
    "function_call_arguments": ("arguments", "arguments"),
    "mcp_call_arguments": ("arguments", "arguments"),
    "custom_tool_call_input": ("input", "input"),
    "code_interpreter_call_code": ("code", "code"),
}
_PARTS = {"output_text": ("output_text", "text"), "refusal": ("refusal", "refusal")}


class _Item(Struct, eq=False):
    """One output item: the last whole form of it, and what was added since."""

    whole: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    fields: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[int, tuple[str, list[str]]] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        if self.done:
            return self.whole
        item = dict(self.whole)
        for name, pieces in self.fields.items():
            item[name] = "".join(pieces)
        if self.parts:
            item.setdefault("type", "message")
            item.setdefault("role", "assistant")
            item["content"] = [
                {"type": kind, _PARTS[kind][1]: "".join(pieces)} for _, (kind, pieces) in sorted(self.parts.items())
            ]
        return item


def fold(frames: Iterable[Frame]) -> Folded:
    """Fold events. Complete: a terminal event came."""
    state = _Stream()
    for frame in frames:
        state.take(frame)
    return state.folded()


class _Stream(Struct, eq=False):
    response: dict[str, Any] = field(default_factory=dict)
    items: dict[int, _Item] = field(default_factory=dict)
    error: Any = None
    complete: bool = False
    first: int | None = None

    def take(self, frame: Frame) -> None:
        event = frame.data
        if not isinstance(event, Mapping):
            return
        kind = as_str(event.get("type")) or frame.event or ""
        if kind in _TERMINAL or kind in _STARTED:
            response = as_dict(event.get("response"))
            usage = later(self.response.get("usage"), response.get("usage"), USAGE)
            self.response.update(response)
            if usage:
                self.response["usage"] = usage
            self.complete = self.complete or kind in _TERMINAL
        elif event.get("error") and not kind.startswith("response."):
            self.error = event["error"]  # flat ones (``ResponseErrorEvent``) were nested by `_frames.with_errors`
        elif kind in ("response.output_item.added", "response.output_item.done"):
            item = self._item(event)
            item.whole, item.done = dict(as_dict(event.get("item"))), kind.endswith(".done")
            if item.done and self.first is None:  # an item that comes without deltas: tool search, web search
                self.first = frame.end
        else:
            self._grow(kind.removeprefix("response."), event, frame.end)

    def _grow(self, kind: str, event: Mapping[str, Any], end: int) -> None:
        name, _, step = kind.rpartition(".")
        if step not in ("delta", "done"):
            return
        if step == "delta" and event.get("delta") and self.first is None:
            self.first = end
        if name in _FIELDS:
            target, whole = _FIELDS[name]
            pieces = self._item(event).fields.setdefault(target, [])
            _extend(pieces, step, event, whole)
        elif name in _PARTS:
            part, whole = _PARTS[name]
            index = as_count(event.get("content_index")) or 0
            _extend(self._item(event).parts.setdefault(index, (part, []))[1], step, event, whole)

    def _item(self, event: Mapping[str, Any]) -> _Item:
        index = as_count(event.get("output_index"))
        return self.items.setdefault(len(self.items) if index is None else index, _Item())

    def folded(self) -> Folded:
        body = dict(self.response)
        if self.items and not as_list(body.get("output")):
            body["output"] = [self.items[index].plain() for index in sorted(self.items)]
        if not self.complete and body.get("status") in ("queued", "in_progress"):
            body.pop("status")  # the start's word; how it ended is not known
        if self.error is not None and not body.get("error"):
            body["error"] = self.error
        return Folded(body, self.complete, self.first)


def _extend(pieces: list[str], step: str, event: Mapping[str, Any], whole: str) -> None:
    """Add a delta, or put the finished text in place of the deltas (some of which a cut may have taken)."""
    text = event.get("delta") if step == "delta" else event.get(whole)
    if isinstance(text, str):
        if step == "done":
            pieces.clear()
        pieces.append(text)
