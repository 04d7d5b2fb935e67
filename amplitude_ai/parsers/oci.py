"""Oracle's generative AI service: its own chat (``GENERIC``, ``COHERE``, ``COHEREV2``), embeddings, reranking.

https://docs.oracle.com/iaas/api/#/en/generative-ai-inference/20231130/ (oci ``generative_ai_inference/models``). A
chat is wrapped, ``chatRequest`` and ``chatResponse``; a stream's events are not. GENERIC's are pieces, and its counts
come in an event of their own; COHERE's last event has the counts (langchain-oci ``chat_models/providers``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, ToolCall, ToolResult, Usage
from ._errors import error_of, read_error
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_count, as_dict, as_float, as_list, as_str, dicts, texts
from ._media import describe, describe_url
from ._paths import PathRow, on
from ._usage import Group, later

_ROLES = {"user": "user", "assistant": "assistant", "chatbot": "assistant", "tool": "tool"}
_OPERATIONS = {"embedText": "embeddings", "rerankText": "rerank"}
_USAGE = (
    Group(("promptTokens",), ("promptTokensDetails",)),
    Group(("completionTokens",), ("completionTokensDetails",), grows=True),
    Group(("totalTokens",)),
)


class _Action:
    name = "oci.action"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return _fold(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        wanted = as_dict(asked.get("chatRequest"))
        answer = as_dict(body.get("chatResponse")) or body
        choice = _choice(answer)
        message = as_dict(choice.get("message"))
        serving = as_dict(asked.get("servingMode"))
        newer = as_count(wanted.get("maxCompletionTokens"))
        return LLMCall(
            provider=request.provider,
            operation=_OPERATIONS.get(request.path.rpartition("/")[2], "chat"),
            requested_model=as_str(serving.get("modelId")) or as_str(serving.get("endpointId")),
            model=as_str(body.get("modelId")),
            usage=_read_usage(as_dict(answer.get("usage") or body.get("usage"))),
            messages=tuple(_messages(asked, wanted)),
            tool_results=tuple(_results(wanted)),
            output_text=_text(message.get("content"), "TEXT") if message else _text(answer.get("text"), "TEXT"),
            tool_calls=tuple(_calls(message or answer)),
            finish_reason=as_str(choice.get("finishReason")),
            response_id=as_str(answer.get("id")) or as_str(body.get("id")),
            error=_error(request, body, answer),
            temperature=as_float(wanted.get("temperature")),
            max_tokens=as_count(wanted.get("maxTokens")) if newer is None else newer,
            top_p=as_float(wanted.get("topP")),
        )


FORMATS = (_Action(),)
PATHS = (PathRow(r"/\d{8}/actions/(?:chat|embedText|rerankText)", "oci.action", "oci", on("oci")),)


def _fold(frames: Iterable[Frame]) -> Folded:
    body: dict[str, Any] = {}
    pieces: list[str] = []
    calls: list[dict[str, Any]] = []
    open_at: dict[int, dict[str, Any]] = {}
    usage: dict[str, Any] = {}
    reason, whole, first, done = None, None, None, False
    for frame in frames:
        event = as_dict(frame.data)
        done = done or frame.data == "[DONE]"
        usage = later(usage, event.get("usage"), _USAGE)
        if event.get("error"):
            body["error"] = event["error"]
        if as_count(event.get("index")):
            continue  # another answer of several; the first is told
        body.update({name: event[name] for name in ("id", "modelId", "errorMessage") if as_str(event.get(name))})
        message = as_dict(event.get("message"))
        text = _text(message.get("content") if message else event.get("text"), "TEXT")
        ended = as_str(event.get("finishReason"))
        if ended is not None and text and pieces and text.startswith("".join(pieces)):
            whole = text  # said once more
        elif text:
            pieces.append(text)
        if first is None and (text or message.get("reasoningContent") or message.get("toolCalls")):
            first = frame.end
        _add_calls(calls, open_at, message.get("toolCalls") or event.get("toolCalls"))
        reason = ended or reason
    said = whole or "".join(pieces)
    body["choices"] = [{"message": {"content": said if pieces else None, "toolCalls": calls}, "finishReason": reason}]
    body["usage"] = usage
    return Folded(body, reason is not None or done, first, usage_complete=bool(usage) or None)


def _add_calls(calls: list[dict[str, Any]], open_at: dict[int, dict[str, Any]], told: object) -> None:
    """A call's pieces: what has an id, or a name at a place that has none, begins one; what has neither goes on."""
    for place, piece in enumerate(dicts(told)):
        known = next((call for call in calls if call.get("id") and call["id"] == piece.get("id")), None)
        if known is None and (piece.get("id") or place not in open_at):
            known = {name: value for name, value in piece.items() if name != "arguments"}
            calls.append(known)
        elif known is None:
            known = open_at[place]
        open_at[place] = known
        made = as_str(piece.get("arguments"))
        if made is not None:
            known["arguments"] = known.get("arguments", "") + made


