"""What a provider may choose is cut where it enters: every name and id, whichever of them is the long one."""

from dataclasses import fields

import pytest

from amplitude_ai._models import CallError, LLMCall, ToolCall, ToolResult, Usage
from amplitude_ai.parsers._bounds import bounded

LONG = "n" * 513
WHOLE = "n" * 512
#: Texts that are cut elsewhere, or are ours.
NOT_CUT = {"provider", "operation", "output_text", "usage_source", "parse_error", "end_user"}
NAMES = [
    "requested_model",
    "model",
    "price_model",
    "price_provider",
    "finish_reason",
    "response_id",
    "service_tier",
    "provider_request_id",
]


def made(**changes):
    """A call, bounded."""
    return bounded(LLMCall("p", "chat", **changes))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_call(name):
    """512 characters are kept, and nothing of the others is lost."""
    assert getattr(made(**{name: WHOLE}), name) == WHOLE
    cut = made(**{name: LONG, "output_text": LONG})
    assert (getattr(cut, name), cut.output_text) == (WHOLE, LONG)
    assert all(getattr(cut, other) is None for other in NAMES if other != name)


def test_every_text_of_a_call_is_here():
    """A field that is added is cut, or said to be cut elsewhere."""
    texts = {one.name for one in fields(LLMCall) if "str" in str(one.type) and "Mapping" not in str(one.type)}
    assert texts == {*NAMES, *NOT_CUT, "host", "endpoint", "billed_besides"}


def test_what_other_models_did():
    """Their names are cut; of too many none is looked up, and a call of which a part has no price has none."""
    usage = Usage(1, 2)
    assert made(billed_besides=((LONG, usage),)).billed_besides == ((WHOLE, usage),)
    assert made(billed_besides=(("m", usage),) * 64).billed_besides == (("m", usage),) * 64
    assert made(billed_besides=(("m", usage),) * 65).billed_besides == (("", Usage()),)


def test_where_it_was_sent():
    """A host's name, and twice as much of a path."""
    call = made(host=LONG, endpoint="/" * 1025)
    assert (len(call.host), len(call.endpoint)) == (512, 1024)


def test_errors():
    """Type, code and, later, the message."""
    call = made(error=CallError(LONG, "m" * 16_001, LONG))
    assert (call.error.type, len(call.error.message), call.error.code) == (WHOLE, 16_000, WHOLE)
    assert made(error=CallError(None)).error == CallError(None)


@pytest.mark.parametrize("name", ["name", "id", "type", "error_message"])
def test_tools(name):
    """Each name, and the message of an error; arguments and results have limits of their own."""
    facts = {"name": "look", "id": "c1", "arguments": LONG, "result": LONG, "error_message": "no"}
    limit = 16_000 if name == "error_message" else 512
    (tool,) = made(tool_calls=(ToolCall(**{**facts, name: "n" * (limit + 1)}),)).tool_calls
    assert getattr(tool, name) == "n" * limit
    assert (tool.arguments, tool.result) == (LONG, LONG)
    assert {other: getattr(tool, other) for other in facts if other != name} == {
        other: value for other, value in facts.items() if other != name
    }


@pytest.mark.parametrize("name", ["name", "id"])
def test_results(name):
    """The same of those that a request carries back."""
    facts = {"id": "c1", "name": "look", "content": LONG}
    (result,) = made(tool_results=(ToolResult(**{**facts, name: LONG}),)).tool_results
    assert {other: getattr(result, other) for other in facts} == {**facts, name: WHOLE}


def test_how_many():
    """The first 256 tool calls of an answer, the last 4,096 results of a history."""
    calls = made(tool_calls=tuple(ToolCall(f"t{number}") for number in range(257))).tool_calls
    results = made(tool_results=tuple(ToolResult(f"r{number}", "") for number in range(4097))).tool_results
    assert (len(calls), calls[-1].name) == (256, "t255")
    assert (len(results), results[0].id) == (4096, "r1")
