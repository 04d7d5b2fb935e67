"""What it costs besides, to have a model run in one region: by what the provider documents, and where that is sure.

Anthropic: 1.1 times all tokens where the answer's ``usage`` says ``inference_geo: us``
(https://platform.claude.com/docs/en/manage-claude/data-residency), on its own platform; whoever else sells Claude
(Bedrock, Vertex, Foundry) has prices by region instead.
OpenAI: 1.1 times at a region's host, "for models released on or after March 5, 2026"
(https://developers.openai.com/api/docs/guides/data-residency), the day of GPT-5.4.
xAI: "10% more than on the global endpoint" at ``us.api.x.ai`` (https://docs.x.ai/developers/advanced-api-usage/regions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._pattern import lazy_pattern

_UPLIFT = 1.1
_DATED = lazy_pattern(r"-(\d{4}-\d{2}-\d{2})\Z")
_VERSION = lazy_pattern(r"gpt-(\d{1,3})(?:\.(\d{1,3}))?(?![\d.o])", re.IGNORECASE)
_SINCE_DAY, _SINCE_VERSION = "2026-03-05", (5, 4)


def anthropic_factor(provider: str, usage: Mapping[str, Any]) -> float:
    """What the prices of Anthropic's tokens are multiplied by."""
    return _UPLIFT if provider == "anthropic" and usage.get("inference_geo") == "us" else 1.0


def host_factor(provider: str, host: str, model: str | None) -> float:
    """What the prices of a provider's tokens are multiplied by at a host (``eu.api.openai.com``)."""
    name = host.lower().partition(":")[0]
    if provider == "xai":
        return _UPLIFT if name == "us.api.x.ai" else 1.0
    if provider != "openai" or not name.endswith(".api.openai.com"):
        return 1.0
    dated = _DATED.search(model or "")
    if dated is not None:
        return _UPLIFT if dated.group(1) >= _SINCE_DAY else 1.0
    version = _VERSION.match(model or "")
    newer = version is not None and (int(version.group(1)), int(version.group(2) or 0)) >= _SINCE_VERSION
    return _UPLIFT if newer else 1.0
