"""Our `dataclass` beside the standard library's: to every observer the same class."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from dataclasses import field
from functools import partial

import pytest

from amplitude_ai import AIConfig
from amplitude_ai._dataclass import dataclass as ours
from amplitude_ai._models import Binding, LLMCall, Usage

ORDINARY = (
    {"frozen": True, "slots": True},
    {"slots": True},
    {"slots": True, "eq": False},
    {"frozen": True, "kw_only": True},
)


def classes(make, options):
    """A class with all that ours have, one of a single field, one of none, and one derived from the first."""

    @make(**options)
    class One:
        name: str
        count: int = 3
        many: list = field(default_factory=list, hash=False)
        hidden: int = field(default=0, repr=False, compare=False)
        made: str = field(init=False)
        also: int = field(init=False, default=7)
        later: dict = field(init=False, default_factory=dict, hash=False)

        def __post_init__(self):
            object.__setattr__(self, "made", self.name.upper())

    @make(**options)
    class Single:
        """Of one field."""

        only: int = 1

    @make(**options)
    class Empty:
        pass

    @make(**options)
    class Derived(One):
        more: str = "more"

    @make(**options)
    class ByHand:
        only: int = 1

        def __repr__(self):
            return "by hand"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 5

    return One, Single, Empty, Derived, ByHand


def told(call):
    """What comes of it, errors too."""
    try:
        return call()
    except Exception as exc:
        return type(exc), str(exc)


def seen(kind, made):
    """What an observer sees of an instance, by values that compare."""
    other = made()
    one = made()
    return {
        "repr": repr(one),
        "equal": (one == other, one != other, one == 1, {type(one).__eq__(one, 1)}),
        "hash": told(lambda: hash(one) == hash(other)) if kind.__hash__ is not object.__hash__ else "its identity",
        "set": [told(lambda name=f.name: setattr(made(), name, 2)) for f in dataclasses.fields(kind)],
        "delete": [told(lambda name=f.name: delattr(made(), name)) for f in dataclasses.fields(kind)],
        "copied": repr(copy.copy(one)),
        "deep": repr(copy.deepcopy(one)),
        "dict": told(lambda: dataclasses.asdict(one)),
        "fields": [
            (f.name, f.type, f.init, f.repr, f.hash, f.compare, f.kw_only, f.default is dataclasses.MISSING)
            for f in dataclasses.fields(kind)
        ],
        "params": repr(kind.__dataclass_params__),
        "match": kind.__match_args__,
        "slots": getattr(kind, "__slots__", None),
        "signature": str(inspect.signature(kind)),
        "wrong": told(lambda: kind(1, 2, 3, 4, 5, 6, 7, 8, 9)),
        "unknown": told(lambda: kind(nonsense=1)),
    }


@pytest.mark.parametrize("options", ORDINARY, ids=str)
def test_it_is_the_standard_librarys(options):
    """Instances compare, print, copy, refuse, are replaced and looked through as if that one had made the class."""
    for mine, standard in zip(classes(ours, options), classes(dataclasses.dataclass, options), strict=True):
        for given in ({"name": "a"}, {"name": "a", "count": 4, "many": [1]}, {"name": "a", "hidden": 9}, {}):
            made, as_made = partial(mine, **given), partial(standard, **given)
            one, expected = told(made), told(as_made)
            if isinstance(expected, tuple):
                assert one == expected
                continue
            assert seen(mine, made) == seen(standard, as_made)
            if len(dataclasses.fields(mine)) > 2:
                assert repr(dataclasses.replace(one, count=8)) == repr(dataclasses.replace(expected, count=8))
                assert one.hidden == expected.hidden
                assert one.many is not mine(name="b").many


def test_what_is_compared_and_what_is_hashed():
    """Not what is left out of it."""
    One = classes(ours, {"frozen": True, "slots": True})[0]
    assert One("a", hidden=1) == One("a", hidden=2)
    assert One("a") != One("b")
    assert hash(One("a", many=[1])) == hash(One("a", many=[2]))
    assert len({One("a"), One("a", hidden=4), One("b")}) == 2


def test_derived_by_the_application():
    """A plain class, and a dataclass of the standard library's, derived from ours: more fields, the same guards."""

    class Plain(Usage):
        pass

    @dataclasses.dataclass(frozen=True)
    class Mine(Usage):
        mine: int = 5

    assert Plain(input_tokens=1).input_tokens == 1
    assert Mine(input_tokens=1).mine == 5
    one = Plain()
    one.own = 1  # no field of ours
    assert one.own == 1
    for made in (Plain(), Mine()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            made.input_tokens = 3
        with pytest.raises(dataclasses.FrozenInstanceError):
            del made.input_tokens
    with pytest.raises(TypeError, match="non-frozen"):
        dataclasses.dataclass(type("Thawed", (Usage,), {}))


def test_pickled_and_copied():
    """With slots and frozen too."""
    call = LLMCall("openai", "chat", usage=Usage(1, 2), output_text="hi")
    for same in (pickle.loads(pickle.dumps(call)), copy.copy(call), copy.deepcopy(call)):
        assert same == call
        assert same is not call
    config = AIConfig(cost_tracking=False)
    assert pickle.loads(pickle.dumps(config)) == config
    binding = Binding(user_id="u")
    assert copy.copy(binding).user_id == "u"
    assert binding != Binding(user_id="u")


def test_a_match_takes_it_apart():
    """By place."""
    match Usage(1, 2):
        case Usage(asked, answered):
            assert (asked, answered) == (1, 2)
        case _:
            pytest.fail("did not match")


PROGRAM = """
import sys, amplitude_ai
amplitude_ai.install_transport()
from amplitude_ai._models import LLMCall
assert type(vars(LLMCall)["__init__"]).__name__ == "_Init"
LLMCall("a", "b")
assert type(vars(LLMCall)["__init__"]).__name__ == "function"
"""


def test_nothing_is_compiled_before_it_is_needed(tmp_path):
    """Or the start of an application would pay for it."""
    env = {"AMPLITUDE_AI_STORE": str(tmp_path / "events.db"), "PATH": "", "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=env, timeout=60)
