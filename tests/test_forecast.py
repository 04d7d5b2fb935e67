"""``stats()`` says when a rate limit will be used up."""

from dataclasses import replace

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import _clock
from amplitude_ai.sessions._forecast import Forecasts
from amplitude_ai.testing import EventList

from .records import call, exchange

NAME = "ratelimit_exhausted_in_ms:api.openai.com:gpt-4o-mini-2024-07-18:tokens"


def told(*looks, now=None, reset_ms=None):
    """The forecast after looks of (seconds, tokens left)."""
    forecasts = Forecasts()
    for at, left in looks:
        limits = {"ratelimit_remaining_tokens": left, "ratelimit_reset_tokens_ms": reset_ms}
        forecasts.saw(call("Hello", host="api.openai.com", **limits), exchange(round(at * 1000)))
    return forecasts.as_stats(round((looks[-1][0] if now is None else now) * 1e9)).get(NAME)


@pytest.mark.parametrize(
    ("looks", "more", "expected"),
    [
        ([(0, 1000), (10, 900)], {}, 90_000),  # 10 a second
        ([(0, 1000), (10, 900)], {"now": 40}, 60_000),
        ([(0, 1000), (10, 900)], {"now": 101}, None),  # it should have been by now; nobody has called since
        ([(0, 1000), (10, 900)], {"reset_ms": 80_000}, None),  # it is full again before that
        ([(0, 1000), (10, 900)], {"reset_ms": 100_000}, 90_000),
        ([(0, 1000)], {}, None),  # no rate of one look
        ([(0, 1000), (0.5, 900)], {}, None),
        ([(0, 1000), (10, 1000)], {}, None),
        ([(0, 9000), (100, 1000), (110, 900)], {}, 90_000),  # the last minute alone
        ([(0, 1000), (10, 100), (20, 1000), (30, 900)], {}, 90_000),  # it was filled
        ([(0, 1000), (8, 890), (9, 891), (10, 900)], {}, 90_000),  # answers of calls side by side
        ([(0, 1000), (10, 900), (5, 940)], {"now": 10}, 90_000),  # that are looked at late
        ([(0, 1000), (10, 900), (5, 500)], {"now": 10}, 90_000),
        ([(0, 1000), (10, 0)], {"reset_ms": 30_000}, 0),
        ([(10, 0)], {"reset_ms": 30_000, "now": 39}, 0),
        ([(10, 0)], {"reset_ms": 30_000, "now": 41}, None),
    ],
)
def test_forecast(looks, more, expected):
    """In ms from now, at the rate of the last minute."""
    assert told(*looks, **more) == expected


def test_limits_are_bounded():
    """The least recently seen goes."""
    forecasts = Forecasts()
    for number in range(100):
        forecasts.saw(replace(call("Hello", ratelimit_remaining_requests=0), model=f"m{number}"), exchange(0))
    assert len(forecasts.as_stats(0)) == 64
    assert "ratelimit_exhausted_in_ms::m99:requests" in forecasts.as_stats(0)


def test_stats(monkeypatch):
    """From the headers of the wire."""
    clock = [1e9]
    monkeypatch.setattr(_clock, "perf_ns", lambda: round(clock[0]))
    left = iter((30, 20))

    def answer(request):
        headers = {"x-ratelimit-remaining-requests": str(next(left)), "x-ratelimit-reset-requests": "6m0s"}
        plain = {"id": "d", "model": "m", "choices": [{"message": {"role": "assistant", "content": "a"}}]}
        return httpx2.Response(200, headers=headers, json=plain)

    with amplitude_ai.instrumented_httpx(
        transport=httpx2.MockTransport(answer), amplitude_client=EventList(), session_id="s"
    ) as client:
        for text in ("One", "Two"):
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            client.post("https://api.openai.com/v1/chat/completions", json=body)
            clock[0] += 5e9
        assert amplitude_ai.flush()
        assert amplitude_ai.stats()["ratelimit_exhausted_in_ms:api.openai.com:m:requests"] == 5000
