"""What reading the store is made of: texts made harmless, moments, lines."""

import sqlite3
import time
import unicodedata
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amplitude_ai.delivery._store_schema import migrate
from amplitude_ai.look._calls import around
from amplitude_ai.look._line import line
from amplitude_ai.look._reader import Reader, StoreMissingError
from amplitude_ai.look._text import harmless, one_line
from amplitude_ai.look._when import iso, moment_ms, span_s

#: 2026-01-31T12:00:00Z
NOW = 1_769_860_800_000
_ODD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
#: All of Unicode, half surrogates too, and more of what is odd.
TEXTS = st.text(st.one_of(st.characters(categories=_ODD), st.characters(exclude_categories=())), max_size=60)


def odd(text):
    return [char for char in text if unicodedata.category(char) in _ODD and char not in "\u200c\u200d"]


@given(TEXTS, st.integers(1, 40))
def test_whatever_it_is_it_is_harmless(text, limit):
    """No control, format, surrogate or separator character comes out; one line is one line, and no longer than told."""
    assert odd(harmless(text)) == []
    assert set(odd(harmless(text, limit, lines=True))) <= {"\n", "\t"}
    assert odd(one_line(text, limit)) == []
    assert len(one_line(text, limit)) <= limit


@given(TEXTS)
def test_a_line_of_a_call_is_one_line(text):
    """Whoever named the user, the model and the error."""
    said = line({"user_id": text, "model_name": text, "success": False, "error_type": text, "error_message": text})
    assert odd(said) == []


def test_languages_and_emoji_stay():
    """What people write is shown as it is."""
    for text in ("naïve – 中文 – עברית – می\u200cخواهم – 👩\u200d🔬 – \u0915\u094d\u0937",):
        assert harmless(text) == text
    assert harmless("a\x1b[1m\u202e\ud800\x00") == "a\\x1b[1m\\u202e\\ud800\\x00"
    assert harmless("x" * 10, 4) == "xxxx… (6 more characters)"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", NOW - 90_000),
        ("15m", NOW - 900_000),
        ("2H", NOW - 7_200_000),
        ("7d", NOW - 7 * 86_400_000),
        ("today", NOW - 12 * 3_600_000),
        ("yesterday", NOW - 36 * 3_600_000),
        ("2026-01-31", NOW - 12 * 3_600_000),
        ("2026-01-31T12:00Z", NOW),
        ("2026-01-31T14:00+02:00", NOW),
    ],
)
def test_moments(text, wanted):
    """So long ago, a day, a date and time; UTC unless it says."""
    assert moment_ms(text, NOW) == wanted


@pytest.mark.parametrize("text", ["", "soon", "-1d", "1.5h", "7", "2026-13-01", "d7", "٣d", "1" * 30 + "d"])
def test_what_is_no_moment_says_how_one_is_written(text):
    """In the message, for the user."""
    with pytest.raises(ValueError, match="write"):
        moment_ms(text, NOW)
    with pytest.raises(ValueError, match="write"):
        span_s(text)


@pytest.mark.parametrize("text", [" " * 30_000 + "x", "7" + " " * 30_000 + "x", "7" * 30_000, "2026-" * 6_000])
def test_a_long_text_is_no_moment_either(text):
    """At once, and with its beginning in the message."""
    began = time.perf_counter()
    with pytest.raises(ValueError, match="is no moment") as raised:
        moment_ms(text, NOW)
    with pytest.raises(ValueError, match="is no length of time"):
        span_s(text)
    assert time.perf_counter() - began < 0.2
    assert len(str(raised.value)) < 200


def test_times_that_no_calendar_has():
    """Are unknown, and no error."""
    assert iso(2**62) is None
    assert iso(None) is None
    assert iso(NOW) == "2026-01-31T12:00:00.000Z"


def test_parallel_calls_of_a_session_are_told_apart():
    """By their ids: what the user said in that turn, the attempts of that call, the tools of its answer."""

    def event(name, event_type, time_ms, **properties):
        return {"id": name, "event_type": event_type, "time_ms": time_ms, "properties": properties}

    events = [
        event("u1", "user_message", 1, turn_id="t1"),
        event("u2", "user_message", 2, turn_id="t2"),
        event("a0", "llm_message", 3, turn_id="t1", call_id="a", attempt=0),
        event("b0", "llm_message", 4, turn_id="t2", call_id="b", attempt=0),
        event("b1", "llm_message", 5, turn_id="t2", call_id="b", attempt=1),
        event("bt", "tool_called", 5, turn_id="t2"),
        event("a1", "llm_message", 6, turn_id="t1", call_id="a", attempt=1),
        event("at", "tool_called", 6, turn_id="t1"),
        event("a2", "llm_message", 7, turn_id="t1", call_id="c", attempt=0),
    ]
    for chosen, wanted in (("a0", "u1 a0 a1 at"), ("a1", "u1 a0 a1 at"), ("b1", "u2 b0 b1 bt"), ("a2", "u1 a2")):
        assert [each["id"] for each in around(events, chosen)] == wanted.split()
    for each in events:
        each["properties"].pop("call_id", None)
    assert [each["id"] for each in around(events, "b1")] == ["b0", "b1", "bt", "a1", "at"]


def test_a_store_that_is_just_being_made(tmp_path, monkeypatch):
    """Is none yet, at whatever moment somebody looks; whoever waits for it goes on waiting."""
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as begun:
        begun.execute("PRAGMA journal_mode = WAL")
    real = Reader.one

    def late(self, *args):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            migrate(other)
        return real(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(Reader, "one", late)
        with pytest.raises(StoreMissingError):
            Reader(path)
    Reader(path).close()
