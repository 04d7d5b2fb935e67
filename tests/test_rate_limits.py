"""When a provider's rate limits are full again."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai.parsers._rate_limits import RESET_REQUESTS, RESET_TOKENS, until_ms
from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._runs import RunRegistry

from .records import NEW_YEAR, exchange, only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", 1000),
        ("6m0s", 360_000),
        ("20ms", 20),
        ("7.66s", 7660),
        ("2m59.56s", 179_560),
        ("1h2m3s", 3_723_000),
        ("1d", 86_400_000),
        ("0s", 0),
        ("12", 12_000),
        ("0.5", 500),
        ("2026-01-01T00:00:10Z", 10_000),
        ("2026-01-01T01:00:10+01:00", 10_000),
        ("2025-12-31T23:00:00Z", 0),
        (str(NEW_YEAR + 2500), 2500),
        (str(NEW_YEAR // 1000 + 3), 3000),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("s", None),
        ("5x3s", None),
        ("1s" * 100, None),
    ],
)
def test_each_way_to_say_it(text, expected):
    """Durations, seconds, moments; what cannot be read is not known."""
    assert until_ms({RESET_TOKENS[0]: text}, RESET_TOKENS, NEW_YEAR) == expected


def test_a_moment_is_held_against_the_servers_clock():
    """Ours may be an hour off."""
    headers = {RESET_TOKENS[1]: "2026-01-01T00:00:10Z", "date": "Thu, 01 Jan 2026 00:00:07 GMT"}
    assert until_ms(headers, RESET_TOKENS, NEW_YEAR + 3_600_000) == 3000
    assert until_ms({**headers, "date": "today"}, RESET_TOKENS, NEW_YEAR) == 10_000


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_raises(text, date):
    """Whatever a server writes."""
    found = until_ms({RESET_REQUESTS[0]: text, "date": date}, RESET_REQUESTS, NEW_YEAR)
    assert found is None or found >= 0


@pytest.mark.parametrize("name", [None, "x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining"])
def test_the_event_says_so(name):
    """Of an answer over the wire's own types: remaining and reset, each for requests and tokens."""
    left = {name: "7"} if name else {}
    headers = {
        "content-type": "application/json",
        "x-ratelimit-remaining-requests": "99",
        "x-ratelimit-reset-requests": "6m0s",
        "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:10Z",
        **left,
    }
    body = {"model": "m", "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]}
    where = exchange(body=b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}', response_headers=headers)
    where = replace(where, response_chunks=(json.dumps(body).encode(),))
    said = only(RunRegistry().record(read(where), where), "llm_message")
    assert said["ratelimit_remaining_requests"] == 99
    assert said["ratelimit_reset_requests_ms"] == 360_000
    assert said["ratelimit_reset_tokens_ms"] == 10_000
    assert said.get("ratelimit_remaining_tokens") == (7 if left else None)
    assert ("ratelimit_remaining_tokens" in said) is bool(left)
