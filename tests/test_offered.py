"""The tools that a request offers, read once."""

import pytest

from amplitude_ai.sessions import _offered
from amplitude_ai.sessions._conversation import canonical, digest


def tool(**schema):
    return {"type": "function", "function": {"name": "look_up", "parameters": schema}}


@pytest.mark.parametrize(
    "definitions",
    [(tool(minimum=1),), (tool(minimum=True),), (tool(minimum=1.0),), (tool(minimum=None),), (tool(a="\ud800"),), ()],
    ids=repr,
)
def test_what_is_remembered_is_what_would_be_read(definitions):
    """Also of definitions that are equal to Python, and of which JSON is not: 1, 1.0 and true."""
    for _ in range(2):
        told = _offered.offered(definitions)
        assert told.hash == (digest(canonical(list(definitions))) if definitions else b"")
        assert told.names == ("look_up" if definitions else None)


def test_they_are_read_once(monkeypatch):
    """Of so many sets as are remembered, and no more."""
    read = []
    original = _offered._read
    monkeypatch.setattr(_offered, "_read", lambda definitions: read.append(definitions) or original(definitions))
    monkeypatch.setattr(_offered, "_MAX_SETS", 2)
    _offered._known.clear()
    one, other, third = ((tool(minimum=number),) for number in (11, 12, 13))
    for definitions in (one, other, one, third, one, other):
        _offered.offered(definitions)
    assert read == [one, other, third, other]
    assert len(_offered._known) == 2


def test_long_names_and_deep_definitions_are_not_remembered():
    """What is remembered has a bound in bytes."""
    _offered._known.clear()
    long = tuple({"name": f"{number}" * 200} for number in range(1000, 1100))
    assert len(_offered.offered(long).names) > 4096
    deep = []
    for _ in range(500):
        deep = [deep]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_offered.marshal, "dumps", lambda *_: (_ for _ in ()).throw(ValueError("nested too deeply")))
        assert _offered.offered((tool(items=deep),)).names == "look_up"
    assert not _offered._known
