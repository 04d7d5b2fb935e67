"""Amazon Bedrock's Converse bodies, which Nova's native ones are too.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and ``_ConverseStream.html``.
``inputTokens`` leaves out cache reads and writes (its ``totalTokens`` does not), so they are added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import Message, ToolCall, ToolResult, Usage
from ._format import Folded, Frame
from ._json import add_counts, arguments, as_count, as_dict, as_str, dicts
from ._media import describe, describe_base64
from ._usage import Group, later

_USAGE = (
    Group(
        ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
        ("cacheReadInputTokenCount", "cacheWriteInputTokenCount", "cacheDetails"),
    ),
    Group(("outputTokens",), grows=True),
    Group(("totalTokens",)),
)


def fold_converse(frames: Iterable[Frame]) -> Folded:
    """Events by ``Frame.event``. ``metadata``, which has the usage, is the last."""
    body: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    texts: dict[int, list[str]] = {}
    inputs: dict[int, list[str]] = {}
    complete, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        if event.get("error"):
            body["error"] = event["error"]
        elif frame.event == "contentBlockStart":
            blocks[_index(event)] = dict(as_dict(event.get("start")))
        elif frame.event == "contentBlockDelta":
            delta = as_dict(event.get("delta"))
            index = _index(event)
            text, given = as_str(delta.get("text")), as_str(as_dict(delta.get("toolUse")).get("input"))
            block = blocks.setdefault(index, {})
            if text is not None:
                texts.setdefault(index, []).append(text)
            elif given is not None:
                block.setdefault("toolUse", {})
                inputs.setdefault(index, []).append(given)
            elif "toolResult" in delta:
                block.setdefault("toolResult", {})
            if first is None and (text or given or as_str(as_dict(delta.get("reasoningContent")).get("text"))):
                first = frame.end
        elif frame.event == "messageStop":
            body.update(event)
        elif frame.event == "metadata":
            complete = True
            usage = later(body.get("usage"), event.get("usage"), _USAGE)
            body.update(event)
            body["usage"] = usage
    content: list[dict[str, Any]] = []
    for index in sorted(blocks):
        block = blocks[index]
        if index in texts:
            block["text"] = "".join(texts[index])
        if index in inputs:
            block["toolUse"] = {**as_dict(block.get("toolUse")), "input": arguments("".join(inputs[index]))}
        content.append(block)
    body["output"] = {"message": {"role": "assistant", "content": content}}
    return Folded(body, complete, first)


def _index(event: Mapping[str, Any]) -> int:
    return as_count(event.get("contentBlockIndex")) or 0


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Normalised counts (``TokenUsage``; some models spell the cache counts with ``...TokenCount``)."""
    read = _cache(usage, "Read")
    written = _cache(usage, "Write")
    given = as_count(usage.get("inputTokens"))
    return Usage(
        input_tokens=None if given is None else add_counts(given, read, written),
        output_tokens=as_count(usage.get("outputTokens")),
        total_tokens=as_count(usage.get("totalTokens")),
        cached_input_tokens=read,
        cache_write_tokens=written,
        extra=dict(_by_lifetime(usage)),
    )


def _cache(usage: Mapping[str, Any], what: str) -> int | None:
    found = as_count(usage.get(f"cache{what}InputTokens"))
    return as_count(usage.get(f"cache{what}InputTokenCount")) if found is None else found


def _by_lifetime(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for detail in dicts(usage.get("cacheDetails")):
        count, lifetime = as_count(detail.get("inputTokens")), as_str(detail.get("ttl"))
        if count and lifetime in ("5m", "1h"):
            yield f"cache_write_{lifetime}_tokens", count


def output_text(content: object) -> str | None:
    """The text blocks, and the text inside cited ones."""
    texts = [
        part["text"]
        for block in dicts(content)
        for part in (block, *dicts(as_dict(block.get("citationsContent")).get("content")))
        if isinstance(part.get("text"), str)
    ]
    return "".join(texts) if texts else None


def tool_calls(content: object) -> Iterator[ToolCall]:
    """``toolUse`` blocks; those of type ``server_tool_use`` were run by Bedrock, under the name of a function."""
    blocks = list(dicts(content))
    results = {as_str(result.get("toolUseId")): result for block in blocks if (result := _part(block, "toolResult"))}
    for block in blocks:
        call = _part(block, "toolUse")
        name, ident = as_str(call.get("name")), as_str(call.get("toolUseId"))
        if name is None:
            continue
        made = arguments(call.get("input"))
        if call.get("type") == "server_tool_use" or (ident is not None and ident in results):
            result = results.get(ident, {})
            success = {"success": True, "error": False}.get(as_str(result.get("status")) or "")
            yield ToolCall(name, ident, made, "function", True, result.get("content"), success)
        else:
            yield ToolCall(name=name, id=ident, arguments=made)


def messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    """The turns of a request; ``system`` is a list of text blocks."""
    system = prompt_text(asked.get("system"))
    if system:
        yield Message("system", system)
    for turn in dicts(asked.get("messages")):
        blocks = list(dicts(turn.get("content")))
        role = "assistant" if turn.get("role") == "assistant" else "user"
        if blocks and all("toolResult" in block for block in blocks):
            role = "tool"
        yield Message(role, prompt_text(turn.get("content")))


def tool_results(turns: object) -> Iterator[ToolResult]:
    """The results a request carries back."""
    for turn in dicts(turns):
        for block in dicts(turn.get("content")):
            result = _part(block, "toolResult")
            if result:
                success = False if result.get("status") == "error" else None
                yield ToolResult(as_str(result.get("toolUseId")), _result(result.get("content")), None, success)


def _result(content: object) -> Any:
    """One JSON value as it is, everything else as text."""
    blocks = list(dicts(content))
    return blocks[0]["json"] if len(blocks) == 1 and "json" in blocks[0] else prompt_text(content)


def prompt_text(content: object) -> str:
    """What a person would read, media described: one line a block."""
    if isinstance(content, str):
        return content
    return "\n".join(text for block in dicts(content) if (text := _block_text(block)))


def _block_text(block: Mapping[str, Any]) -> str | None:
    if isinstance(block.get("text"), str):
        return as_str(block["text"])
    for kind in ("image", "document", "video", "audio"):
        media = _part(block, kind)
        if media:
            form, name = as_str(media.get("format")), as_str(media.get("name"))
            data = as_dict(media.get("source")).get("bytes")
            return describe_base64(kind, form, data) if data and not name else describe(kind, form, name=name)
    cited = prompt_text(_part(block, "citationsContent").get("content"))
    if cited:
        return cited
    guarded = as_dict(_part(block, "guardContent").get("text"))
    return as_str(guarded.get("text")) or prompt_text(_part(block, "toolResult").get("content")) or None


def _part(block: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return as_dict(block.get(name))
