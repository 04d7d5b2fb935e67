"""Gemini's generateContent, on the Gemini API and on Vertex AI.

https://ai.google.dev/api/generate-content. A stream is made of responses, each with a piece of the parts: SSE with
``alt=sse``, else one JSON array. Its end has no frame of its own: ``finishReason`` is the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, ToolCall
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._google import USAGE, camel_case, messages, parts, pick, read_usage, requested_model, tool_results
from ._google_partial import PartialCall, started
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ._usage import later

#: Numbers of google.ai.generativelanguage v1beta ``Candidate.FinishReason`` and ``PromptFeedback.BlockReason``.
_FINISH = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY"),
)
_BLOCK = ("BLOCK_REASON_UNSPECIFIED", "SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")

#: A part of a stream, the texts of it that came so far, and the call it is when that came in pieces.
_Piece = tuple[Mapping[str, Any], list[str], PartialCall | None]


class _Generate:
    name = "google.generate"
    framing = "array"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return _fold(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        settings = as_dict(pick(asked, "generationConfig"))
        usage = as_dict(pick(body, "usageMetadata"))
        candidate = _first_candidate(body)
        given = parts(candidate.get("content"))
        return LLMCall(
            provider=request.provider,
            operation="chat",
            requested_model=requested_model(request),
            model=as_str(pick(body, "modelVersion")),
            usage=read_usage(usage),
            messages=tuple(messages(asked)),
            tool_results=tuple(tool_results(asked)),
            output_text=_text(given),
            tool_calls=(*_tool_calls(given), *_grounding(candidate)),
            finish_reason=_finish_reason(candidate) or _block_reason(body),
            response_id=as_str(pick(body, "responseId")),
            error=error_of(request, body),
            temperature=as_float(settings.get("temperature")),
            max_tokens=as_count(pick(settings, "maxOutputTokens")),
            top_p=as_float(pick(settings, "topP")),
            service_tier=as_str(pick(usage, "serviceTier")),
        )


FORMATS = (_Generate(),)
#: Parts after a tool's call among which its result is looked for; it stands right behind it.
_NEAR = 64


def _first_candidate(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = sorted(dicts(body.get("candidates")), key=lambda candidate: as_count(candidate.get("index")) or 0)
    return found[0] if found else {}


def _finish_reason(candidate: Mapping[str, Any]) -> str | None:
    return _enum(pick(candidate, "finishReason"), _FINISH)


def _block_reason(body: Mapping[str, Any]) -> str | None:
    """Why the prompt was refused; there is no candidate then."""
    return _enum(pick(as_dict(pick(body, "promptFeedback")), "blockReason"), _BLOCK)


def _enum(value: object, names: tuple[str, ...]) -> str | None:
    """An enum's name, also where it came as a number; 0 is *unspecified*, which is no answer."""
    if isinstance(value, int) and not isinstance(value, bool):
        return names[value] if 0 < value < len(names) else str(value) if value else None
    return as_str(value)


def _text(given: list[Mapping[str, Any]]) -> str | None:
    texts = [part["text"] for part in given if isinstance(part.get("text"), str) and part.get("thought") is not True]
    return "".join(texts) if texts else None


def _tool_calls(given: list[Mapping[str, Any]]) -> Iterator[ToolCall]:
    """Function calls, and what Google ran: code, and tools it tells by ``toolCall`` and ``toolResponse`` parts."""
    for position, part in enumerate(given):
        call = as_dict(pick(part, "functionCall"))
        code, tool = as_dict(pick(part, "executableCode")), as_dict(pick(part, "toolCall"))
        name, kind = as_str(call.get("name")), as_str(pick(tool, "toolType"))
        if name is not None:
            yield ToolCall(name=name, id=as_str(call.get("id")), arguments=call.get("args"))
        elif code:
            yield _code_run(code, given[position + 1 : position + 1 + _NEAR])
        elif kind is not None:
            ident = as_str(tool.get("id"))
            result = _answer(given[position : position + _NEAR], "toolResponse", ident)
            kind = kind.lower()
            yield ToolCall(kind, ident, tool.get("args"), kind, True, result.get("response"))


