"""What OpenAI's formats have in common: usage, cost, errors, content parts and the request's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._models import CallError, LLMCall, Usage
from .._pattern import lazy_pattern
from ._errors import read_error
from ._format import WireRequest
from ._json import add_counts, as_count, as_dict, as_float, as_list, as_str, as_text
from ._media import describe, describe_base64, describe_url
from ._residency import host_factor
from ._usage import Group
from .compatible import SELLER, Quirks, price_provider, quirks

#: Azure names the model in the path (openai ``lib/azure.py``), Databricks the endpoint; Fireworks that of an image.
_MODEL_IN_PATH = lazy_pattern(
    r"/(?:deployments|serving-endpoints)/([^/]+)/"
    r"|/inference/v1/(?:workflows|image_generation)/(.+?)(?:/text_to_image)?/?$"
)

#: ``usage`` detail -> the unit's name in genai-prices.
_INPUT_EXTRA = {
    "audio_tokens": "input_audio_tokens",
    "image_tokens": "input_image_tokens",
    "video_tokens": "input_video_tokens",
}
_OUTPUT_EXTRA = {"audio_tokens": "output_audio_tokens", "image_tokens": "output_image_tokens"}

#: What of a usage belongs together in a stream that tells it more than once.
USAGE = (
    Group(
        ("prompt_tokens",),
        ("prompt_tokens_details", "prompt_token_details", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens"),
    ),
    Group(("input_tokens",), ("input_tokens_details", "input_token_details")),
    Group(("completion_tokens",), ("completion_tokens_details", "completion_token_details"), grows=True),
    Group(("output_tokens",), ("output_tokens_details", "output_token_details"), grows=True),
    Group(("total_tokens",)),
)


def base_call(request: WireRequest, body: Mapping[str, Any], operation: str, error: CallError | None) -> LLMCall:
    """What every operation says: models, usage, cost, settings, error."""
    asked = as_dict(request.body)
    how = quirks(request.provider)
    requested = requested_model(request)
    usage = as_dict(body.get("usage"))
    return LLMCall(
        provider=request.provider,
        operation=operation,
        requested_model=requested,
        model=_model(body),
        usage=read_usage(usage, how),
        response_id=as_str(body.get("id")),
        error=error,
        temperature=as_float(asked.get("temperature")),
        top_p=as_float(asked.get("top_p")),
        # "auto" is what was asked for; the tier that served the call replaces it once it is known.
        service_tier=None if body.get("service_tier") == "auto" else as_str(body.get("service_tier")),
        reported_cost_usd=read_cost(usage, how),
        price_factor=host_factor(request.provider, request.host, _model(body) or requested),
        price_model=requested if how.price_by_requested and body.get("model") else None,
        price_provider=price_provider(request.provider, request.path, requested, request.response_headers.get(SELLER)),
    )


def _model(body: Mapping[str, Any]) -> str | None:
    """The model as the answer has it: Snowflake's is an empty string."""
    model = body.get("model")
    return model if isinstance(model, str) else None


def requested_model(request: WireRequest) -> str | None:
    """The model of the request's body, else the deployment its path names."""
    found = as_str(as_dict(request.body).get("model"))
    if found is not None:
        return found
    match = _MODEL_IN_PATH.search(request.path)
    return match.group(1) or match.group(2) if match else None


#: How an answer that is fetched says that it is not there yet.
_PENDING = frozenset({"queued", "in_progress", "cancelling", "pending", "created", "started", "processing"})


def is_pending(request: WireRequest, body: Mapping[str, Any]) -> bool:
    """Whether this reads back what has not ended: no call of a model, and not yet the end of one."""
    status = body.get("status") or body.get("task_status")  # Z.ai's
    ends = request.status != 202 and str(status).lower() not in _PENDING
    return request.method == "GET" and not ends and not body.get("error")


def find_error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """The error of a refused request, or the one inside a 200."""
    base = as_dict(body.get("base_resp"))  # MiniMax refuses with 200 (https://platform.minimax.io/docs/api-reference)
    if base.get("status_code"):
        return CallError(str(base["status_code"]), as_str(base.get("status_msg")), str(base["status_code"]))
    # vLLM's error object lies flat in the body (vllm ``entrypoints/openai/protocol.py``, ErrorResponse).
    if not request.refused and not body.get("error") and body.get("object") != "error":
        return None
    return read_error(body, request.response_headers)


