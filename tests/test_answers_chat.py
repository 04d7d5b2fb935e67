"""Chats in pieces, as OpenAI sends them and as its copies stray: tools, refusals, speech, errors, the end."""

import pytest

from .answers import OPENAI, answered, delta, facts


def called(**more):
    """A piece of a tool call."""
    return delta(tool_calls=[more])


CHATS = {
    "arguments by number": (
        [
            called(index=0, id="a", function={"name": "look", "arguments": '{"q"'}),
            called(index=1, id="b", function={"name": "see", "arguments": "{}"}),
            called(index=0, function={"arguments": ": 1}"}),
        ],
        {"tools": [("look", "a", {"q": 1}), ("see", "b", {})]},
    ),
    "by id, without numbers": (
        [
            called(id="a", function={"name": "look", "arguments": '{"q"'}),
            called(id="b", function={"name": "see", "arguments": "{}"}),
            called(id="a", function={"arguments": ": 1}"}),
        ],
        {"tools": [("look", "a", {"q": 1}), ("see", "b", {})]},
    ),
    "whole calls at one number": (
        [
            called(index=0, id="a", function={"name": "look", "arguments": '{"q": 1}'}),
            called(index=0, id="b", function={"name": "look", "arguments": '{"q": 2}'}),
        ],
        {"tools": [("look", "a", {"q": 1}), ("look", "b", {"q": 2})]},
    ),
    "whole calls without ids": (
        [
            called(index=0, function={"name": "look", "arguments": '{"q": {"a": "}"}}'}),
            called(index=0, function={"name": "look", "arguments": '{"q": 2}'}),
        ],
        {"tools": [("look", None, {"q": {"a": "}"}}), ("look", None, {"q": 2})]},
    ),
    "the name in each piece": (
        [
            called(index=0, function={"name": "look", "arguments": '{"q": "\\"'}),
            called(index=0, function={"name": "look", "arguments": '}"}'}),
        ],
        {"tools": [("look", None, {"q": '"}'})]},
    ),
    "arguments as a value": (
        [called(index=0, id="a", function={"name": "look", "arguments": {"q": 1}})],
        {"tools": [("look", "a", {"q": 1})]},
    ),
    "a custom tool": (
        [
            called(index=0, id="a", type="custom", custom={"name": "run", "input": "l"}),
            called(index=0, custom={"input": "s"}),
        ],
        {"tools": [("run", "a", "ls")]},
    ),
    "the function of old": (
        [delta(function_call={"name": "look", "arguments": '{"q"'}), delta(function_call={"arguments": ": 1}"})],
        {"tools": [("look", None, {"q": 1})]},
    ),
    "what Groq ran": (
        [delta(executed_tools=[{"index": 0, "type": "search", "arguments": '{"q": 1}', "output": "Found"}])],
        {"tools": [("search", None, {"q": 1})], "executed": [True]},
    ),
    "a refusal": ([delta(refusal="N"), delta(refusal="o.")], {"output_text": "No."}),
    "speech": ([delta(audio={"transcript": "Yes"}), delta(audio={"transcript": "."})], {"output_text": "Yes."}),
    "Mistral's parts": (
        [delta(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "Yes"}]), delta(content=".")],
        {"output_text": "Yes."},
    ),
    "the first choice": (
        [
            delta(index=1, content="other"),
            delta(index=0, content="Yes"),
            delta("stop", index=1),
            delta("length", index=0),
        ],
        {"output_text": "Yes", "finish_reason": "length", "complete": True},
    ),
    "one choice is not at its end": (
        [delta("stop", index=0, content="Yes"), delta(index=1, content="oth")],
        {"output_text": "Yes", "complete": False},
    ),
    "the whole message at the end": (
        [
            delta(content="Ye"),
            {"choices": [{"index": 0, "message": {"content": "Yes."}, "finish_reason": "stop"}]},
        ],
        {"output_text": "Yes.", "finish_reason": "stop", "complete": True},
    ),
    "done": ([delta(content="Yes"), "[DONE]"], {"output_text": "Yes", "finish_reason": None, "complete": True}),
    "not done": ([delta(content="Yes")], {"output_text": "Yes", "complete": False}),
    "Groq's usage": (
        [delta("stop", content="Yes"), {"id": "y", "choices": [], "x_groq": {"usage": {"prompt_tokens": 7}}}],
        {"usage.input_tokens": 7, "response_id": "x"},
    ),
    "the usage in the choice": (
        [{"choices": [{"index": 0, "delta": {"content": "Yes"}, "usage": {"prompt_tokens": 7}}]}],
        {"usage.input_tokens": 7},
    ),
}


@pytest.mark.parametrize("name", CHATS)
def test_pieces_of_a_chat(name):
    """openai ``types/chat/chat_completion_chunk.py``, and how its copies stray."""
    frames, expected = CHATS[name]
    assert facts(answered(f"{OPENAI}/chat/completions", frames, kind="sse"), expected) == expected


@pytest.mark.parametrize("place", ["error", "flat"])
def test_all_that_an_error_says(place):
    """Type, message and code, in a stream as in a plain answer."""
    told = {"message": "Too long", "type": "BadRequest", "code": 40}
    frame = {"error": told} if place == "error" else {"object": "error", **told}
    for answer, kind in (([frame], "sse"), (frame, "json")):
        error = answered(f"{OPENAI}/chat/completions", answer, kind=kind).error
        assert (error.type, error.message, error.code) == ("BadRequest", "Too long", "40")
