"""Anthropic's Messages (also on Bedrock, Vertex, Azure and compatible servers) and its legacy text completions.

Bodies: anthropic ``types/message.py``, ``usage.py``, ``message_create_params.py``, ``completion.py``. Usage counts
cache reads and writes *beside* ``input_tokens`` ("Total input tokens in a request is the summation of ...",
``types/raw_message_delta_event.py``), so they are added here; thinking is inside ``output_tokens``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from .._models import LLMCall, Message, ToolResult
from .._pattern import lazy_pattern
from ._anthropic_fold import fold_message
from ._anthropic_tools import is_result, late_results, tool_calls
from ._anthropic_usage import billed, billed_besides, read_usage, served_by
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_str, dicts
from ._media import describe, describe_base64
from ._openai import read_cost
from ._residency import anthropic_factor
from .compatible import quirks

#: Vertex names the model in the path only (anthropic ``lib/vertex/_client.py``).
_MODEL_IN_PATH = lazy_pattern(r"/models/([^/:]+):")


class _Messages:
    name = "anthropic.messages"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return fold_message(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        return read_message(request, body)


def read_message(request: WireRequest, body: Mapping[str, Any]) -> LLMCall:
    """One Messages call. Also for Bedrock's ``invoke``, whose bodies are these without ``model``."""
    asked = as_dict(request.body)
    usage = as_dict(body.get("usage"))
    served = served_by(usage)
    content = body.get("content")
    return LLMCall(
        provider=request.provider,
        operation="chat",
        requested_model=_requested_model(request),
        model=served or as_str(body.get("model")),
        usage=read_usage(usage),
        price_usage=billed(usage, served),
        billed_besides=billed_besides(usage, served),
        price_model=served,
        reported_cost_usd=read_cost(usage, quirks(request.provider)),
        price_factor=anthropic_factor(request.provider, usage),
        messages=tuple(_messages(asked)),
        tool_results=(*_tool_results(asked.get("messages")), *late_results(content)),
        output_text=_output_text(content),
        tool_calls=tuple(tool_calls(content, body.get("stop_reason"))),
        finish_reason=as_str(body.get("stop_reason")),
        response_id=as_str(body.get("id")),
        error=error_of(request, body),
        temperature=as_float(asked.get("temperature")),
        max_tokens=as_count(asked.get("max_tokens")),
        top_p=as_float(asked.get("top_p")),
        service_tier="fast" if usage.get("speed") == "fast" else as_str(usage.get("service_tier")),
    )


def _requested_model(request: WireRequest) -> str | None:
    found = as_str(as_dict(request.body).get("model"))
    matched = None if found else _MODEL_IN_PATH.search(request.path)
    return unquote(matched.group(1)) if matched else found


def _output_text(content: object) -> str | None:
    if isinstance(content, str):  # compatible servers
        return content
    texts = [block["text"] for block in dicts(content) if _is_text(block)]
    return "".join(texts) if texts else None


def _is_text(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    if asked.get("system"):
        yield Message("system", prompt_text(asked["system"]))
    for turn in dicts(asked.get("messages")):
        role, content = as_str(turn.get("role")), turn.get("content")
        if role is None:
            continue
        if role == "user" and _only_results(content):
            role = "tool"
        yield Message(role if role in ("user", "assistant", "tool") else "system", prompt_text(content))


def _only_results(content: object) -> bool:
    blocks = list(dicts(content))
    return bool(blocks) and all(is_result(as_str(block.get("type")) or "") for block in blocks)


def _tool_results(turns: object) -> Iterator[ToolResult]:
    for turn in dicts(turns):
        for block in dicts(turn.get("content")):
            # The server's own results (web_search_tool_result ...) were told with the call they answer.
            if block.get("type") == "tool_result":
                success = False if block.get("is_error") is True else None
                yield ToolResult(as_str(block.get("tool_use_id")), prompt_text(block.get("content")), None, success)


def prompt_text(content: object) -> str:
    """What a person would read of a turn's content, media described: one line a block."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list | tuple) else [content]
    return "\n".join(text for block in blocks if (text := _block_text(block)))


def _block_text(block: object) -> str | None:
    """One block (anthropic ``types/content_block_param.py``). Thinking and calls are not what was said."""
    if isinstance(block, str):
        return block
    found = as_dict(block)
    kind = as_str(found.get("type")) or ""
    if kind == "text":
        return as_str(found.get("text"))
    if kind in ("image", "document"):
        return _media(kind, found)
    if kind == "tool_result":
        return prompt_text(found.get("content"))
    if kind == "search_result":
        return prompt_text(found.get("content")) or describe(kind)
    return describe("file") if kind == "container_upload" else None


def _media(kind: str, block: Mapping[str, Any]) -> str:
    """``source``: base64, a URL, a file id, text, or blocks (``types/document_block_param.py``)."""
    source = as_dict(block.get("source"))
    how, media_type = source.get("type"), as_str(source.get("media_type"))
    if how == "base64":
        return describe_base64(kind, media_type, source.get("data"))
    if how == "content":
        return prompt_text(source.get("content")) or describe(kind)
    if how == "text" and isinstance(source.get("data"), str):
        return describe(kind, media_type, len(source["data"].encode("utf-8", "replace")), as_str(block.get("title")))
    return describe(kind, "url" if how == "url" else media_type, name=as_str(block.get("title")))


class _Completions:
    """The text completions of old (anthropic ``types/completion.py``): no usage, one growing string."""

    name = "anthropic.completions"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        pieces: list[str] = []
        first = None
        for frame in frames:
            event = as_dict(frame.data)
            if event.get("error"):
                body["error"] = event["error"]
                continue
            body.update({name: value for name, value in event.items() if value is not None})
            piece = as_str(event.get("completion"))
            if piece is not None:
                pieces.append(piece)
                first = frame.end if first is None else first
        body["completion"] = "".join(pieces)
        return Folded(body, as_str(body.get("stop_reason")) is not None, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        text, prompt = body.get("completion"), as_str(asked.get("prompt"))
        return LLMCall(
            provider=request.provider,
            operation="completion",
            requested_model=_requested_model(request),
            model=as_str(body.get("model")),
            messages=(Message("user", prompt),) if prompt else (),
            output_text=text if isinstance(text, str) else None,
            finish_reason=as_str(body.get("stop_reason")),
            response_id=as_str(body.get("id")),
            error=error_of(request, body),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_tokens_to_sample")),
            top_p=as_float(asked.get("top_p")),
        )


FORMATS = (_Messages(), _Completions())