def _choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """GENERIC has choices; COHERE's answer is one itself."""
    choices = sorted(dicts(answer.get("choices")), key=lambda choice: as_count(choice.get("index")) or 0)
    return choices[0] if choices else answer


def _text(content: object, kind: str) -> str | None:
    """A text, or the parts of that kind."""
    if isinstance(content, str):
        return content
    parts = (part for part in dicts(content) if part.get("type", kind) == kind)
    found = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    return "".join(found) if found else None


def _read_usage(usage: Mapping[str, Any]) -> Usage:
    inputs, outputs = as_dict(usage.get("promptTokensDetails")), as_dict(usage.get("completionTokensDetails"))
    return Usage(
        input_tokens=as_count(usage.get("promptTokens")),
        output_tokens=as_count(usage.get("completionTokens")),
        total_tokens=as_count(usage.get("totalTokens")),
        cached_input_tokens=as_count(inputs.get("cachedTokens")),
        reasoning_tokens=as_count(outputs.get("reasoningTokens")),
    )


def _error(request: WireRequest, body: Mapping[str, Any], answer: Mapping[str, Any]) -> CallError | None:
    """``{"code": "NotAuthenticated", "message"}``; COHERE tells one beside what it wrote (``errorMessage``)."""
    message = as_str(answer.get("errorMessage"))
    if message and not request.refused:
        return CallError(as_str(answer.get("finishReason")), message)
    error = error_of(request, body)
    if request.refused and as_str(body.get("code")) and as_str(body.get("message")):
        error = read_error({"type": body["code"], "message": body["message"], "code": body["code"]})
    return error


def _messages(asked: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Message]:
    if as_str(wanted.get("preambleOverride")):
        yield Message("system", wanted["preambleOverride"])
    for turn in (*dicts(wanted.get("chatHistory")), *dicts(wanted.get("messages"))):
        role = as_str(turn.get("role"))
        if role is not None:
            yield Message(_ROLES.get(role.lower(), "system"), _prompt(turn.get("content") or turn.get("message")))
    # What is embedded, and what is asked of documents.
    for text in texts((wanted.get("message"), asked.get("input"), *as_list(asked.get("inputs")))):
        yield Message("user", text)


def _prompt(content: object) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(text for part in dicts(content) if (text := _part(part)))


def _part(part: Mapping[str, Any]) -> str | None:
    """``TEXT``, or a medium by its address (``IMAGE``: ``imageUrl.url``)."""
    if isinstance(part.get("text"), str):
        return as_str(part["text"])
    kind = (as_str(part.get("type")) or "").lower()
    url = as_str(as_dict(part.get(f"{kind}Url")).get("url"))
    return describe_url(kind, url) if url else describe(kind) if kind and kind != "thinking" else None


def _calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    """GENERIC: flat; COHEREV2: a function; COHERE: a name and parameters, without an id."""
    for call in dicts(message.get("toolCalls")):
        function = as_dict(call.get("function")) or call
        name = as_str(function.get("name"))
        if name is not None:
            made = function.get("parameters") if "parameters" in function else arguments(function.get("arguments"))
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=made)


def _results(wanted: Mapping[str, Any]) -> Iterator[ToolResult]:
    for turn in dicts(wanted.get("messages")):
        if turn.get("role") == "TOOL":
            yield ToolResult(as_str(turn.get("toolCallId")), _prompt(turn.get("content")))
    for result in dicts(wanted.get("toolResults")):
        yield ToolResult(None, result.get("outputs"), as_str(as_dict(result.get("call")).get("name")))
