"""Amazon Bedrock's runtime: Converse, and ``invoke`` with each model's own body. The model is named in the path.

What is made in the background names it in the request (``async-invoke``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from .._models import LLMCall, Message, Usage
from .._pattern import lazy_pattern
from . import _bedrock_converse as converse
from ._bedrock_invoke import fold_invoke, read_invoke
from ._errors import error_of
from ._format import Folded, Frame, WireRequest, one_object
from ._json import add_counts, as_count, as_dict, as_float, as_str, dicts, header_count
from ._paths import PathRow, on

#: An id, an inference profile, or an ARN with its slash escaped or not.
_MODEL_IN_PATH = lazy_pattern(r"/model/([^/]+|arn:.+)/(?:converse|invoke)[^/]*$")
#: The resources of an ARN that name a model themselves. A profile of one's own has a random name.
_NAMED_RESOURCE = lazy_pattern(r"arn:[^/]*:(?:foundation-model|inference-profile)/(.+)$")


class _Converse:
    name = "bedrock.converse"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return converse.fold_converse(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        return _named(_read_converse(request, body), request)


class _Invoke:
    name = "bedrock.invoke"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return fold_invoke(frames, request)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        if "messages" in request.body and ("inferenceConfig" in request.body or "output" in body):
            call = _read_converse(request, body)  # Nova
        else:
            call = read_invoke(request, body)
        if call.error is None:
            call = replace(call, error=error_of(request, body))
        if request.refused:
            call = replace(call, output_text=None)  # AWS's ``message`` is where Pegasus has its answer
        return _named(replace(call, usage=_counted(call.usage, request, body)), request)


class _Async:
    """``StartAsyncInvoke``: a video, or embeddings of one, made in the background and left in a bucket.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_StartAsyncInvoke.html
    """

    name = "bedrock.async"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        given = as_dict(asked.get("modelInput"))
        embeds = "inputType" in given or "EMBEDDING" in (as_str(given.get("taskType")) or "")
        return LLMCall(
            provider=request.provider,
            operation="embeddings" if embeds else "video",
            requested_model=as_str(asked.get("modelId")),
            messages=tuple(Message("user", text) for text in _prompts(given)),
            response_id=as_str(body.get("invocationArn")),
            error=error_of(request, body),
        )


FORMATS = (_Converse(), _Invoke(), _Async())
PATHS = (PathRow(r"/async-invoke", "bedrock.async", "bedrock", on("bedrock")),)


def _prompts(given: Mapping[str, Any]) -> Iterator[str]:
    """Luma's, Nova Reel's (a text, or one for each shot), TwelveLabs'."""
    nested = ("textToVideoParams", "multiShotAutomatedParams", "text")
    shots = dicts(as_dict(given.get("multiShotManualParams")).get("shots"))
    texts = [given.get("prompt"), given.get("inputText"), *(as_dict(given.get(name)).get("text") for name in nested)]
    texts.append(as_dict(given.get("text")).get("inputText"))
    return (text for text in (*texts, *(shot.get("text") for shot in shots)) if isinstance(text, str) and text)


def _read_converse(request: WireRequest, body: Mapping[str, Any]) -> LLMCall:
    asked = as_dict(request.body)
    settings = as_dict(asked.get("inferenceConfig"))
    content = as_dict(as_dict(body.get("output")).get("message")).get("content")
    return LLMCall(
        provider=request.provider,
        operation="chat",
        usage=converse.read_usage(as_dict(body.get("usage"))),
        messages=tuple(converse.messages(asked)),
        tool_results=tuple(converse.tool_results(asked.get("messages"))),
        output_text=converse.output_text(content),
        tool_calls=tuple(converse.tool_calls(content)),
        finish_reason=as_str(body.get("stopReason")),
        error=error_of(request, body),
        temperature=as_float(settings.get("temperature")),
        max_tokens=as_count(settings.get("maxTokens")),
        top_p=as_float(settings.get("topP")),
        service_tier=as_str(as_dict(body.get("serviceTier")).get("type")),
    )


def _named(call: LLMCall, request: WireRequest) -> LLMCall:
    """With the model of the path. Few answers name one (Anthropic's); a request that failed reached none."""
    matched = _MODEL_IN_PATH.search(request.path)
    named = unquote(matched.group(1)) if matched else None
    answered = request.status is not None and not request.refused
    model = (call.model or named) if answered else None
    resource = _NAMED_RESOURCE.match(named or "")
    return replace(
        call,
        requested_model=named or call.requested_model,
        model=model,
        price_model=resource.group(1) if resource and call.model is None else call.price_model,
    )


def _counted(usage: Usage, request: WireRequest, body: Mapping[str, Any]) -> Usage:
    """With the counts Bedrock itself gives, where the model's body has none: headers, or a stream's last frame."""
    metrics = as_dict(body.get("amazon-bedrock-invocationMetrics"))
    headers = request.response_headers
    if usage.input_tokens is None:
        read, written = (as_count(metrics.get(f"cache{what}InputTokenCount")) for what in ("Read", "Write"))
        given = as_count(metrics.get("inputTokenCount"))
        given = header_count(headers, "x-amzn-bedrock-input-token-count") if given is None else given
        if given is not None:
            total = add_counts(given, read, written)
            usage = replace(usage, input_tokens=total, cached_input_tokens=read, cache_write_tokens=written)
    if usage.output_tokens is None:
        given = as_count(metrics.get("outputTokenCount"))
        given = header_count(headers, "x-amzn-bedrock-output-token-count") if given is None else given
        usage = replace(usage, output_tokens=given)
    return usage
