"""Cloudflare's Workers AI: ``/ai/run/{model}``. https://developers.cloudflare.com/workers-ai/models/

Chats, prompts, embeddings, speech and images by one door; the answer is in ``result``, of the model's own shape: a
``response`` (a stream's pieces have it too), OpenAI's ``choices`` or ``output``, ``data``, ``text``, ``image``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from msgspec.structs import replace

from .._models import CallError, LLMCall, Message, ToolCall
from .._pattern import lazy_pattern
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_dict, as_list, as_str, as_text, dicts
from ._media import describe_base64
from ._openai import base_call, find_error, prompt_text
from ._paths import PathRow, on
from .openai_chat import FORMAT as CHAT
from .openai_responses import FORMAT as RESPONSES

_MODEL_IN_PATH = lazy_pattern(r"/(@[^/]+/.+)$")
#: Where the models put a text.
_TEXTS = ("response", "text", "translated_text", "summary", "description")
#: What was asked for, by a member of the answer.
_ANSWERS = {"data": "embeddings", "image": "image", "transcription_info": "audio", "vtt": "audio", "audio": "audio"}


class _Run:
    name = "cloudflare.run"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        pieces = iter(frames)
        first = next(pieces, None)
        if first is None:
            return Folded({}, False)
        every, opening = chain((first,), pieces), as_dict(first.data)
        for wire, member in ((CHAT, "choices"), (RESPONSES, "type")):
            if member in opening:
                folded = wire.fold(every, request)
                error = folded.body.pop("error", None)
                body = {"result": folded.body, **({"error": error} if error else {})}
                return replace(folded, body=body)
        return _fold(every)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        result = as_dict(body.get("result"))
        matched = _MODEL_IN_PATH.search(request.path)
        model = matched.group(1) if matched else None
        error = _error(request, body)
        wire = CHAT if "choices" in result else RESPONSES if "output" in result else None
        call = wire.parse(request, result) if wire is not None else None
        if call is not None:
            return replace(call, requested_model=model, error=error or call.error)
        made = ((as_str(one.get("name")), one) for one in dicts(result.get("tool_calls")))
        return replace(
            base_call(request, {**body, "usage": result.get("usage")}, _operation(asked, result), error),
            requested_model=model,
            messages=tuple(_messages(asked)),
            output_text=_text(result),
            tool_calls=tuple(ToolCall(name, None, arguments(one.get("arguments"))) for name, one in made if name),
        )


FORMATS = (_Run(),)
PATHS = (
    PathRow(r".*/(?:ai/run|workers-ai)/@.+", "cloudflare.run", "cloudflare", on("cloudflare", "cloudflare_gateway")),
)


def _fold(frames: Iterable[Frame]) -> Folded:
    result: dict[str, Any] = {}
    body: dict[str, Any] = {"result": result}
    texts: list[str] = []
    done, first = False, None
    for frame in frames:
        event = as_dict(frame.data)
        done = done or frame.data == "[DONE]"
        if event.get("error"):
            body["error"] = event["error"]
        text = as_str(event.get("response"))
        if text is not None:
            texts.append(text)
            first = frame.end if first is None else first
        result.update({name: event[name] for name in ("usage", "tool_calls") if event.get(name)})
    if texts:
        result["response"] = "".join(texts)
    return Folded(body, done, first)


def _text(result: Mapping[str, Any]) -> str | None:
    """The text; an object where one was asked for (JSON mode); an image described."""
    if as_str(result.get("image")):
        return describe_base64("image", None, result["image"])
    if isinstance(result.get("response"), Mapping):
        return as_text(result["response"])
    return next((result[name] for name in _TEXTS if isinstance(result.get(name), str)), None)


def _operation(asked: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    if "messages" in asked:
        return "chat"
    if "contexts" in asked:
        return "rerank"
    told = next((operation for name, operation in _ANSWERS.items() if name in result), None)
    if told is not None:
        return told
    return "embeddings" if "text" in asked and not _text(result) else "completion"


def _messages(asked: Mapping[str, Any]) -> Iterable[Message]:
    for turn in dicts(asked.get("messages")):
        role = as_str(turn.get("role")) or "user"
        yield Message(role if role in ("user", "assistant", "tool") else "system", prompt_text(turn.get("content")))
    given = [asked.get(name) for name in ("prompt", "query", "input_text")]
    given += [asked["text"]] if isinstance(asked.get("text"), str) else as_list(asked.get("text"))
    for text in given:
        if isinstance(text, str):
            yield Message("user", text)


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """``{"success": false, "errors": [{"code", "message"}]}``."""
    told = next(iter(dicts(body.get("errors"))), None)
    if told is None:
        return find_error(request, body)
    code = told.get("code")
    return CallError(None if code is None else str(code), as_str(told.get("message")))
