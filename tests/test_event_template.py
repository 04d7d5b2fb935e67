"""Events by the short road are the very events that amplitude-analytics itself would make."""

import copy
import enum
import json
import uuid

import orjson
import pytest
from amplitude.event import BaseEvent, Plan
from hypothesis import example, given
from hypothesis import strategies as st

from amplitude_ai import _safe
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Event, Scope
from amplitude_ai.delivery import _event_template
from amplitude_ai.delivery._ai_event import AIEvent, DeliveryReceipt
from amplitude_ai.sessions._events import make_id
from amplitude_ai.sessions.schema import SCHEMA

from .world import made


class Colour(enum.Enum):
    RED = "red"


class Word(str):
    """A class of the application's own."""


SOMEBODY = Scope(user_id="user123")
TEXTS = st.text(max_size=20) | st.sampled_from(["x" * 1025, "é" * 2000, "a\ud800b", "\0", "n" * 1100])
VALUES = (
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([Colour.RED, Word("word"), b"bytes", 2**63, -(2**63), [1, None], {"a": {"b": [["c"]]}}, (1, "x")])
)
NAMES = st.sampled_from(["content", "output_content", "$llm_message", "[Agent] Tool Input", "cost_usd", "n" * 1025])
PLAIN = TEXTS | st.none() | st.booleans() | st.integers(-(2**64), 2**64) | st.floats()
PROPERTIES = st.dictionaries(TEXTS | NAMES | st.just(7), VALUES) | st.dictionaries(NAMES, PLAIN)
IDS = st.none() | TEXTS | st.sampled_from(["user123", "unknown", "0"])
EVENTS = st.builds(
    Event,
    event_type=st.sampled_from(["llm_message", "user_message", "tool_called", "checkout"]) | TEXTS,
    time_ms=st.integers(0, 2**41) | st.just(1.5),
    insert_id=st.text("abcdef-", min_size=1, max_size=36),
    properties=PROPERTIES,
    scope=st.builds(
        Scope,
        user_id=IDS,
        device_id=IDS,
        amplitude_session_id=st.none() | st.integers(-1, 2**41) | st.sampled_from([1.5, "x"]),
        groups=st.none() | st.just({"org": "o" * 1100}),
        user_properties=st.none() | st.just({"plan": "pro", "list": [1]}),
    ),
)


@pytest.fixture(scope="module")
def world():
    """All events of a small world of calls, tools, retries and runs."""
    return made()


def by_the_library(event, monkeypatch):
    """(fields, body) as amplitude-analytics makes them."""
    with monkeypatch.context() as patch:
        patch.setattr(_event_template, "_KNOWN", False)
        one = AIEvent(event)
        assert type(one).__init__ is AIEvent.__init__
        fields = dict(one.__dict__)
        return fields, orjson.dumps(one.get_event_body())


def by_the_template(event):
    one = AIEvent(event)
    return dict(one.__dict__), orjson.dumps(one.get_event_body())


def test_this_version_of_the_library_is_known():
    """Else the short road would be closed, and nobody would see."""
    assert _event_template._KNOWN


def test_recorded_calls_make_the_same_events_by_both_roads(world, monkeypatch):
    """Fields in the same order, and the same bytes."""
    assert len(world) > 30
    for event in world:
        ours, theirs = by_the_template(event), by_the_library(event, monkeypatch)
        assert list(ours[0].items()) == list(theirs[0].items())
        assert ours[1] == theirs[1]


@given(EVENTS)
def test_any_event_is_the_same_by_both_roads(event):
    """Also where a class is not the expected one, or a text has no UTF-8 form."""
    with pytest.MonkeyPatch.context() as patch:
        assert by_the_template(event) == by_the_library(event, patch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plan", Plan(branch="b" * 1100)),
        ("groups", {"org": ["x" * 1100]}),
        ("user_properties", {"a": Colour.RED, "b": None}),
        ("app_version", "1" * 1100),
        ("price", 0.5),
        ("app_version", Word("x" * 1100)),
    ],
)
def test_what_plugins_set_is_sent_as_the_library_sends_it(name, value, monkeypatch):
    """Every field of its table, cut to its limits."""
    bodies = []
    for known in (True, False):
        monkeypatch.setattr(_event_template, "_KNOWN", known)
        one = AIEvent(Event("llm_message", 1, "i", {"output_content": "x"}, SOMEBODY))
        setattr(one, name, copy.deepcopy(value))
        bodies.append(json.dumps(one.get_event_body()))
    assert bodies[0] == bodies[1]


@given(PROPERTIES)
@example({"a": 2**63, "b": -(2**63), "c": "x\0", "d": "a\ud800", "e": None, "f": float("nan"), "g": -0.0, "h": True})
@example({"a": 1, "n" * 1025: 2})
@example({"a": 1, "a\0": 2})
@example({"a": 1, "é\ud800": 2})
@example({f"k{i}": i for i in range(_safe.MAX_ITEMS + 1)})
def test_flat_values_are_made_safe_as_nested_ones_are(properties):
    """The same values of the same classes in the same order."""
    short, long = _safe.safe_properties(properties), _safe._Maker().mapping(properties, 0)
    assert list(short.items()) == list(long.items())
    assert [type(value) for value in short.values()] == [type(value) for value in long.values()]
    assert short is not properties


def test_a_copy_for_a_destination_shares_nothing_that_can_change():
    """What a plugin of one destination does to it is not seen by another, nor what the application has put there."""
    receipt = DeliveryReceipt(1, lambda code: None)
    one = AIEvent(Event("llm_message", 1, "i", {"a": [{"b": 1}]}, SOMEBODY, config=AIConfig()), receipt)
    one.of_the_user = {"list": [Word("w")]}
    one.event_properties["later"] = Colour.RED
    one.groups = {"org": ["a"]}
    other = copy.deepcopy(one)
    assert type(other) is AIEvent
    assert other.__dict__.keys() == one.__dict__.keys()
    assert receipt.handed
    assert other.receipt is receipt
    assert other.config is one.config
    other.event_properties["a"][0]["b"] = 2
    other.groups["org"].append("b")
    other.of_the_user["list"].clear()
    assert one.event_properties == {"a": [{"b": 1}], "later": Colour.RED}
    assert (one.groups, one.of_the_user) == ({"org": ["a"]}, {"list": ["w"]})
    receipt.withdraw()


def test_an_event_of_the_template_is_a_base_event():
    """Its checks work: a wrong class is refused, a right one set."""
    one = AIEvent(Event("llm_message", 1, "i", {}, SOMEBODY))
    one["user_id"] = 5
    one["app_version"] = "2"
    assert isinstance(one, BaseEvent)
    assert (one["user_id"], one["app_version"], one.retry, "device_id" in one) == ("user123", "2", 0, False)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(sorted(SCHEMA)), st.integers(0, 300))
def test_ids_are_uuids_of_version_5(key, event_type, index):
    """The ids of events never change, or a resend would be another event."""
    expected = uuid.uuid5(uuid.UUID("5d0c8a52-6f0e-5b8e-9a39-6a3c0e8f7d11"), f"{key}/{event_type}/{index}")
    assert make_id(key, event_type, index) == str(expected)
