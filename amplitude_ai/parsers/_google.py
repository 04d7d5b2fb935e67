"""What Google's formats have in common: two spellings, usage, contents, modalities, errors.

Types: google-genai ``types.py`` (``GenerateContentResponse``, ``GenerateContentResponseUsageMetadata``, ``Part``).
REST says camelCase, protobuf's JSON takes snake_case too and google-genai 3 sends a mixture, so every field is looked
up in both. google-generativeai asks for enums as numbers (``$alt=json;enum-encoding=int``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from .._models import Message, ToolResult, Usage
from .._pattern import lazy_pattern
from ._format import WireRequest
from ._json import add_counts, as_count, as_dict, as_list, as_str, dicts
from ._media import describe, describe_base64
from ._usage import Group

_MODEL_IN_PATH = lazy_pattern(r"/(?:publishers/[^/]+/models|models)/([^/:]+):|/((?:tunedModels|endpoints)/[^/:]+):")
_ROLES = {"user": "user", "model": "assistant", "function": "tool", "tool": "tool"}

#: Numbers of google.ai.generativelanguage v1beta enums.
_MODALITIES = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
#: (direction, modality) -> the unit's name in genai-prices. Text is what remains.
_UNITS = {
    ("input", "AUDIO"): "input_audio_tokens",
    ("input", "IMAGE"): "input_image_tokens",
    ("input", "VIDEO"): "input_video_tokens",
    ("output", "AUDIO"): "output_audio_tokens",
    ("output", "IMAGE"): "output_image_tokens",
    ("cached", "AUDIO"): "cache_audio_read_tokens",
}


@cache
def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: "_" + match.group().lower(), name)


def pick(source: Mapping[str, Any], name: str) -> Any:
    """A field by its camelCase name, in either spelling; ``None`` when it is not there."""
    value = source.get(name)
    return source.get(_snake(name)) if value is None else value


#: What of ``usageMetadata`` belongs together.
USAGE = (
    Group(
        ("promptTokenCount", "toolUsePromptTokenCount"),
        ("promptTokensDetails", "toolUsePromptTokensDetails", "cachedContentTokenCount", "cacheTokensDetails"),
    ),
    Group(("candidatesTokenCount", "thoughtsTokenCount"), ("candidatesTokensDetails",), grows=True),
    Group(("totalTokenCount",)),
)


def camel_case(usage: Mapping[str, Any]) -> dict[str, Any]:
    """A usage in REST's spelling, whichever it came in."""
    return {re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name): value for name, value in usage.items()}


def requested_model(request: WireRequest) -> str | None:
    """The model, tuned model or endpoint the path names, else the body."""
    matched = _MODEL_IN_PATH.search(request.path)
    if matched:
        return unquote(matched.group(1) or matched.group(2))
    named = as_str(request.body.get("model"))
    return named.removeprefix("models/") if named else None


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Normalised counts of ``usageMetadata``.

    Tool-use prompt tokens stand beside ``promptTokenCount`` and thoughts beside ``candidatesTokenCount``; their sum
    is ``totalTokenCount``. Cached tokens are part of the prompt.
    """
    thoughts = as_count(pick(usage, "thoughtsTokenCount"))
    written = as_count(pick(usage, "candidatesTokenCount"))
    return Usage(
        input_tokens=add_counts(
            as_count(pick(usage, "promptTokenCount")), as_count(pick(usage, "toolUsePromptTokenCount"))
        ),
        output_tokens=add_counts(written, thoughts),
        total_tokens=as_count(pick(usage, "totalTokenCount")),
        cached_input_tokens=as_count(pick(usage, "cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        extra=by_modality(
            input=(*dicts(pick(usage, "promptTokensDetails")), *dicts(pick(usage, "toolUsePromptTokensDetails"))),
            output=tuple(dicts(pick(usage, "candidatesTokensDetails"))),
            cached=tuple(dicts(pick(usage, "cacheTokensDetails"))),
        ),
    )


def by_modality(**directions: tuple[Mapping[str, Any], ...]) -> dict[str, int | float]:
    """Tokens that are no text, by genai-prices' unit. A detail has ``modality`` and ``tokenCount`` or ``tokens``."""
    extra: dict[str, int | float] = {}
    for direction, details in directions.items():
        for detail in details:
            modality = detail.get("modality")
            name = _MODALITIES.get(modality) if isinstance(modality, int) else as_str(modality)
            count = as_count(pick(detail, "tokenCount")) or as_count(detail.get("tokens"))
            unit = _UNITS.get((direction, (name or "").upper()))
            if unit and count:
                extra[unit] = int(extra.get(unit, 0)) + count
    return extra


def contents(given: object) -> Iterator[Mapping[str, Any]]:
    """The turns of ``contents``: REST wants a list, and takes one content, or bare text through some gateways."""
    for turn in [given] if isinstance(given, Mapping | str) else as_list(given):
        if isinstance(turn, str):
            yield {"role": "user", "parts": [{"text": turn}]}
        elif isinstance(turn, Mapping):
            yield turn


def parts(content: object) -> list[Mapping[str, Any]]:
    """The parts of a content; one part alone may stand without its list."""
    found = as_dict(content).get("parts")
    return [found] if isinstance(found, Mapping) else list(dicts(found))


def messages(asked: Mapping[str, Any]) -> Iterator[Message]:
    """The turns of a request. A turn of function responses alone is a tool's, not a person's."""
    system = pick(asked, "systemInstruction")
    if system:
        yield Message("system", system if isinstance(system, str) else prompt_text(parts(system)))
    for turn in contents(asked.get("contents")):
        given = parts(turn)
        role = _ROLES.get(as_str(turn.get("role")) or "user", "system")
        if given and all(pick(part, "functionResponse") for part in given):
            role = "tool"
        yield Message(role, prompt_text(given))


def tool_results(asked: Mapping[str, Any]) -> Iterator[ToolResult]:
    """The function responses a request carries back. Gemini's match by name where they have no id."""
    asked_for: dict[str, list[Any]] = {}  # arguments of the calls in the history, by name, that have no answer yet
    for turn in contents(asked.get("contents")):
        for part in parts(turn):
            call = as_dict(pick(part, "functionCall"))
            if as_str(call.get("name")) is not None:
                asked_for.setdefault(call["name"], []).append(call.get("args"))
            response = as_dict(pick(part, "functionResponse"))
            name = as_str(response.get("name"))
            if name is not None:
                content = response.get("response")
                # ``FunctionResponse.response``: 'Use "output" key to specify function output and "error" key ...'
                failed = isinstance(content, Mapping) and set(content) == {"error"}
                calls = asked_for.get(name)
                arguments = calls.pop(0) if calls else None
                yield ToolResult(as_str(response.get("id")), content, name, False if failed else None, arguments)


def prompt_text(given: list[Mapping[str, Any]]) -> str:
    """What a person would read of the parts, media described: one line a part. Thoughts and calls are not said."""
    return "\n".join(text for part in given if (text := _part_text(part)))


def _part_text(part: Mapping[str, Any]) -> str | None:
    if part.get("thought") is True:
        return None
    if isinstance(part.get("text"), str):
        return as_str(part["text"])
    inline, file = as_dict(pick(part, "inlineData")), as_dict(pick(part, "fileData"))
    if inline or file:
        media_type = as_str(pick(inline or file, "mimeType"))
        kind = (media_type or "").partition("/")[0]
        kind = kind if kind in ("image", "audio", "video") else "file"
        return describe_base64(kind, media_type, inline.get("data")) if inline else describe(kind, media_type)
    return None
