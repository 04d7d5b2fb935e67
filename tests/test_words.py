"""`parsers/_words.py`: what a table's patterns match is found by its words, as it is by trying all of them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplitude_ai.parsers import _router
from amplitude_ai.parsers._words import Index, needed
from amplitude_ai.parsers.compatible import HOSTS

PATHS = [row.pattern for row in _router._TABLE]
KNOWN = [row.pattern for row in _router._HOSTS]
WILD = [re.escape(row.pattern).replace(r"\*", ".*") for row in HOSTS if "*" in row.pattern]


def matched(patterns, text):
    return [pattern for pattern in patterns if re.fullmatch(pattern, text)]


def found(patterns, separators, text):
    index = Index(((pattern, pattern) for pattern in patterns), separators)
    return [pattern for pattern in index.candidates(text) if re.fullmatch(pattern, text)]


@pytest.mark.parametrize(("patterns", "separators"), [(PATHS, "/:"), (KNOWN, "."), (WILD, ".")])
@settings(max_examples=300)
@given(data=st.data())
def test_every_text_that_a_pattern_matches_is_found(patterns, separators, data):
    """By that pattern and by all others that match it, in their order."""
    pattern = data.draw(st.sampled_from(patterns))
    text = data.draw(st.from_regex(pattern, fullmatch=True))
    assert pattern in matched(patterns, text)
    assert found(patterns, separators, text) == matched(patterns, text)


PIECES = st.lists(
    st.sampled_from(
        ["v1", "chat", "completions", "models", "messages", "x", "", "gemini:generateContent", "4711", "api"]
    )
)


@given(PIECES.map("/".join))
def test_other_paths_are_found_or_not_as_before(path):
    """Paths of the words that model calls are made of, and of others."""
    assert found(PATHS, "/:", path) == matched(PATHS, path)
    assert _router.is_any(path) == bool(matched(PATHS, path.rstrip("/")))


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r".*/chat/completions", {"completions"}),
        (r".*/text/chatcompletion(?:_v2|_pro)?", {"chatcompletion", "chatcompletion_v2", "chatcompletion_pro"}),
        (r".*/[^/]+:(?:generateContent|streamGenerateContent)", {"generateContent", "streamGenerateContent"}),
        (r".*/threads/(?:[^/]+/)?runs", {"threads"}),
        (r"(?!.*/threads/).*/responses(?:/compact)?", {"responses"}),
        (r"/a/b{2}c/dd", {"dd"}),
        (r"/v[12]/(?:x|yy)z?", {"x", "xz", "yy", "yyz"}),
        (r"/chats*", None),
        (r"/\d+/\w", None),
        (r".*", None),
        (r"/?", None),
        (r"/x|/y(?=z)", None),
        (r"/(named)/(?P<a>b)", None),
        (r"(?:a?b?c?d?e?f?g?h?i?j?){9}/long", {"long"}),
        ("/" + "(?:a|b)" * 12, None),
        (r"/open(", None),
        (r"/open[", None),
        (r"/open{", None),
        (r"/closed)/x", None),
    ],
)
def test_the_words_of_a_pattern(pattern, words):
    """The longest whole part of each reading; none where one reading has none, or the pattern is not understood."""
    assert needed(pattern, "/:") == (None if words is None else frozenset(words))


def test_most_rows_are_told_by_a_word():
    """One may match anything: the bare address of an endpoint of Hugging Face's."""
    assert [pattern for pattern in PATHS if needed(pattern, "/:") is None] == ["/?"]
    assert all(needed(pattern, ".") for pattern in (*KNOWN, *WILD))
