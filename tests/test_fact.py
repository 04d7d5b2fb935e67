"""What a parser of the user's own gets and makes behaves as the frozen dataclasses that it looks like."""

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given, strategies

from amplitude_ai import parsing
from amplitude_ai._models import NO_BINDING, Binding, Scope
from amplitude_ai.clients._settings import ClientBinding

from .records import exchange

CALL = parsing.LLMCall(
    "openai",
    "chat",
    model="gpt-5",
    usage=parsing.Usage(3, 4, extra={"pages": 2}),
    messages=(parsing.Message("user", "Hello"),),
    tool_calls=(parsing.ToolCall("c1", "look_up", {"word": "a"}),),
    error=parsing.CallError("overloaded", "later"),
)
FACTS = (
    CALL,
    CALL.usage,
    CALL.messages[0],
    CALL.tool_calls[0],
    CALL.error,
    parsing.ToolResult("c1", "look_up", "a letter"),
    parsing.Frame(None, {"a": 1}, 7),
    parsing.Folded({"a": 1}, True),
    parsing.WireRequest("openai", "api.openai.com", "/v1/chat/completions"),
)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
def test_as_a_dataclass(fact):
    """Fields in their order, ``replace``, ``asdict``, equality, ``repr``, copies and pickles; nothing can be set."""
    assert dataclasses.is_dataclass(fact)
    names = [field.name for field in dataclasses.fields(fact)]
    assert all(hasattr(fact, name) for name in names)
    assert type(fact)(*[getattr(fact, name) for name in names]) == fact
    for same in (dataclasses.replace(fact), copy.copy(fact), copy.deepcopy(fact), pickle.loads(pickle.dumps(fact))):
        assert same == fact
        assert same is not fact
    assert list(dataclasses.asdict(fact)) == names
    assert f"{names[0]}=" in repr(fact)
    with pytest.raises(AttributeError):
        setattr(fact, names[0], None)


@given(strategies.text(), strategies.integers() | strategies.none())
def test_replace(text, tokens):
    """What is named changes, the rest stays; a field that is none is refused."""
    usage = dataclasses.replace(CALL.usage, input_tokens=tokens)
    other = dataclasses.replace(CALL, output_text=text, usage=usage)
    assert (other.output_text, other.usage.input_tokens, other.usage.output_tokens) == (text, tokens, 4)
    assert dataclasses.replace(other, output_text=CALL.output_text, usage=CALL.usage) == CALL
    with pytest.raises(TypeError, match="wrong"):
        dataclasses.replace(CALL, wrong=1)


def test_asdict_goes_down():
    """As far as the values are facts."""
    told = dataclasses.asdict(CALL)
    assert told["usage"]["input_tokens"] == 3
    assert told["messages"] == ({"role": "user", "text": "Hello"},)


def test_what_a_parser_gets_can_be_copied_and_pickled():
    """An exchange knows its client, which knows the scope of its calls, which knows the client."""
    binding = Binding(user_id="u1", session_id="s1")
    for scope in (ClientBinding(user_id="u1").plain, binding.plain, Scope(binding, "u2"), Scope(NO_BINDING)):
        one = exchange(context=scope)
        for same in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert dataclasses.replace(same, context=None) == dataclasses.replace(one, context=None)
            copied = same.context.binding
            assert type(copied) is type(scope.binding)
            assert (same.context.user_id, copied.key) == (scope.user_id, scope.binding.key)
            assert copied.plain == Scope(copied, scope.binding.user_id, scope.binding.session_id)
