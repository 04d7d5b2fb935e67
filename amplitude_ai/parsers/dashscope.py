"""Alibaba's DashScope API: Qwen's text, vision, speech, embeddings and reranking by one envelope; applications too.

https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope. ``{"model", "input", "parameters"}`` in, ``{"output",
"usage", "request_id"}`` out. A stream's events repeat the answer so far, unless ``incremental_output`` was asked for;
an error lies flat in the body, or in an event of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, ToolResult, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import add_counts, as_count, as_dict, as_float, as_list, as_str, dicts, texts
from ._media import describe_url
from ._openai import USAGE
from ._openai_chat_fold import fold as fold_chat
from ._paths import PathRow, on
from ._repeats import grows as repeats
from ._usage import later
from .openai_chat import tool_calls

_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool"}
_MEDIA = ("image", "audio", "video", "file")
_OPERATIONS = {"embeddings": "embeddings", "rerank": "rerank", "aigc": "image", "audio": "audio"}


class _Generation:
    name = "dashscope.generation"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        every = list(frames)
        events = [as_dict(frame.data) for frame in every]
        told = as_dict(request.body.get("parameters")).get("incremental_output")
        grows = told is not True and repeats([text for event in events if (text := _text(event))])
        body: dict[str, Any] = {}
        usage: dict[str, Any] = {}
        for event in events:
            body.update({name: value for name, value in event.items() if name != "error" or value})
            usage = later(usage, event.get("usage"), USAGE)
        chunks = [frame for frame in every if _choices(frame)]
        if chunks:
            folded = fold_chat(
                Frame(frame.event, {"choices": [_as_chunk(one, grows) for one in _choices(frame)]}, frame.end)
                for frame in (chunks[-1:] if grows else chunks)
            )
            ended = any(_ended(as_dict(one).get("finish_reason")) for one in as_list(folded.body.get("choices")))
            output = {**as_dict(body.get("output")), "choices": folded.body.get("choices")}
            first = next((frame.end for frame in chunks if any(_has_text(one) for one in _choices(frame))), None)
        else:
            texts = [as_dict(event.get("output")).get("text") for event in events]
            said = [text for text in texts if isinstance(text, str)]
            output = {**as_dict(body.get("output")), "text": "".join(said[-1:] if grows else said)} if said else {}
            ended = _ended(as_dict(body.get("output")).get("finish_reason"))
            first = next((frame.end for frame, text in zip(every, texts, strict=True) if text), None)
        body = {**body, "output": output, "usage": usage}
        return Folded(body, ended, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        given, settings = as_dict(asked.get("input")), as_dict(asked.get("parameters"))
        output = as_dict(body.get("output"))
        choice: Mapping[str, Any] = next(iter(dicts(output.get("choices"))), {})
        message = as_dict(choice.get("message"))
        text = _text(body)
        return LLMCall(
            provider=request.provider,
            operation=_operation(request.path),
            requested_model=as_str(asked.get("model")),
            model=_of_the_app(as_dict(body.get("usage"))),
            usage=_usage(as_dict(body.get("usage"))),
            messages=tuple(_messages(given)),
            tool_results=tuple(_results(given.get("messages"))),
            output_text=text,
            tool_calls=tuple(tool_calls(message)),
            finish_reason=_reason(choice.get("finish_reason") or output.get("finish_reason")),
            response_id=as_str(body.get("request_id")),
            error=_error(request, body),
            temperature=as_float(settings.get("temperature")),
            max_tokens=as_count(settings.get("max_tokens")),
            top_p=as_float(settings.get("top_p")),
        )


FORMATS = (_Generation(),)
PATHS = (
    PathRow(
        r"/api/v1/services/(?:aigc|embeddings|rerank|audio)/[^/]+/[^/]+",
        "dashscope.generation",
        "dashscope",
        on("dashscope"),
    ),
    PathRow(r"/api/v1/apps/[^/]+/completion", "dashscope.generation", "dashscope", on("dashscope")),
)


def _text(body: Mapping[str, Any]) -> str | None:
    output = as_dict(body.get("output"))
    choice: Mapping[str, Any] = next(iter(dicts(output.get("choices"))), {})
    message = as_dict(choice.get("message"))
    text = _visible(message.get("content")) if message else output.get("text")
    return text if isinstance(text, str) else None


def _choices(frame: Frame) -> list[Mapping[str, Any]]:
    return list(dicts(as_dict(as_dict(frame.data).get("output")).get("choices")))


def _as_chunk(choice: Mapping[str, Any], grows: bool) -> dict[str, Any]:
    """A choice as a chunk of OpenAI's: a piece, or a whole message that stands for all before it."""
    message = dict(as_dict(choice.get("message")))
    message["content"] = _visible(message.get("content"))
    return {"index": 0, "message" if grows else "delta": message, "finish_reason": _reason(choice.get("finish_reason"))}


