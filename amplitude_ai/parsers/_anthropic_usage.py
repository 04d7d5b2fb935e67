"""An Anthropic message's counts (anthropic ``types/usage.py``, ``types/beta/beta_iterations_usage.py``).

``iterations`` tells each run of a model by itself, and those that the total leaves out: what compacted the context, and
what an advisor said. Another model may have run, and answered, than the one that was asked: each has its own prices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._models import Usage
from ._json import add_counts, as_count, as_dict, as_str, dicts


def read_usage(usage: Mapping[str, Any]) -> Usage:
    """Normalised counts: cache reads and writes are in the input, thinking is in the output."""
    read, written = as_count(usage.get("cache_read_input_tokens")), as_count(usage.get("cache_creation_input_tokens"))
    given = as_count(usage.get("input_tokens"))
    return Usage(
        input_tokens=None if given is None else add_counts(given, read, written),
        output_tokens=as_count(usage.get("output_tokens")),
        cached_input_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=as_count(as_dict(usage.get("output_tokens_details")).get("thinking_tokens")),
        extra=dict(_extra(usage, written)),
    )


def served_by(usage: Mapping[str, Any]) -> str | None:
    """The model that answered for the one that was asked and declined; a stream begins under that one's name."""
    entries = reversed(list(dicts(usage.get("iterations"))))
    return next((as_str(one.get("model")) for one in entries if one.get("type") == "fallback_message"), None)


def billed(usage: Mapping[str, Any], served: str | None) -> Usage | None:
    """What the model that answered is billed for, where that is not the total: what compacted the context is not in it.

    https://docs.claude.com/en/docs/build-with-claude/compaction#understanding-usage
    """
    iterations = list(dicts(usage.get("iterations")))
    own = [one for one in iterations if not _is_anothers(one, served)]
    if len(own) == len(iterations) and not any(one.get("type") == "compaction" for one in iterations):
        return None
    return _sum([read_usage(one) for one in own], read_usage({**usage, "cache_creation": None}).extra)


def billed_besides(usage: Mapping[str, Any], served: str | None) -> tuple[tuple[str, Usage], ...]:
    """What other models are billed for, at their own prices: advisors, and models that declined."""
    others = (one for one in dicts(usage.get("iterations")) if _is_anothers(one, served))
    return tuple((as_str(one.get("model")) or "", read_usage(one)) for one in others)


def _is_anothers(iteration: Mapping[str, Any], served: str | None) -> bool:
    if iteration.get("type") == "advisor_message":
        return True
    model = as_str(iteration.get("model"))
    return served is not None and model is not None and model != served


def _sum(parts: list[Usage], billed_by_the_call: Mapping[str, int | float]) -> Usage:
    total = dict(billed_by_the_call)
    for part in parts:
        for name, count in part.extra.items():
            total[name] = total.get(name, 0) + count
    return Usage(
        input_tokens=add_counts(*(part.input_tokens for part in parts)),
        output_tokens=add_counts(*(part.output_tokens for part in parts)),
        cached_input_tokens=add_counts(*(part.cached_input_tokens for part in parts)),
        cache_write_tokens=add_counts(*(part.cache_write_tokens for part in parts)),
        extra=total,
    )


def _extra(usage: Mapping[str, Any], written: int | None) -> Iterator[tuple[str, int | float]]:
    """Counts billed apart. The split of the cache writes counts only while it still sums up to their total.

    (``message_delta`` replaces the total, after a server's tool has run, and does not repeat the split.)
    """
    split = as_dict(usage.get("cache_creation"))
    short, long = (as_count(split.get(f"ephemeral_{ttl}_input_tokens")) or 0 for ttl in ("5m", "1h"))
    if short + long and (written is None or written == short + long):
        if short:
            yield "cache_write_5m_tokens", short
        if long:
            yield "cache_write_1h_tokens", long
    searches = as_count(as_dict(usage.get("server_tool_use")).get("web_search_requests"))
    if searches:
        yield "web_searches", searches
