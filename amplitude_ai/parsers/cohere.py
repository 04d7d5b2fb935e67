"""Cohere: chat (v2 and v1), embeddings, rerank. https://docs.cohere.com/reference/chat

``usage.tokens`` is what the model read and wrote, ``billed_units`` the part that is charged (it leaves out Cohere's own
prompt). Tokens are told from the first. No answer names the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult, Usage
from ._errors import read_error
from ._format import Folded, Frame, WireRequest, one_object
from ._json import arguments, as_count, as_dict, as_float, as_list, as_str, dicts
from ._openai import prompt_text, visible_text
from .tei import counted

_OPERATIONS = {"classify": "classification", "summarize": "completion"}
_ROLES = {"user": "user", "assistant": "assistant", "chatbot": "assistant", "tool": "tool"}


class _Chat:
    name = "cohere.chat"
    framing = "ndjson"  # v1; v2 sends events

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        every = list(frames)
        first = as_dict(every[0].data) if every else {}
        return fold_v1(every) if "event_type" in first else _fold_v2(every)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        message = as_dict(body.get("message")) or body  # v1 has it flat
        text = visible_text(message.get("content"))
        if text is None and isinstance(message.get("text"), str):
            text = message["text"]
        return replace(
            _call(request, body, "chat"),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_tool_results(asked)),
            output_text=text,
            tool_calls=tuple(_tool_calls(message)),
            finish_reason=as_str(body.get("finish_reason")),
            response_id=as_str(body.get("id")) or as_str(body.get("generation_id")) or as_str(body.get("response_id")),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_tokens")),
            top_p=as_float(asked.get("p")),
        )


class _Embed:
    """``embed``, and two doors of old: ``classify`` and ``summarize``."""

    name = "cohere.embed"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        given = (*as_list(asked.get("texts")), *as_list(asked.get("inputs")))
        texts = [text for text in given if isinstance(text, str)]
        texts += [prompt_text(given.get("content")) for given in dicts(asked.get("inputs"))]
        texts += [asked["text"]] if as_str(asked.get("text")) else []
        return replace(
            _call(request, body, _OPERATIONS.get(request.path.rpartition("/")[2], "embeddings")),
            messages=tuple(Message("user", text) for text in texts),
            output_text=as_str(body.get("summary")),
        )


class _Rerank:
    name = "cohere.rerank"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body).get("query")
        query = as_str(asked) or as_str(as_dict(asked).get("text"))  # NVIDIA's is an object
        call = replace(_call(request, body, "rerank"), messages=(Message("user", query),) if query else ())
        # Voyage, Jina, OpenRouter and vLLM name the model, and count in OpenAI's words. All they read is input.
        usage = as_dict(body.get("usage"))
        total = as_count(usage.get("prompt_tokens"))
        total = as_count(usage.get("total_tokens")) if total is None else total
        if call.usage.input_tokens is None and total is not None:
            call = replace(call, usage=replace(call.usage, input_tokens=total))
        units = as_count(usage.get("rerank_units"))  # Pinecone's: pinecone ``models/inference/rerank.py``
        if units:
            call = replace(call, usage=replace(call.usage, extra={**call.usage.extra, "rerank_searches": units}))
        if "texts" in request.body and "documents" not in request.body:  # Text Embeddings Inference
            provider = "huggingface" if call.provider == "cohere" else call.provider
            call = replace(call, provider=provider, usage=counted(request))
        cost = as_float(usage.get("cost")) if request.provider == "openrouter" else None
        return replace(call, model=as_str(body.get("model")) or call.model, reported_cost_usd=cost)


class _Generate:
    """``/v1/generate`` (https://docs.cohere.com/v1/reference/generate): ``generations``, each with its text."""

    name = "cohere.generate"
    framing = "ndjson"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return _fold_generate(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        written = next(iter(dicts(body.get("generations"))), {})
        text, prompt = written.get("text"), as_str(asked.get("prompt"))
        return replace(
            _call(request, body, "completion"),
            messages=(Message("user", prompt),) if prompt else (),
            output_text=text if isinstance(text, str) else None,
            finish_reason=as_str(written.get("finish_reason")),
            temperature=as_float(asked.get("temperature")),
            max_tokens=as_count(asked.get("max_tokens")),
            top_p=as_float(asked.get("p")),
        )


CHAT = _Chat()
FORMATS = (CHAT, _Embed(), _Rerank(), _Generate())


def _fold_generate(frames: Iterable[Frame]) -> Folded:
    """Pieces ``{"text", "is_finished": false}``, then ``{"is_finished": true, "finish_reason", "response"}``."""
    body: dict[str, Any] = {}
    texts: list[str] = []
    complete, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        text = as_str(event.get("text"))
        if event.get("error"):
            body["error"] = event["error"]
        elif event.get("is_finished") is True:
            complete = True
            body.update(as_dict(event.get("response")))
            body.setdefault("generations", [{"finish_reason": event.get("finish_reason")}])
        elif text is not None:
            texts.append(text)
            first = frame.end if first is None else first
    written = dict(next(iter(dicts(body.get("generations"))), {}))
    if texts:
        written.setdefault("text", "".join(texts))
    if written:
        body["generations"] = [written]
    return Folded(body, complete, first)


def _call(request: WireRequest, body: Mapping[str, Any], operation: str) -> LLMCall:
    requested = request.body.get("model")
    requested = requested if isinstance(requested, str) else None
    return LLMCall(
        provider=request.provider,
        operation=operation,
        requested_model=requested,
        model=requested if request.status is not None and not request.refused else None,
        usage=_usage(body),
        price_usage=_billed(body),
        response_id=as_str(body.get("id")),
        error=_error(request, body),
    )


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    if request.refused or body.get("error"):
        return read_error(body, request.response_headers)
    # A stream that fails ends with this reason (https://docs.cohere.com/reference/chat-stream).
    return CallError(type="ERROR") if body.get("finish_reason") == "ERROR" else None


def _usage(body: Mapping[str, Any]) -> Usage:
    # v2 chat: "usage"; v1, embed, rerank: "meta".
    reported = as_dict(body.get("usage")) or as_dict(body.get("meta"))
    billed = as_dict(reported.get("billed_units"))
    tokens = as_dict(reported.get("tokens")) or billed
    extra: dict[str, int | float] = {}
    for name, unit in (("search_units", "rerank_searches"), ("image_tokens", "input_image_tokens")):
        count = as_count(billed.get(name))
        if count:
            extra[unit] = count
    return Usage(
        input_tokens=as_count(tokens.get("input_tokens")),
        output_tokens=as_count(tokens.get("output_tokens")),
        cached_input_tokens=as_count(reported.get("cached_tokens")),
        reasoning_tokens=as_count(tokens.get("reasoning_tokens")),
        extra=extra,
    )


def _billed(body: Mapping[str, Any]) -> Usage | None:
    """What is charged: Cohere's own prompt is not. ``None`` where that is all that is told."""
    reported = as_dict(body.get("usage")) or as_dict(body.get("meta"))
    billed = as_dict(reported.get("billed_units"))
    if not as_dict(reported.get("tokens")) or as_count(billed.get("input_tokens")) is None:
        return None
    usage = _usage(body)
    cached = min(usage.cached_input_tokens or 0, as_count(billed["input_tokens"]) or 0)
    return replace(
        usage,
        input_tokens=as_count(billed["input_tokens"]),
        output_tokens=as_count(billed.get("output_tokens")),
        cached_input_tokens=cached or usage.cached_input_tokens,
    )


def _tool_calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    for call in dicts(message.get("tool_calls")):
        function = as_dict(call.get("function"))
        name = as_str(function.get("name")) or as_str(call.get("name"))  # v1: name and parameters, flat
        if name is not None:
            made = arguments(function.get("arguments")) if function else call.get("parameters")
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=made)


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    if as_str(asked.get("preamble")):
        yield Message("system", asked["preamble"])
    for turn in (*dicts(asked.get("messages")), *dicts(asked.get("chat_history"))):
        role = as_str(turn.get("role"))
        if role is not None:
            yield Message(_ROLES.get(role.lower(), "system"), prompt_text(turn.get("content") or turn.get("message")))
    if as_str(asked.get("message")):
        yield Message("user", asked["message"])


def _tool_results(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    for turn in dicts(asked.get("messages")):
        if turn.get("role") == "tool":
            content = turn.get("content")
            text = "\n".join(_document(part) for part in dicts(content)) or prompt_text(content)
            yield ToolResult(as_str(turn.get("tool_call_id")), text)
    for result in dicts(asked.get("tool_results")):
        call = as_dict(result.get("call"))
        yield ToolResult(as_str(call.get("id")), result.get("outputs"), as_str(call.get("name")))


def _document(part: Mapping[str, Any]) -> str:
    document = as_dict(part.get("document"))
    data = document.get("data")
    return data if isinstance(data, str) else prompt_text([part])


def _fold_v2(frames: Iterable[Frame]) -> Folded:
    """``message-start``, ``content-delta``, ``tool-call-start/-delta``, ``message-end``: the last has the usage."""
    body: dict[str, Any] = {}
    texts: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    pieces: dict[int, list[str]] = {}
    complete, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        kind, delta = as_str(event.get("type")) or frame.event, as_dict(event.get("delta"))
        message = as_dict(delta.get("message"))
        if event.get("id"):
            body["id"] = event["id"]
        if kind in ("content-start", "content-delta"):
            content = as_dict(message.get("content"))
            text = as_str(content.get("text"))
            if text is not None:
                texts.append(text)
            if first is None and (text or content.get("thinking")):
                first = frame.end
        elif kind in ("tool-call-start", "tool-call-delta"):
            index = as_count(event.get("index")) or 0
            call = as_dict(message.get("tool_calls"))
            calls.setdefault(index, {}).update(call if kind == "tool-call-start" else {})
            piece = as_str(as_dict(call.get("function")).get("arguments"))
            if piece is not None:
                pieces.setdefault(index, []).append(piece)
                first = frame.end if first is None else first
        elif kind == "message-end":
            complete = True
            body.update(delta)
        elif event.get("error") or kind == "error":
            body["error"] = event.get("error") or event
    for index, call in calls.items():
        call["function"] = {**as_dict(call.get("function")), "arguments": "".join(pieces.get(index, ()))}
    if delta_error := as_str(body.get("error")):
        body["error"] = {"message": delta_error}
    body["message"] = {"content": [{"type": "text", "text": "".join(texts)}] if texts else [], "tool_calls": None}
    body["message"]["tool_calls"] = [calls[index] for index in sorted(calls)]
    return Folded(body, complete, first)


def fold_v1(frames: Iterable[Frame]) -> Folded:
    """Events named by ``event_type``; ``stream-end`` has the whole response. Bedrock's Command R streams these too."""
    body: dict[str, Any] = {}
    texts: list[str] = []
    complete, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        kind = event.get("event_type")
        if kind == "text-generation":
            text = as_str(event.get("text"))
            if text is not None:
                texts.append(text)
                first = frame.end if first is None else first
        elif kind == "stream-start":
            body["generation_id"] = event.get("generation_id")
        elif kind == "tool-calls-generation":
            body["tool_calls"] = event.get("tool_calls")
        elif kind == "stream-end":
            complete = True
            body.update(as_dict(event.get("response")))
            body["finish_reason"] = event.get("finish_reason") or body.get("finish_reason")
            if "amazon-bedrock-invocationMetrics" in event:
                body["amazon-bedrock-invocationMetrics"] = event["amazon-bedrock-invocationMetrics"]
        elif event.get("error"):
            body["error"] = event["error"]
    if texts:
        body.setdefault("text", "".join(texts))
    return Folded(body, complete, first)
