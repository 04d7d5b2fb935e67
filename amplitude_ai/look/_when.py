"""Spans and moments as people write them: ``90s``, ``15m``, ``2h``, ``7d``, ``4w``, ``today``, ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .._pattern import lazy_pattern

#: Of what somebody wrote, in the message that it is nothing.
_SHOWN = 60
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN = lazy_pattern(r"([0-9]{1,9})\s{0,9}([smhdw])", re.IGNORECASE)


def span_s(text: str) -> int:
    """A length of time in seconds.

    Raises:
        ValueError: it is none; the message says how one is written.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:_SHOWN]!r} is no length of time: write 90s, 15m, 2h, 30d or 4w")
    return int(match[1]) * _UNITS[match[2].lower()]


def moment_ms(text: str, now_ms: int) -> int:
    """A moment, as milliseconds since 1970: so long ago, a day's begin, or a date and time (UTC unless it says).

    Raises:
        ValueError: it is none; the message says how one is written.
    """
    if _SPAN.fullmatch(text.strip()):
        return now_ms - span_s(text) * 1000
    midnight = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": midnight, "yesterday": midnight - timedelta(days=1)}.get(text.strip().lower())
    if named is None:
        try:
            named = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(
                f"{text[:_SHOWN]!r} is no moment: write 15m, 2h or 7d (ago), today, yesterday, 2026-01-31 or "
                "2026-01-31T12:00Z"
            ) from None
    if named.tzinfo is None:
        named = named.replace(tzinfo=UTC)
    return int(named.timestamp() * 1000)


def iso(time_ms: int | None) -> str | None:
    """A moment as ISO 8601 text, UTC; ``None`` for one that no calendar has."""
    if time_ms is None:
        return None
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
