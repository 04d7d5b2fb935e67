"""`parsers/_pieces.py`: a long request decoded in pieces is what it is decoded as a whole, or is decoded as a whole."""

import json
from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amplitude_ai.parsers import _json, _pieces

from . import corpus

#: Texts that look like the cuts, and like the conversation's beginning.
TRAPS = [
    '"},{"role":"user"',
    '},{"role":"',
    '"messages":[',
    "\\",
    '\\"',
    '{"messages":[{"role":"a"},{"role":"b"}]}',
    "}]}",
    "]",
]
TEXT = st.lists(st.one_of(st.sampled_from(TRAPS), st.text(max_size=8)), max_size=6).map("".join)
TURN = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": TEXT}),
    st.fixed_dictionaries(
        {"content": st.lists(st.fixed_dictionaries({"type": TEXT, "role": TEXT}))}, optional={"role": TEXT}
    ),
    st.fixed_dictionaries({"parts": st.lists(st.fixed_dictionaries({"text": TEXT}))}, optional={"role": TEXT}),
    st.fixed_dictionaries({"type": TEXT, "messages": st.lists(st.fixed_dictionaries({"role": TEXT}))}),
    TEXT,
)
NAME = st.sampled_from(["messages", "contents", "input"])
BODY = st.lists(
    st.one_of(
        st.tuples(NAME, st.lists(TURN, max_size=12)),
        st.tuples(
            st.sampled_from(["model", "tools", "system", "messages"]), st.one_of(TEXT, st.lists(TURN, max_size=3))
        ),
    ),
    max_size=4,
)


@pytest.fixture
def small(monkeypatch):
    """Any document is long."""
    monkeypatch.setattr(_pieces, "PIECE", 24)


def spelled(pairs, spaced):
    """The document; names may come twice."""
    comma, colon = (" ,\n ", " : ") if spaced else (",", ":")
    members = (f"{json.dumps(name)}{colon}{json.dumps(value, separators=(comma, colon))}" for name, value in pairs)
    return f"{{{comma.join(members)}}}".encode()


@settings(max_examples=600, deadline=None)
@given(BODY, st.booleans())
def test_a_document_means_the_same_in_pieces(pairs, spaced):
    """Whatever its texts look like, wherever the conversation stands, and where an object names it twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pieces, "PIECE", 24)
        data = spelled(pairs, spaced)
        found = _pieces.loads_in_pieces(data)
    if found is not None:
        whole = orjson.loads(data)
        assert found == whole
        assert list(found) == list(whole)


@settings(max_examples=600, deadline=None)
@given(st.lists(TURN, min_size=3, max_size=8), st.data())
def test_what_is_no_json_is_none_in_pieces(turns, data):
    """A byte that is missing, one too many or another one: what is decoded in pieces could be decoded as a whole."""
    whole = spelled([("model", "m"), ("messages", turns), ("stream", True)], False)
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.sampled_from([b"", b",", b'"', b"]", b"}", b"[", b"{", b"\\", b"\xff", b"{},", b"x"]))
    damaged = whole[:at] + put + whole[at + data.draw(st.integers(0, 2)) :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pieces, "PIECE", 24)
        found = _pieces.loads_in_pieces(damaged)
    if found is not None:
        assert found == orjson.loads(damaged)


@pytest.mark.parametrize("name", corpus.FOLDERS)
def test_the_recorded_requests(name, small):
    """Each request of the corpora; most of those that have several turns are cut."""
    if not corpus.FOLDERS[name].exists():
        pytest.skip("the corpus is not there")
    cut = several = 0
    for row in corpus.exchanges(name):
        body = corpus.request_bytes(row)
        try:
            whole = orjson.loads(body or b"")
        except ValueError:
            continue
        found = _pieces.loads_in_pieces(body)
        turns = whole.get("messages") if isinstance(whole, dict) else None
        several += isinstance(turns, list) and len(turns) > 3
        cut += found is not None
        assert found is None or found == whole
    assert cut >= several / 2
    assert name == "cases" or several > 10


@pytest.mark.parametrize("name", ["messages", "contents", "input"])
def test_a_long_conversation_is_never_decoded_in_one_call(name, monkeypatch):
    """Of many turns or of huge ones, no call of the parser is given more than a turn and a piece."""
    sizes = []

    def counting(data):
        sizes.append(len(data))
        return orjson.loads(data)

    for count, size in ((5000, 1000), (20, 250_000)):
        turns = [{"role": ("user", "assistant")[at % 2], "content": 'a "word" ' * (size // 9)} for at in range(count)]
        tools = [{"messages": [1], "contents": [1], "input": [1]}]
        data = json.dumps({"model": "m", "tools": tools, name: turns, "stream": True}).encode()
        whole = orjson.loads(data)
        sizes.clear()
        with monkeypatch.context() as patch:
            patch.setattr(_pieces, "orjson", SimpleNamespace(loads=counting))
            patch.setattr(_json, "orjson", None)  # whoever decodes it as a whole fails
            assert _json.loads_whole(data) == whole
        assert max(sizes) < 3 * _pieces.PIECE + 2 * size


def test_what_cannot_be_cut_is_decoded_as_a_whole():
    """Turns each spelled another way, no conversation at all, one turn: nothing is lost but the short steps."""
    for value in (
        {"messages": [{f"key{at}": "x" * 1000} for at in range(1000)]},
        {"prompt": "x" * 1_000_000},
        {"messages": [{"role": "user", "content": "x" * 1_000_000}]},
        ["x" * 1_000_000],
    ):
        data = json.dumps(value).encode()
        assert _pieces.loads_in_pieces(data) is None
        assert _json.loads_whole(data) == value
