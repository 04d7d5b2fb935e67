"""GigaChat's second chat. (Its first is OpenAI's, with ``function_call`` and arguments that are an object.)

gigachat ``models/chat_completions.py``, and its recordings (``tests/integration/cassettes``). ``messages`` both ways,
of parts with no type: ``text``, ``function_call``, ``function_result``. A stream is events, the last of which
(``response.message.done``) has the reason and the counts. Calls have no ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message, ToolCall, ToolResult
from ._format import Folded, Frame, WireRequest
from ._json import arguments, as_count, as_dict, as_float, as_str, dicts
from ._openai import USAGE, base_call, find_error
from ._paths import PathRow, on
from ._usage import later

_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool"}


class _Chat:
    name = "gigachat.chat"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        usage: dict[str, Any] = {}
        parts: list[Mapping[str, Any]] = []
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            usage = later(usage, event.get("usage"), USAGE)
            body.update({name: value for name, value in event.items() if value and name != "messages"})
            found = list(_parts(event))
            parts += found
            if first is None and any(part.get("text") or part.get("function_call") for part in found):
                first = frame.end
            complete = complete or frame.event == "response.message.done" or bool(event.get("finish_reason"))
        return Folded({**body, "usage": usage, "messages": [{"content": parts}]}, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        options = as_dict(asked.get("model_options"))
        parts = list(_parts(body))
        texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
        reasons = [body.get("finish_reason"), *(turn.get("finish_reason") for turn in dicts(body.get("messages")))]
        return replace(
            base_call(request, body, "chat", find_error(request, body)),
            messages=tuple(_messages(asked)),
            tool_results=tuple(_results(asked)),
            output_text="".join(texts) if texts else None,
            tool_calls=tuple(_calls(parts)),
            finish_reason=next((reason for reason in reasons if as_str(reason)), None),
            response_id=as_str(body.get("message_id")),
            temperature=as_float(options.get("temperature")),
            max_tokens=as_count(options.get("max_tokens")),
            top_p=as_float(options.get("top_p")),
        )


FORMATS = (_Chat(),)
PATHS = (PathRow(r"(?:/api)?/v2/chat/completions", "gigachat.chat", "gigachat", on("gigachat")),)


def _parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for turn in dicts(body.get("messages")):
        yield from _content(turn)


def _content(turn: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A text alone is one part."""
    content = turn.get("content")
    yield from [{"text": content}] if isinstance(content, str) else dicts(content)


def _calls(parts: Iterable[Mapping[str, Any]]) -> Iterator[ToolCall]:
    for part in parts:
        call = as_dict(part.get("function_call"))
        name = as_str(call.get("name"))
        if name is not None:
            yield ToolCall(name=name, arguments=arguments(call.get("arguments")))


def _messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    for turn in dicts(asked.get("messages")):
        role = as_str(turn.get("role"))
        if role is not None:
            texts = (part.get("text") for part in _content(turn))
            said = "\n".join(text for text in texts if isinstance(text, str))
            yield Message(_ROLES.get(role, "system"), said)


def _results(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    for turn in dicts(asked.get("messages")):
        for part in _content(turn):
            result = as_dict(part.get("function_result"))
            if as_str(result.get("name")):
                yield ToolResult(None, result.get("result"), as_str(result.get("name")))
