"""When a provider's rate limit will be used up, if calls go on as they did in the last minute.

In: calls, on the worker's thread. Out: forecasts, from any thread. Of a limit that will be full again before that there
is none. Bounded: the least recently seen of too many limits are forgotten. No clock of its own.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct, field

from .._models import Exchange, LLMCall

_MAX_LIMITS = 64
#: Looks at a limit that are remembered, and for how long.
_MAX_SEEN = 64
_WINDOW_NS = 60 * 10**9
#: The least time that a rate is taken from.
_LEAST_NS = 10**9


class _Limit(Struct):
    seen: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_MAX_SEEN))  # (when, how much is left)
    used_up_ns: int | None = None
    full_ns: int | None = None  # when it is as if nothing had been used


class Forecasts:
    """The limits of every host and model that tells them."""

    def __init__(self) -> None:
        self._limits: dict[str, _Limit] = {}  # least recently seen first

    def saw(self, call: LLMCall, exchange: Exchange) -> None:
        """Look at what an answer says is left."""
        told = (
            ("requests", call.ratelimit_remaining_requests, call.ratelimit_reset_requests_ms),
            ("tokens", call.ratelimit_remaining_tokens, call.ratelimit_reset_tokens_ms),
        )
        for kind, left, reset_ms in told:
            if left is None or exchange.headers_ns is None:
                continue
            name = f"{call.host}:{call.model or call.requested_model}:{kind}"
            limit = self._limits.pop(name, None) or _Limit()
            self._limits[name] = limit
            if len(self._limits) > _MAX_LIMITS:
                del self._limits[next(iter(self._limits))]
            limit.full_ns = None if reset_ms is None else exchange.headers_ns + round(reset_ms * 1e6)
            limit.used_up_ns = _used_up_ns(limit, exchange.headers_ns, left, reset_ms)

    def as_stats(self, now_ns: int) -> dict[str, int]:
        """``ratelimit_exhausted_in_ms:<host>:<model>:<requests or tokens>``, for each that is going to be; 0: it is."""
        return {
            f"ratelimit_exhausted_in_ms:{name}": max(at - now_ns, 0) // 1_000_000
            for name, limit in self._limits.copy().items()  # in one step: the worker goes on meanwhile
            if (at := limit.used_up_ns) is not None and now_ns <= max(at, limit.full_ns or at)
        }


def _used_up_ns(limit: _Limit, now_ns: int, left: int, reset_ms: float | None) -> int | None:
    seen = limit.seen
    if seen and now_ns < seen[-1][0]:
        return limit.used_up_ns  # an answer that came before the last one that was looked at
    if seen and left - seen[-1][1] > (seen[0][1] - seen[-1][1]) / 2:
        seen.clear()  # it was filled; by less it seems to rise where calls run side by side
    while seen and now_ns - seen[0][0] > _WINDOW_NS:
        seen.popleft()
    seen.append((now_ns, left))
    if left == 0:
        return now_ns
    began_ns, before = seen[0]
    passed, used = now_ns - began_ns, before - left
    if passed < _LEAST_NS or used <= 0:
        return None
    in_ns = round(left / used * passed)
    return None if reset_ms is not None and in_ns > reset_ms * 1e6 else now_ns + in_ns