def _has_text(choice: Mapping[str, Any]) -> bool:
    message = as_dict(choice.get("message"))
    return bool(message.get("content") or message.get("tool_calls") or message.get("reasoning_content"))


def _ended(reason: object) -> bool:
    return _reason(reason) is not None


def _reason(reason: object) -> str | None:
    """While it writes, the reason is the text ``null``."""
    return None if reason == "null" else as_str(reason)


def _visible(content: object) -> str | None:
    """A text, or a vision model's parts (``{"text": ...}``)."""
    if isinstance(content, str):
        return content
    texts = [part["text"] for part in dicts(content) if isinstance(part.get("text"), str)]
    return "".join(texts) if texts else None


def _operation(path: str) -> str:
    service, _, task = path.partition("/services/")[2].partition("/")
    if service == "aigc" and ("generation/generation" in task and "image" not in task):
        return "chat"
    return "video" if "video" in task else _OPERATIONS.get(service, "chat")


def _of_the_app(usage: Mapping[str, Any]) -> str | None:
    """The model an application used, where it was one."""
    names = {as_str(one.get("model_id")) for one in dicts(usage.get("models"))}
    return names.pop() if len(names) == 1 else None


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Generation says ``input_tokens`` and ``output_tokens``, embeddings and reranking the total: all they read."""
    models = list(dicts(usage.get("models")))
    if models:  # an application's: what each of its models did
        return Usage(
            add_counts(*(as_count(one.get("input_tokens")) for one in models)),
            add_counts(*(as_count(one.get("output_tokens")) for one in models)),
        )
    inputs = as_dict(usage.get("prompt_tokens_details"))
    outputs = as_dict(usage.get("output_tokens_details"))
    read, written = as_count(usage.get("input_tokens")), as_count(usage.get("output_tokens"))
    total = as_count(usage.get("total_tokens"))
    return Usage(
        input_tokens=total if read is None and written is None else read,
        output_tokens=written,
        total_tokens=total,
        cached_input_tokens=as_count(inputs.get("cached_tokens")),
        reasoning_tokens=as_count(outputs.get("reasoning_tokens")),
    )


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """``{"code", "message", "request_id"}``; the code is a word."""
    told = as_dict(body.get("error")) or body
    code = as_str(told.get("code"))
    if code is not None:
        return CallError(code, as_str(told.get("message")), code)
    return error_of(request, body)


def _messages(given: Mapping[str, Any]) -> Iterator[Message]:
    for turn in dicts(given.get("messages")):
        role = as_str(turn.get("role"))
        if role is not None:
            yield Message(_ROLES.get(role, "system"), _prompt(turn.get("content")))
    embedded = as_list(given.get("texts")) or [one.get("text") for one in dicts(given.get("contents"))]
    for text in texts((given.get("prompt"), given.get("query"), given.get("text"), *embedded)):
        yield Message("user", text)


def _prompt(content: object) -> str:
    if isinstance(content, str):
        return content
    lines = []
    for part in dicts(content):
        shown = [describe_url(kind, part[kind]) for kind in _MEDIA if part.get(kind)]
        lines.extend(shown or [part["text"]] if shown or isinstance(part.get("text"), str) else [])
    return "\n".join(lines)


def _results(turns: object) -> Iterator[ToolResult]:
    for turn in dicts(turns):
        if turn.get("role") == "tool":
            yield ToolResult(as_str(turn.get("tool_call_id")), _prompt(turn.get("content")), as_str(turn.get("name")))
