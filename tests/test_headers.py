"""`transports/_headers.py`: which headers are kept, and which of a request are ours, by the names of all of them."""

import pytest

from amplitude_ai.transports import _headers
from amplitude_ai.transports._watch import our_headers

NAMES = ("Host", "Content-Type", "Authorization", "X-Amplitude-User-Id", "x-stainless-retry-count")


@pytest.mark.parametrize("spelled", [str, str.lower, str.upper, str.encode])
def test_a_plan_is_of_names_however_they_are_spelled(spelled):
    """Text or bytes, upper or lower case; the second look, which finds the plan made, says the same."""
    names = tuple(map(spelled, NAMES))
    for _ in range(2):
        plan = _headers.header_plan(names)
        assert plan.names == ("content-type", "x-stainless-retry-count")
        assert plan.pick is not None
        assert plan.pick(NAMES)[:2] == ("Content-Type", "x-stainless-retry-count")
        assert plan.ours == ((3, "x-amplitude-user-id"),)


def test_a_header_that_comes_twice_is_ours_once():
    """What takes them out of a request takes out all of a name at once."""
    assert our_headers(["X-Amplitude-User-Id", "x-amplitude-user-id", "Host"]) == {"x-amplitude-user-id"}


def test_plans_are_bounded():
    """A program that makes up names makes no table of ours grow, in number or in bytes."""
    for number in range(2 * _headers._PLANS_LIMIT):
        _headers.header_plan((f"x-{number}".encode(),))
        _headers.header_plan((f"x-{number}",))
    assert _headers.header_plan((b"x" * 10_000, b"Content-Type")).names == ("content-type",)
    for plans in (_headers._plans, _headers._text_plans):
        assert len(plans) <= _headers._PLANS_LIMIT
        assert max(sum(map(len, names)) for names in plans) < 10_000


def test_headers_are_kept_by_name_however_they_are_spelled_and_given(monkeypatch):
    """As bytes, as text, as what a mock gives; only those of the list; what is known of names is bounded."""
    monkeypatch.setattr(_headers, "_MAX_HEADER_NAMES", 4)
    given = [
        (b"X-Request-ID", b"r1"),
        ("Date", "d"),
        (b"Set-Cookie", b"secret"),
        (Exception("date"), 5),
        (b"\xff", b""),
    ]
    assert _headers.kept_headers([*given, ("\u20ac", "secret")]) == {"x-request-id": "r1", "date": "5"}
    for number in range(20):
        assert _headers.kept_headers([(b"x-%d" % number, b"secret"), (b"cf-ray", b"c")]) == {"cf-ray": "c"}
    assert _headers.kept_headers([(b"x" * 1000, b"secret")]) == {}
    assert len(_headers._kept_names) <= 4
    assert max(map(len, _headers._kept_names)) < 100
