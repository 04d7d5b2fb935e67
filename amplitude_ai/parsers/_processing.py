"""How long the server says it worked on a request; the rest of the time to the answer's head is the way. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .._pattern import lazy_pattern

#: In ms, the nearer to the model the earlier: OpenAI; envoy (Anthropic, Azure, Mistral); Bedrock; Kong; Hugging Face's
#: text-generation-inference; LiteLLM's proxy.
_HEADERS = (
    "openai-processing-ms",
    "x-envoy-upstream-service-time",
    "x-amzn-bedrock-invocation-latency",
    "x-inference-time",
    "x-kong-upstream-latency",
    "x-litellm-response-duration-ms",
)
#: ``gfet4t7; dur=538`` (Google): https://www.w3.org/TR/server-timing/
_DURATION = lazy_pattern(
    r"\A\s{0,4}[\w.-]{1,64}\s{0,4}(?:;[^,]{0,200}?)?;\s{0,4}dur=(\d{1,9}(?:\.\d{1,9})?)\s{0,4}(?:[;,]|\Z)"
)
_NUMBER = lazy_pattern(r"\d{1,12}(?:\.\d{1,12})?")


def processing_ms(headers: Mapping[str, str]) -> float | None:
    """The first of these that can be read; ``None`` where none is told."""
    for name in _HEADERS:
        text = headers.get(name, "").strip()
        if _NUMBER.fullmatch(text):
            return float(text)
    timing = _DURATION.match(headers.get("server-timing", "")[:1000])
    return None if timing is None else float(timing[1])
