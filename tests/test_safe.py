"""Any Python value becomes one that Amplitude's SDK, JSON and SQLite take."""

import datetime
import decimal
import enum
import json
import uuid

import pytest

from amplitude_ai import _safe
from amplitude_ai._safe import MAX_DEPTH, MAX_ITEMS, MAX_VALUES, copy_of, known_again, safe_properties


class Colour(enum.Enum):
    RED = "red"


class Rude:
    def __str__(self):
        raise ValueError("no")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (decimal.Decimal("0.25"), 0.25),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2026-01-02T03:04:05+00:00"),
        (datetime.timedelta(seconds=2), 2.0),
        ((1, "a"), [1, "a"]),
        ([1, None, 2], [1, 2]),
        ([[1], [2, 3]], ["[1]", "[2, 3]"]),
        ({"b": 1}, {"b": 1}),
        (b"abc", "<3 bytes>"),
        (Colour.RED, "red"),
        (2**70, str(2**70)),
        (-(2**63), str(-(2**63))),
        pytest.param(2**100_000, "<int of 100001 bits>", id="huge"),
        (uuid.UUID(int=5), str(uuid.UUID(int=5))),
        (Rude(), "<Rude>"),
        ("a\ud800b\0c", "a\ufffdb\ufffdc"),
        ({1: {None: "x"}}, {"1": {"None": "x"}}),
        (True, True),
    ],
)
def test_each_kind_of_value_has_a_safe_form(given, made):
    """Values that would cost an event all of its properties are made ones that do not."""
    safe = safe_properties({"value": given, "other": 1})
    assert safe == {"value": made, "other": 1}
    assert type(safe["value"]) is type(made)
    json.dumps(safe, allow_nan=False).encode()


@pytest.mark.parametrize("given", [None, float("nan"), float("inf"), decimal.Decimal("NaN"), decimal.Decimal("sNaN")])
def test_what_has_no_value_is_left_out(given):
    """There is no such thing as a NaN in JSON, and an unknown figure is absent."""
    assert safe_properties({"value": given, "inner": {"x": given}}) == {"inner": {}}


def test_the_result_shares_nothing_with_what_came_in():
    """Amplitude's SDK cuts strings where they stand: in our copy, not in the caller's dict."""
    given = {"inner": {"list": [{"a": 1}]}}
    safe = safe_properties(given)
    safe["inner"]["list"][0]["a"] = 2
    assert given == {"inner": {"list": [{"a": 1}]}}


def test_structures_are_bounded_in_depth_width_and_number():
    """A list that holds itself ends; of too many keys the last stay, where our own properties stand."""
    loop: list = []
    loop.append({"again": loop})
    text = json.dumps(safe_properties({"loop": loop}))
    assert text.count("again") <= MAX_DEPTH
    wide = safe_properties({f"k{i}": i for i in range(MAX_ITEMS + 5)})
    assert len(wide) == MAX_ITEMS
    assert f"k{MAX_ITEMS + 4}" in wide
    many = safe_properties({str(i): list(range(MAX_ITEMS)) for i in range(20)})
    assert sum(map(len, many.values())) <= MAX_VALUES


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", True), ("a", 1.0), ("a", decimal.Decimal(1)), ("b", None), ("new", 1), ("text", "".join(["wo", "rd"]))],
)
def test_what_was_changed_is_not_known_again(name, value):
    """Equal is not enough: True and Decimal(1) are equal to 1."""
    properties, made = known_again({"a": 1, "b": 0.5, "text": "word"})
    copied = copy_of(properties)
    assert made.is_same(properties)
    assert made.is_same(copied)
    copied[name] = value
    assert not made.is_same(copied)
    assert made.is_same(properties)


def test_what_can_be_changed_from_inside_is_never_known_again():
    """Nobody sees from outside what became of it."""
    properties, made = known_again({"a": 1, "list": [1]})
    assert not made.is_same(properties)


def test_other_names_in_other_places_are_not_known_again():
    """Of as many values."""
    _, made = known_again({"a": 1, "b": 1})
    assert not made.is_same({"b": 1, "a": 1})
    assert not made.is_same({"a": 1, "c": 1})
    assert not made.is_same({"a": 1})
    assert not made.is_same(None)


class Shouting(str):
    """Equal to the plain text, and none to orjson."""


class Raising(str):
    def __hash__(self):
        return str.__hash__(self)

    def __eq__(self, other):
        raise ValueError("no")


@pytest.mark.parametrize("kind", [Shouting, Raising])
def test_names_equal_to_ones_that_are_known_are_no_plain_names(kind):
    """Names are looked at once; those of another class are made plain ones however often they were seen."""
    assert safe_properties({"tier": 1, "x": 2}) == {"tier": 1, "x": 2}
    made = safe_properties({kind("tier"): 1, kind("x"): 2})
    assert [*map(type, made)] == [str, str]
    assert [*made] == ["tier", "x"]
    assert safe_properties({"tier\0": 1}) == safe_properties({"tier\0": 1}) == {"tier\ufffd": 1}


def test_what_is_known_of_names_is_bounded(monkeypatch):
    """A program that names its properties anew each time is served, and nothing of it is kept for ever."""
    monkeypatch.setattr(_safe, "_MAX_KNOWN", 8)
    for number in range(50):
        assert safe_properties({f"k{number}": 1}) == {f"k{number}": 1}
    assert len(_safe._safe_names) <= 8
    long = "n" * 1000
    assert [*safe_properties({f"{long}{at}": at for at in range(9)}).values()] == [*range(9)]
    assert not any(len("".join(names)) > _safe._MAX_KNOWN_TEXT for names in _safe._safe_names)
