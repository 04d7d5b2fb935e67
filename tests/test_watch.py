"""`transports/_watch.py`: which headers of a request say something to us, by the names of all of them."""

import pytest

from amplitude_ai.transports import _watch

NAMES = ("Host", "Content-Type", "Authorization", "X-Amplitude-User-Id", "x-stainless-retry-count")


@pytest.mark.parametrize("spelled", [str, str.lower, str.upper, str.encode])
def test_a_plan_is_of_names_however_they_are_spelled(spelled):
    """Text or bytes, upper or lower case; the second look, which finds the plan made, says the same."""
    names = tuple(map(spelled, NAMES))
    for _ in range(2):
        plan = _watch.header_plan(names)
        assert plan.names == ("content-type", "x-stainless-retry-count")
        assert plan.pick is not None
        assert plan.pick(NAMES)[:2] == ("Content-Type", "x-stainless-retry-count")
        assert plan.ours == ((3, "x-amplitude-user-id"),)


def test_a_header_that_comes_twice_is_ours_once():
    """What takes them out of a request takes out all of a name at once."""
    assert _watch.our_headers(["X-Amplitude-User-Id", "x-amplitude-user-id", "Host"]) == {"x-amplitude-user-id"}


def test_plans_are_bounded():
    """A program that makes up names makes no table of ours grow, in number or in bytes."""
    for number in range(2 * _watch._PLANS_LIMIT):
        _watch.header_plan((f"x-{number}".encode(),))
        _watch.header_plan((f"x-{number}",))
    assert _watch.header_plan((b"x" * 10_000, b"Content-Type")).names == ("content-type",)
    for plans in (_watch._plans, _watch._text_plans):
        assert len(plans) <= _watch._PLANS_LIMIT
        assert max(sum(map(len, names)) for names in plans) < 10_000