def _code_run(code: Mapping[str, Any], later: list[Mapping[str, Any]]) -> ToolCall:
    """A run and its results: what it wrote before it failed is one of them."""
    ident = as_str(code.get("id"))
    results = list(_results(later, ident))
    outcomes = [outcome for result in results if (outcome := result.get("outcome")) is not None]
    # Outcome: 1 OK, 2 FAILED, 3 DEADLINE_EXCEEDED.
    success = all(outcome in ("OUTCOME_OK", 1) for outcome in outcomes) if outcomes else None
    outputs = [result["output"] for result in results if isinstance(result.get("output"), str)]
    made, output = {"code": code.get("code")}, "".join(outputs) if outputs else None
    return ToolCall("code_execution", ident, made, "code_execution", True, output, success)


def _results(later: list[Mapping[str, Any]], ident: str | None) -> Iterator[Mapping[str, Any]]:
    for part in later:
        if pick(part, "executableCode"):
            return
        result = as_dict(pick(part, "codeExecutionResult"))
        if result and (ident is None or result.get("id") in (None, ident)):
            yield result


def _answer(given: list[Mapping[str, Any]], name: str, ident: str | None) -> Mapping[str, Any]:
    """The first result among the parts; where results have ids, the one of this call."""
    found = (as_dict(pick(part, name)) for part in given)
    return next((one for one in found if one and (ident is None or one.get("id") in (None, ident))), {})


def _grounding(candidate: Mapping[str, Any]) -> Iterator[ToolCall]:
    """Google Search as told by ``groundingMetadata``: only its queries are known; and pages that were read."""
    queries = as_list(pick(as_dict(pick(candidate, "groundingMetadata")), "webSearchQueries"))
    if queries:
        yield ToolCall("google_search", None, {"queries": list(queries)}, "google_search", executed=True)
    pages = list(dicts(pick(as_dict(pick(candidate, "urlContextMetadata")), "urlMetadata")))
    if pages:
        urls = [as_str(pick(page, "retrievedUrl")) for page in pages]
        ended = [as_str(pick(page, "urlRetrievalStatus")) or "" for page in pages]
        success = all(status.endswith("_SUCCESS") for status in ended)
        yield ToolCall("url_context", None, {"urls": urls}, "url_context", True, pages, success)


def _fold(frames: Iterable[Frame]) -> Folded:
    """Merge the responses: text parts of a kind run together, counts are cumulative, the last word stands."""
    body: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    given: dict[int, list[_Piece]] = {}
    complete, first = False, None
    for frame in frames:
        chunk = as_dict(frame.data)
        body.update({name: value for name, value in chunk.items() if name != "candidates" and value is not None})
        usage = later(usage, camel_case(as_dict(pick(chunk, "usageMetadata"))), USAGE)
        for position, piece in enumerate(dicts(chunk.get("candidates"))):
            index = as_count(piece.get("index"))
            index = position if index is None else index
            known = candidates.setdefault(index, {"index": index})
            known.update({name: value for name, value in piece.items() if name not in ("content", "index") and value})
            for part in parts(piece.get("content")):
                if first is None and (part.get("text") or pick(part, "functionCall") or pick(part, "inlineData")):
                    first = frame.end
                _merge(given.setdefault(index, []), part)
        complete = (
            complete or any(map(_finish_reason, dicts(chunk.get("candidates")))) or _block_reason(chunk) is not None
        )
    for index, known in candidates.items():
        known["content"] = {"role": "model", "parts": [_joined(*piece) for piece in given.get(index, [])]}
    body["candidates"] = [candidates[index] for index in sorted(candidates)]
    body["usageMetadata"] = usage
    body.pop("usage_metadata", None)
    return Folded(body, complete, first)


def _merge(known: list[_Piece], part: Mapping[str, Any]) -> None:
    """Append a part, or what it holds to the part before it: text of the same kind, or more of the same call."""
    text, call = part.get("text"), pick(part, "functionCall")
    last = known[-1] if known else None
    if isinstance(call, Mapping):
        if last is not None and last[2] is not None and as_str(call.get("name")) is None:
            last[2].add(call)
        else:
            known.append((part, [], started(call)))
    elif not isinstance(text, str):
        known.append((part, [], None))
    elif last is not None and last[1] and bool(last[0].get("thought")) == bool(part.get("thought")):
        last[1].append(text)
    else:
        known.append((part, [text], None))


def _joined(part: Mapping[str, Any], texts: list[str], call: PartialCall | None) -> Mapping[str, Any]:
    if call is not None:
        return call.part()
    return {**part, "text": "".join(texts)} if texts else part
