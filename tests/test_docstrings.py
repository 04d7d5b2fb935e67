"""What the public functions, classes and methods say of their parameters is held against their signatures."""

import functools
import inspect
import re
import typing

import pytest

import amplitude_ai
from amplitude_ai import otel, testing, web
from amplitude_ai.clients._keywords import PER_CLIENT, PER_REQUEST
from amplitude_ai.manual import _facts

#: Numbers say in what: one of these words stands in what is said of each.
UNITS = re.compile(r"\b(ms|seconds|usd|bytes|characters|tokens|count|how many|status|scale|0 to 1)\b", re.IGNORECASE)
#: Called by the plugins' own ``execute``, with what Amplitude's client hands on.
INNER = ("handle", "handle_translated", "failed")
ENTRY = re.compile(r"^ {4}(\*{0,2}\w+): ", re.MULTILINE)


def _is_of(module, value):
    """Whether it was made there, and not only imported."""
    return getattr(value, "__module__", None) == module.__name__


def public():
    """(name, what is called, its docstring) of everything public that takes arguments."""
    homes = {name: home for home in (amplitude_ai, web, otel) for name in home.__all__}
    homes |= {name: testing for name, value in vars(testing).items() if _is_of(testing, value) and name[0] != "_"}
    for name, home in homes.items():
        value = getattr(home, name)
        if not callable(value):
            continue
        yield name, value, value.__doc__
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if inspect.isfunction(function) and not method.startswith("_") and method not in INNER:
                    yield f"{name}.{method}", functools.partial(function, None), function.__doc__


PUBLIC = {name: (value, doc or "") for name, value, doc in public()}
#: The keyword arguments of those that take ``**facts`` are parameters too.
PUBLIC["MessageFacts"] = (_facts.MessageFacts, _facts.MessageFacts.__doc__)


def parameters(value):
    """Those that a caller can pass, by the name that the docstring has them under."""
    if value is _facts.MessageFacts:
        return {
            name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=type_)
            for name, type_ in typing.get_type_hints(value).items()
        }
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return {stars.get(one.kind, "") + name: one for name, one in inspect.signature(value).parameters.items()}


def entries(doc):
    """What the sections of arguments or attributes say, by name."""
    text = inspect.cleandoc(doc)
    found = {}
    for section in re.findall(r"^(?:Args|Attributes):\n((?:(?: .*)?\n?)+)", text + "\n", re.MULTILINE):
        parts = ENTRY.split("\n" + section)
        found |= dict(zip(parts[1::2], (" ".join(part.split()) for part in parts[2::2]), strict=True))
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_told_of(name):
    """By its own name, and nothing that does not exist."""
    value, doc = PUBLIC[name]
    assert doc.strip()
    assert entries(doc).keys() == parameters(value).keys()


@pytest.mark.parametrize("name", PUBLIC)
def test_what_a_default_means(name):
    """Where a parameter is ``None`` by default, it says what that means, or one sentence does for all."""
    value, doc = PUBLIC[name]
    said = entries(doc)
    untold = {
        parameter
        for parameter, one in parameters(value).items()
        if one.default is None and not re.search(r"default|None|not known|where|required", said[parameter])
    }
    assert not untold or "``None``" in re.split("^ *(?:Args|Attributes):$", doc, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", PUBLIC)
def test_numbers_have_a_unit(name):
    """Or a scale."""
    value, doc = PUBLIC[name]
    said = entries(doc)
    numbers = {
        parameter
        for parameter, one in parameters(value).items()
        if re.search(r"\b(int|float)\b", str(one.annotation))
        and not UNITS.search(f"{parameter} {said[parameter]}".replace("_", " "))
    }
    assert not numbers


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_raised(name):
    """Whoever takes arguments says what wrong ones come to."""
    value, doc = PUBLIC[name]
    made_by_us = name in ("Spend", "MessageFacts")
    assert made_by_us or not parameters(value) or re.search(r"^ *Raises( nothing\b|:)", doc, re.MULTILINE)


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC if name.startswith("get_") and name != "get_current_session_id"]
)
def test_what_the_factories_classes_take(name):
    """Each keyword that constructors and methods take besides the SDK's is told once; the others refer to that."""
    doc = PUBLIC[name][1]
    if name == "get_openai":
        assert not [word for word in {**PER_CLIENT, **PER_REQUEST} if f"``{word}``" not in doc]
    else:
        assert "get_openai" in doc or {"amplitude_client", "ai_config"} <= set(re.findall(r"\w+", doc))
    assert "ImportError" in doc
