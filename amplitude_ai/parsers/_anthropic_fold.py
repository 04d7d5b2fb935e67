"""An Anthropic stream -> the message it built (anthropic ``types/raw_message_stream_event.py``).

``message_delta`` carries cumulative usage and leaves out what has not changed, so the values of ``message_start`` stay
until they are replaced; some servers send zeros there. The output count of ``message_start`` is what was written when
it was sent, one token or none: without a ``message_delta`` nobody knows how much was. A server's tool results come
whole, in ``content_block_start``; or in ``message_start``, where a program goes on that waited for the caller's tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._format import Folded, Frame
from ._json import arguments, as_count, as_dict, as_str, dicts
from ._usage import Group, later

_USAGE = (
    Group(("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), ("cache_creation",)),
    Group(("output_tokens",), ("output_tokens_details",), grows=True),
)

#: delta type -> (the field of the delta, the field of the block it adds to).
_TEXTS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
    "compaction_delta": ("content", "content"),
}


def fold_message(frames: Iterable[Frame]) -> Folded:
    """Fold events named by ``data.type`` (the SSE ``event`` line says the same, and Bedrock has none)."""
    body: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    pieces: dict[tuple[int, str], list[str]] = {}
    complete, counted, first = False, False, None
    begun, shift = 0, 0  # blocks that came with the start, and whether the others are numbered apart from them
    for frame in frames:
        event = as_dict(frame.data)
        kind = as_str(event.get("type")) or frame.event
        if kind == "content_block_delta":
            if _add_delta(event, blocks, pieces, shift) and first is None:
                first = frame.end
        elif kind == "content_block_start":
            block = dict(as_dict(event.get("content_block")))
            index = _index(event, blocks)
            if len(blocks) == begun and index < begun:
                shift = begun
            blocks[index + shift] = block
            if first is None and block.get("type") == "text" and block.get("text"):
                first = frame.end
        elif kind == "message_start":
            message = as_dict(event.get("message"))
            if body.get("id") is None or message.get("id") != body["id"]:  # a proxy's second try begins anew
                blocks = {at: dict(block) for at, block in enumerate(dicts(message.get("content")))}
                pieces, begun, shift = {}, len(blocks), 0
            body.update(message)
        elif kind == "message_delta":
            body.update({name: value for name, value in as_dict(event.get("delta")).items() if value is not None})
            counted = counted or as_count(as_dict(event.get("usage")).get("output_tokens")) is not None
            body["usage"] = later(body.get("usage"), event.get("usage"), _USAGE, omits=True)
        elif kind == "message_stop":
            complete = True
            if "amazon-bedrock-invocationMetrics" in event:
                body["amazon-bedrock-invocationMetrics"] = event["amazon-bedrock-invocationMetrics"]
        elif event.get("error"):  # {"type": "error", ...}, or a gateway's or a Bedrock exception's
            body["error"] = event["error"]
    body["content"] = [_built(index, blocks[index], pieces) for index in sorted(blocks)]
    if not counted and not complete:
        body["usage"] = {name: value for name, value in as_dict(body.get("usage")).items() if name != "output_tokens"}
    return Folded(body, complete, first, usage_complete=counted or complete)


def _index(event: Mapping[str, Any], blocks: Mapping[int, object]) -> int:
    index = as_count(event.get("index"))
    return len(blocks) if index is None else index


def _add_delta(
    event: Mapping[str, Any], blocks: dict[int, dict[str, Any]], pieces: dict[tuple[int, str], list[str]], shift: int
) -> bool:
    """Add a delta to its block. True when it held generated content."""
    delta = as_dict(event.get("delta"))
    source, target = _TEXTS.get(as_str(delta.get("type")) or "", ("", ""))
    text = as_str(delta.get(source))
    if text is None:
        return False  # a signature, a citation, an empty piece
    index = (as_count(event.get("index")) or 0) + shift
    if index not in blocks:  # the block's start was lost in a cut
        blocks[index] = {"type": "tool_use" if target == "input" else target}
    pieces.setdefault((index, target), []).append(text)
    return True


def _built(index: int, block: dict[str, Any], pieces: Mapping[tuple[int, str], list[str]]) -> dict[str, Any]:
    for _, target in _TEXTS.values():
        added = pieces.get((index, target))
        if added is None:
            continue
        text = "".join(added)
        if target == "input":
            block["input"] = arguments(text)
        else:
            block[target] = (as_str(block.get(target)) or "") + text
    return block
