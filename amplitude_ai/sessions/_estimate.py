"""Tokens nobody told, counted from the texts with tiktoken: only where ``AIConfig(estimate_usage=True)`` asks for it.

An estimate: of images, tools' descriptions and what providers add to a prompt it knows nothing, and other providers
than OpenAI have vocabularies of their own. tiktoken fetches its vocabulary over the network when first used, and
keeps it (https://github.com/openai/tiktoken); where it cannot, tokens stay unknown.
"""

from __future__ import annotations

import contextlib
import json
import logging
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from .._guard import count, log_once
from .._models import LLMCall, Usage
from ._events import ESTIMATE

#: What a chat's format costs (OpenAI's cookbook, "How to count tokens with tiktoken").
_PER_MESSAGE = 3
_PER_ANSWER = 3
#: The vocabulary of OpenAI's models since 2024; for models tiktoken has not heard of.
_DEFAULT = "o200k_base"
#: Longer texts are not counted: it would take the worker too long, in characters.
_MAX_TEXT = 1_000_000
_OPERATIONS = frozenset({"chat", "responses", "completion"})


def estimated(call: LLMCall) -> LLMCall:
    """``call`` with its tokens counted, where they are unknown and an answer came; otherwise ``call`` itself."""
    usage = call.usage
    if usage.input_tokens is not None or usage.output_tokens is not None or call.operation not in _OPERATIONS:
        return call
    if call.output_text is None and not call.tool_calls:
        return call  # refused, or cut off before it began: nobody knows what is billed
    encoding = _encoding(call.model or call.requested_model or "")
    if encoding is None:
        return call
    said = call.output_text or ""
    asked = [json.dumps(tool.arguments, ensure_ascii=False, default=str) + tool.name for tool in call.tool_calls]
    texts = [*(message.text for message in call.messages), said, *asked]
    if sum(map(len, texts)) > _MAX_TEXT:
        count("usage_not_estimated")
        return call
    prompt = sum(_count(encoding, message.text) + _PER_MESSAGE for message in call.messages) + _PER_ANSWER
    answer = sum(_count(encoding, text) for text in (said, *asked))
    counted = Usage(input_tokens=prompt, output_tokens=answer, extra=usage.extra)
    return replace(call, usage=counted, usage_source=ESTIMATE)


def _count(encoding: Any, text: str) -> int:
    return len(encoding.encode(text, disallowed_special=()))


def preload() -> None:
    """Import tiktoken and its plugins; a missing one is said when it is needed."""
    with contextlib.suppress(ImportError):
        import tiktoken

        tiktoken.list_encoding_names()


@lru_cache(maxsize=64)
def _encoding(model: str) -> Any:
    """The vocabulary of ``model``; ``None``, said once, where there is none to be had."""
    try:
        import tiktoken

        try:
            return tiktoken.encoding_for_model(model)
        except KeyError:
            return tiktoken.get_encoding(_DEFAULT)
    except Exception as exc:  # not installed, or no network
        count("usage_not_estimated")
        log_once(
            "estimate",
            logging.WARNING,
            "amplitude_ai: AIConfig(estimate_usage=True) needs tiktoken and its vocabulary (%s): pip install tiktoken",
            type(exc).__name__,
        )
        return None
