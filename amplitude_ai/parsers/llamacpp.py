"""llama.cpp's own door: ``/completion`` (and ``/completions`` without ``/v1``), ``/infill``; one model a server.

https://github.com/ggml-org/llama.cpp/tree/master/tools/server: ``content``, ``tokens_evaluated``, ``tokens_predicted``;
a stream's last event has ``stop: true`` and the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from .._models import LLMCall, Message, Usage
from ._errors import error_of
from ._format import Folded, Frame, WireRequest
from ._json import as_count, as_dict, as_float, as_list, as_str, dicts
from ._paths import PathRow

#: Settings of these servers alone.
_SETTINGS = (
    "n_predict",
    "cache_prompt",
    "n_probs",
    "id_slot",
    "input_prefix",
    "input_suffix",
    "n_keep",
    "mirostat_tau",
)
#: Of several endings the first that is true (before November 2024); today one word, ``stop_type``.
_STOPPED = {"stopped_eos": "eos", "stopped_word": "word", "stopped_limit": "limit"}


class _Completion:
    name = "llamacpp.completion"

    def looks_like(self, request: WireRequest) -> bool:
        """A prompt (a text, or the tokens of one) and a setting of these servers."""
        asked = request.body
        given = asked.get("prompt") if "input_prefix" not in asked else asked["input_prefix"]
        return isinstance(given, str | list) and bool(given) and any(name in asked for name in _SETTINGS)

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        body: dict[str, Any] = {}
        texts: list[str] = []
        complete, first = False, None
        for frame in frames:
            event = as_dict(frame.data)
            text = as_str(event.get("content"))
            if text is not None:
                texts.append(text)
                first = frame.end if first is None else first
            complete = complete or event.get("stop") is True
            body.update(event)
        if "content" in body:
            body["content"] = "".join(texts)
        return Folded(body, complete, first)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        prompt = as_str(asked.get("prompt")) or as_str(asked.get("input_prefix"))
        call = LLMCall(
            provider=request.provider,
            operation="completion",
            requested_model=as_str(asked.get("model")),
            messages=(Message("user", prompt),) if prompt else (),
            error=error_of(request, body),
            temperature=as_float(asked.get("temperature")),
            top_p=as_float(asked.get("top_p")),
        )
        return read_native(call, asked, body)


FORMAT = _Completion()
FORMATS = (FORMAT,)
PATHS = (PathRow(r"(?:.*/)?(?:completion|infill)", "llamacpp.completion", "llama.cpp"),)


def read_native(call: LLMCall, asked: Mapping[str, Any], body: Mapping[str, Any]) -> LLMCall:
    """``call`` with what a native answer says. Of several prompts, the first one's."""
    found = next(iter(dicts(body.get("data"))), None) or body
    text = found.get("content")
    return replace(
        call,
        model=as_str(found.get("model")),
        usage=Usage(
            as_count(found.get("tokens_evaluated")),
            as_count(found.get("tokens_predicted")),
            cached_input_tokens=as_count(as_dict(found.get("timings")).get("cache_n")),
        ),
        output_text=text if isinstance(text, str) else None,
        finish_reason=as_str(found.get("stop_type")) or _stopped(found),
        max_tokens=as_count(asked.get("n_predict")),
    )


def timed_usage(body: Mapping[str, Any]) -> Usage:
    """The counts of ``timings``, which its OpenAI door tells whether it is asked for usage or not.

    "The total number of tokens in context is equal to prompt_n + cache_n + predicted_n" (tools/server/README.md). Where
    there is no ``cache_n``, as of old, nobody knows what was read.
    """
    timings = as_dict(body.get("timings"))
    cached, read = as_count(timings.get("cache_n")), as_count(timings.get("prompt_n"))
    inputs = None if cached is None or read is None else cached + read
    return Usage(inputs, as_count(timings.get("predicted_n")), cached_input_tokens=cached)


def is_native(body: Mapping[str, Any]) -> bool:
    """Whether this is an answer, or a piece of one, as only llama.cpp gives it."""
    found = next(iter(dicts(as_list(body.get("data")))), None) or body
    return isinstance(found.get("content"), str) and any(
        name in found for name in ("tokens_predicted", "tokens_evaluated", "generation_settings", "timings", "stop")
    )


def _stopped(found: Mapping[str, Any]) -> str | None:
    return next((word for name, word in _STOPPED.items() if found.get(name) is True), None)
