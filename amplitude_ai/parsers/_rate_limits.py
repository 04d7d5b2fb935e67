"""When a provider's rate limits are full again, from an answer's headers.

In: headers, and the wall time of the answer. Out: ms from the answer on. OpenAI and its fellows write ``6m0s``,
``20ms`` or seconds, Anthropic a moment (RFC 3339), which is held against the server's own ``date`` where it sends
that, not our clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .._pattern import lazy_pattern

RESET_REQUESTS = ("x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset")
RESET_TOKENS = ("x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset")

_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "us": 1e-3, "µs": 1e-3, "ns": 1e-6}
_PART = lazy_pattern(r"(\d{1,9}(?:\.\d{1,9})?)(ms|us|µs|ns|d|h|m|s)")
#: Seconds from which on a number is a moment (OpenRouter's), and from which on it is one in ms.
_EPOCH_S, _EPOCH_MS = 1e9, 1e12
_MAX_LENGTH = 64


def until_ms(headers: Mapping[str, str], names: tuple[str, ...], answered_at_ms: float) -> float | None:
    """How long until the reset that the first of these headers names; ``None`` where none can be read."""
    text = next((headers[name].strip() for name in names if headers.get(name)), "")
    if not text or len(text) > _MAX_LENGTH:
        return None
    parts = _PART.findall(text)
    if sum([len(number) + len(unit) for number, unit in parts]) == len(text):
        return sum([float(number) * _UNITS_MS[unit] for number, unit in parts])
    now_ms = _server_ms(headers.get("date")) or answered_at_ms
    try:
        number = float(text)
    except ValueError:
        moment = _moment_ms(text)
        return None if moment is None else max(moment - now_ms, 0.0)
    if not math.isfinite(number) or number < 0:
        return None
    if number < _EPOCH_S:
        return number * 1000
    return max((number if number >= _EPOCH_MS else number * 1000) - now_ms, 0.0)


def _moment_ms(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000


def _server_ms(date: str | None) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() * 1000 if date and len(date) <= _MAX_LENGTH else None
    except (ValueError, OverflowError):
        return None
