"""Ollama's own API: chat, generate, embed; NDJSON unless ``stream`` is false.

https://github.com/ollama/ollama/blob/main/docs/api.md. The line with ``done: true`` has the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from .._models import LLMCall, Message, ToolCall, ToolResult, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ._media import describe_base64
from ._usage import later

_COUNTS = ("prompt_eval_count", "eval_count")
_ROLES = {"user": "user", "assistant": "assistant", "tool": "tool"}


class _Format(Struct, frozen=True):
    name: str
    operation: str
    framing: str = "ndjson"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return _fold(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        options = as_dict(asked.get("options"))
        message = as_dict(body.get("message"))
        text = message.get("content") if message else body.get("response")
        call = LLMCall(
            provider=request.provider,
            operation=self.operation,
            requested_model=as_str(asked.get("model")),
            model=as_str(body.get("model")),
            usage=Usage(as_count(body.get("prompt_eval_count")), as_count(body.get("eval_count"))),
            output_text=text if isinstance(text, str) else None,
            tool_calls=tuple(_tool_calls(message)),
            finish_reason=as_str(body.get("done_reason")),
            error=error_of(request, body),
            temperature=as_float(options.get("temperature")),
            max_tokens=as_count(options.get("num_predict")),
            top_p=as_float(options.get("top_p")),
        )
        turns = asked.get("messages")
        if self.name == "ollama.chat":
            return replace(call, messages=tuple(_messages(turns)), tool_results=tuple(_tool_results(turns)))
        return replace(call, messages=tuple(_prompt(asked)))


FORMATS = (
    _Format("ollama.chat", "chat"),
    _Format("ollama.generate", "completion"),
    _Format("ollama.embed", "embeddings"),
)


def _fold(frames: Iterable[Frame]) -> Folded:
    body: dict[str, Any] = {}
    texts: dict[str, list[str]] = {"content": [], "response": []}
    calls: list[Any] = []
    complete, first = False, None
    for frame in frames:
        line = as_dict(frame.data)
        message = as_dict(line.get("message"))
        called = as_list(message.get("tool_calls"))
        calls.extend(called)
        for name, place in (("content", message), ("response", line)):
            piece = as_str(place.get(name))
            if piece is not None:
                texts[name].append(piece)
        said = message.get("content") or message.get("thinking") or line.get("response") or line.get("thinking")
        if first is None and (said or called):
            first = frame.end
        body.update(later({name: body.get(name) for name in _COUNTS}, line, ()))
        complete = complete or line.get("done") is True
    if "message" in body:
        body["message"] = {"role": "assistant", "content": "".join(texts["content"]), "tool_calls": calls}
    if "response" in body:
        body["response"] = "".join(texts["response"])
    return Folded(body, complete, first)


def _tool_calls(message: Mapping[str, Any]) -> Iterator[ToolCall]:
    for call in dicts(message.get("tool_calls")):
        function = as_dict(call.get("function"))
        name = as_str(function.get("name"))
        if name is not None:
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=function.get("arguments"))


def _messages(turns: object) -> Iterator[Message]:
    for turn in dicts(turns):
        role = as_str(turn.get("role"))
        if role is not None:
            yield Message(_ROLES.get(role, "system"), _with_images(turn.get("content"), turn.get("images")))


def _tool_results(turns: object) -> Iterator[ToolResult]:
    asked_for: list[ToolCall] = []  # the calls of the last turn that made any; their results stand in their order
    for turn in dicts(turns):
        asked_for = list(_tool_calls(turn)) or asked_for
        if turn.get("role") == "tool":
            name = as_str(turn.get("tool_name")) or as_str(turn.get("name"))
            call = next((one for one in asked_for if name in (None, one.name)), None)
            if call is not None:
                asked_for.remove(call)
                name = call.name
            arguments = call.arguments if call is not None else None
            yield ToolResult(as_str(turn.get("tool_call_id")), turn.get("content"), name, arguments=arguments)


def _prompt(asked: Mapping[str, Any]) -> Iterator[Message]:
    system = as_str(asked.get("system"))
    if system is not None:
        yield Message("system", system)
    given = asked.get("input", asked.get("prompt"))
    for text in [given] if isinstance(given, str) else as_list(given):
        if isinstance(text, str):
            yield Message("user", _with_images(text, asked.get("images")))


def _with_images(text: object, images: object) -> str:
    parts = [text] if isinstance(text, str) and text else []
    return "\n".join([*parts, *(describe_base64("image", None, image) for image in as_list(images))])