def read_usage(usage: Mapping[str, Any], how: Quirks) -> Usage:
    """Normalised counts of a chat (openai ``types/completion_usage.py``) or Responses (``response_usage.py``) usage.

    Cached and written tokens are in the input, reasoning is in the output, as everywhere in this package.
    """
    inputs = as_dict(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    # Transcriptions and runs spell it in the singular (openai ``types/audio/transcription.py``).
    inputs = inputs or as_dict(usage.get("input_token_details") or usage.get("prompt_token_details"))
    outputs = as_dict(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    outputs = outputs or as_dict(usage.get("output_token_details") or usage.get("completion_token_details"))
    input_tokens = _first(usage, "prompt_tokens", "input_tokens")
    output_tokens = as_count(usage.get("completion_tokens"))
    total = as_count(usage.get("total_tokens"))
    reasoning = _first(outputs, "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(usage, "reasoning_tokens")
    if output_tokens is None:
        output_tokens = as_count(usage.get("output_tokens"))
    else:
        output_tokens = _with_left_out(usage, how, input_tokens, output_tokens, reasoning)
        if total is not None and input_tokens is not None and total < input_tokens + output_tokens:
            total = None  # it leaves out what was just put in
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=total,
        cached_input_tokens=_cached(usage, inputs),
        cache_write_tokens=_written(usage, inputs),
        reasoning_tokens=reasoning,
        extra=dict(_extra(usage, inputs, outputs)),
    )


def _with_left_out(
    usage: Mapping[str, Any], how: Quirks, inputs: int | None, outputs: int, reasoning: int | None
) -> int:
    """A chat's output tokens, with the billed ones that ``completion_tokens`` leaves out."""
    if how.reasoning_excluded and reasoning:
        # xAI's own total counts reasoning. Where it does not, reasoning is already inside.
        total = as_count(usage.get("total_tokens"))
        if total is None or inputs is None or total > inputs + outputs:
            outputs += reasoning
    return outputs + (add_counts(*(as_count(usage.get(name)) for name in how.added_output)) or 0)


def _cached(usage: Mapping[str, Any], details: Mapping[str, Any]) -> int | None:
    # Perplexity's Responses usage has Anthropic's name for it.
    found = _first(details, "cached_tokens", "cache_read_input_tokens")
    if found:
        return found
    # A zero there may only say that nothing was told (litellm#11364). At the top level it stands with DeepSeek
    # (prompt_cache_hit_tokens), Databricks and LiteLLM (cache_read_input_tokens), Moonshot and Together
    # (cached_tokens) and Mistral (num_cached_tokens). All are part of prompt_tokens.
    above = _first(usage, "prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens", "num_cached_tokens")
    return found if above is None else above


def _written(usage: Mapping[str, Any], details: Mapping[str, Any]) -> int | None:
    found = _first(details, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")
    above = None if found else _first(usage, "cache_creation_input_tokens")  # Databricks, LiteLLM
    return found if above is None else above


def _extra(
    usage: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Iterator[tuple[str, int | float]]:
    for details, names in ((inputs, _INPUT_EXTRA), (outputs, _OUTPUT_EXTRA)):
        for name, unit in names.items():
            count = as_count(details.get(name))
            if count:
                yield unit, count
    searches = as_count(usage.get("num_search_queries"))  # Perplexity
    if searches:
        yield "web_searches", searches
    citations = as_count(usage.get("citation_tokens"))
    if citations:
        yield "output_citation_tokens", citations


def _first(source: Mapping[str, Any], *names: str) -> int | None:
    if source:
        for name in names:
            if (count := as_count(source.get(name))) is not None:
                return count
    return None


def read_cost(usage: Mapping[str, Any], how: Quirks) -> float | None:
    """What the provider says the call cost, in USD."""
    cost = _at(usage, how.cost_path) if how.cost_path else None
    if cost is None or cost < 0:
        return None
    upstream = _at(usage, how.byok_cost_path) if how.byok_cost_path and usage.get("is_byok") is True else None
    return cost * how.cost_unit + (upstream or 0.0)


def _at(usage: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    value: object = usage
    for name in path:
        value = as_dict(value).get(name)
    return as_float(value)


def visible_text(content: object) -> str | None:
    """What the model wrote for people: a string, or the text parts of a list (Mistral), without separator.

    Cloudflare gives the object itself where one was asked for (``response_format``).
    """
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return _part_text(content) if "type" in content else as_text(content)
    texts = [text for part in as_list(content) if (text := _part_text(part)) is not None]
    return "".join(texts) if texts else None


def _part_text(part: object) -> str | None:
    if isinstance(part, str):
        return part
    # "text": chat and Mistral; "output_text": Responses. Thinking parts are no answer.
    found = as_dict(part)
    text = found.get("text")
    return text if isinstance(text, str) and found.get("type", "text") in ("text", "output_text") else None


def prompt_text(content: object) -> str:
    """What a person would read of a message's content, media described: one line a part."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else [content]
    return "\n".join(text for part in parts if (text := _prompt_part(part)))


def _prompt_part(part: object) -> str | None:
    """One part: chat ``ChatCompletionContentPartParam``, Responses ``ResponseInputContent``, Mistral's chunks."""
    if isinstance(part, str):
        return part
    found = as_dict(part)
    kind = as_str(found.get("type")) or ""
    if kind in ("thinking", "reasoning", "reasoning_text"):
        return None
    for name in ("text", "refusal"):
        if isinstance(found.get(name), str):
            return as_str(found[name])
    if "image" in kind:
        return _image(found)
    if "audio" in kind:
        return _audio(found)
    if "video" in kind:
        return describe_url("video", _url(found.get("video_url")))
    if "file" in kind or "document" in kind:
        return _file(found)
    return describe(kind) if kind else None


def _image(part: Mapping[str, Any]) -> str:
    url = _url(part.get("image_url"))
    return describe_url("image", url) if url else describe("image")


def _audio(part: Mapping[str, Any]) -> str:
    audio = part.get("input_audio")
    if isinstance(audio, str):  # Mistral: the base64 itself
        return describe_base64("audio", None, audio)
    form = as_str(as_dict(audio).get("format"))
    return describe_base64("audio", f"audio/{form}" if form else None, as_dict(audio).get("data"))


def _file(part: Mapping[str, Any]) -> str:
    # Chat nests it under "file", Responses has it flat.
    found = as_dict(part.get("file")) or part
    data = found.get("file_data")
    name = as_str(found.get("filename")) or as_str(found.get("document_name"))
    if isinstance(data, str) and not name:
        return describe_url("file", data) if data.startswith("data:") else describe_base64("file", None, data)
    return describe("file", name=name)


def _url(value: object) -> str | None:
    return as_str(value) or as_str(as_dict(value).get("url"))
