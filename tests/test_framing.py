"""What a body is, whatever its label says; bytes that applications' own parsers read; errors inside streams."""

import itertools
import json
from dataclasses import replace

import pytest

from amplitude_ai.parsers._read import read

from .fixtures import anthropic, google, openai, others
from .fixtures._wire import Example

CHAT = "https://api.openai.com/v1/chat/completions"
CLAUDE = "https://api.anthropic.com/v1/messages"
ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
LABELS = [
    "text/event-stream",
    "application/json",
    "application/octet-stream",
    "text/plain",
    "application/stream+json",
    "application/x-ndjson",
    "text/html",
    "",
]
HEADS = [b"", b"\n", b"\r\n\r\n", b": keep-alive\n\n", b"id: 1\n", b"retry: 3000\n\n", b"\xef\xbb\xbf", b":\n", b"  \n"]
SSE = [one for one in (*openai.EXAMPLES, *anthropic.EXAMPLES, *google.EXAMPLES, *others.EXAMPLES) if one.kind == "sse"]


def answered(body, label="text/event-stream", url=CHAT, request=None, status=200, chunks=None):
    """The call that this body is read as."""
    exchange = Example("x", url, request or ASK, [], {}, kind="sse", status=status).exchange(body, chunks)
    return read(replace(exchange, response_headers={"content-type": label} if label else {}))


def same(call):
    """What two readings of one answer must agree on."""
    tools = [(tool.name, tool.id, tool.arguments) for tool in call.tool_calls]
    return call.output_text, call.usage, tools, call.finish_reason, call.complete, call.error, call.streaming


@pytest.mark.parametrize("example", SSE, ids=lambda one: one.name)
def test_a_stream_is_one_whatever_its_label(example):
    """Events labelled otherwise or not at all, after comments, ids, blank lines or a BOM, are the same call."""
    expected = same(read(example.exchange()))
    for label, head in itertools.product(LABELS, HEADS):
        exchange = example.exchange(head + example.body)
        found = read(replace(exchange, response_headers={"content-type": label} if label else {}))
        assert same(found) == expected, (label, head)


@pytest.mark.parametrize("label", LABELS)
def test_one_json_is_an_answer_whatever_its_label(label):
    """A whole answer labelled as a stream: a proxy that does not stream."""
    body = {
        "model": "m",
        "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    for text in (json.dumps(body), json.dumps(body, indent=2), "\n\n" + json.dumps(body) + "\n"):
        call = answered(text.encode(), label)
        assert (call.output_text, call.usage.input_tokens, call.finish_reason, call.complete) == (
            "Hello",
            3,
            "stop",
            True,
        )
        assert call.parse_error is None


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_one_json_error_whatever_its_label(label, status):
    """An error in a body that was to be a stream."""
    body = json.dumps({"error": {"type": "overloaded", "message": "Busy"}}).encode()
    call = answered(body, label, status=status)
    assert (call.error.type, call.error.message) == ("overloaded", "Busy")


@pytest.mark.parametrize("label", LABELS)
def test_json_lines(label):
    """Chunks one a line, without ``data:``."""
    pieces = [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}}]},
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]},
    ]
    for end in (b"\n", b"\r\n", b"\n\n", b""):
        _is_hello(answered(b"".join(json.dumps(piece).encode() + end for piece in pieces), label))


def _is_hello(call):
    assert (call.output_text, call.finish_reason, call.streaming, call.complete) == ("Hello", "stop", True, True)


PIECE = b'data: {"model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}}]}\n\n'
OVERLOADED = ("overloaded", "Busy")
ERRORS = {
    "openai": (b'data: {"error": {"type": "overloaded", "message": "Busy"}}\n\n', OVERLOADED),
    "flat event": (b'event: error\ndata: {"type": "overloaded", "message": "Busy"}\n\n', OVERLOADED),
    "flat, typed error": (b'data: {"type": "error", "message": "Busy"}\n\n', (None, "Busy")),
    "event of text": (b"event: error\ndata: Busy\n\n", (None, "Busy")),
    "an error line": (b'error: {"error": {"type": "overloaded", "message": "Busy"}}\n\n', OVERLOADED),
    "a flat error line": (b'error: {"type": "overloaded", "message": "Busy"}\n\n', OVERLOADED),
    "a text error line": (b"error: Busy\n\n", (None, "Busy")),
    "text": (
        b"data: upstream connect error or disconnect/reset before headers\n\n",
        (None, "upstream connect error or disconnect/reset before headers"),
    ),
    "text before the end": (b"data: Internal Server Error\n\ndata: [DONE]\n\n", (None, "Internal Server Error")),
    "text without its blank line": (b"data: Request timed out", (None, "Request timed out")),
    "two values in an event": (
        b'data: {"choices": [{"index": 0, "delta": {"content": "lo"}}]}'
        b'{"error": {"type": "overloaded", "message": "Busy"}}\n\n',
        OVERLOADED,
    ),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("status", [200, 429, 500])
@pytest.mark.parametrize("begun", [True, False])
def test_errors_in_streams(name, status, begun):
    """An error is told by whatever words it came in, alone or after the first tokens, under any status."""
    text, (kind, message) = ERRORS[name]
    call = answered((PIECE if begun else b"") + text, status=status)
    assert (call.error.type, call.error.message) == (kind, message)


@pytest.mark.parametrize(
    "noise", [b"data: ping\n\n", b"data:\n\n", b"data: keep-alive\n\n", b": error\n\n", b"data: [DONE]\n\n"]
)
def test_what_is_no_error(noise):
    """Pings and comments are none; nor is the model's own text."""
    body = noise + PIECE + b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n' + noise
    call = answered(body)
    assert (call.error, call.output_text, call.complete) == (None, "Hel", True)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_that_end_with_one_line_end(end):
    """No blank lines between events, with names or without."""
    for names in (True, False):
        events = [
            {"type": "message_start", "message": {"model": "c", "content": [], "usage": {"input_tokens": 3}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ]
        lines = []
        for event in events:
            lines += [b"event: " + event["type"].encode()] if names else []
            lines.append(b"data: " + json.dumps(event).encode())
        call = answered(end.join(lines) + end, url=CLAUDE)
        assert (call.output_text, call.usage.output_tokens, call.complete) == ("Hello", 2, True)


def test_one_value_over_several_lines():
    """An event's lines are one value, as the standard has it."""
    body = b'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\n'
    assert answered(body).output_text == "Hi"


def piece(text):
    """A chunk with this text, written as ASCII escapes."""
    value = {"model": "m", "choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def test_split_surrogates_are_joined():
    """Half a character at the end of a delta, the other half at the beginning of the next."""
    assert answered(piece("a\ud83d") + piece("\ude00b") + b"data: [DONE]\n\n").output_text == "a😀b"


def test_lone_surrogates_do_no_harm():
    """One without its other half becomes a replacement character."""
    call = answered(piece("a\ud83db") + b"data: [DONE]\n\n")
    assert call.output_text == "a\ufffdb"
    call.output_text.encode()


ANSWER = {
    "model": "m",
    "choices": [{"message": {"content": "Hé 😀"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3},
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_of_json(encoding):
    """What ``json.loads`` and httpx read of a plain body."""
    call = answered(json.dumps(ANSWER, ensure_ascii=False).encode(encoding), "application/json")
    assert (call.output_text, call.usage.input_tokens, call.parse_error) == ("Hé 😀", 3, None)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_no_json(number):
    """Python's servers write them, Python's clients read them."""
    text = json.dumps({**ANSWER, "logprob": 0}).replace('"logprob": 0', f'"logprob": {number}')
    assert answered(text.encode(), "application/json").output_text == "Hé 😀"
    assert answered(b"data: " + text.encode() + b"\n\ndata: [DONE]\n\n").output_text == "Hé 😀"
    counted = text.replace('"prompt_tokens": 3', f'"prompt_tokens": {number}')
    assert answered(counted.encode(), "application/json").usage.input_tokens is None


def test_deep_json_is_an_error_of_the_body():
    """Nested deeper than any reader goes: no JSON, and no exception."""
    call = answered(b'{"choices": ' + b"[" * 100_000, "application/json")
    assert call.parse_error == "ResponseNotJSON"


def test_a_request_with_lone_surrogates():
    """The prompt is read, the half character replaced."""
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi \ud83d"}]}
    request["messages"].append({"role": "tool", "tool_call_id": "c\ud83d", "content": "\ud83d"})
    call = answered(json.dumps(ANSWER).encode(), "application/json", request=request)
    assert [turn.text for turn in call.messages] == ["Hi \ufffd", "\ufffd"]
    assert [(result.id, result.content) for result in call.tool_results] == [("c\ufffd", "\ufffd")]


def tools(*deltas):
    """The tools of a chat stream whose chunks hold these lists of tool call deltas."""
    chunks = [{"model": "m", "choices": [{"index": 0, "delta": {"tool_calls": one}}]} for one in deltas]
    call = read(Example("x", CHAT, ASK, [*chunks, "[DONE]"], {}, kind="sse").exchange())
    return [(tool.name, tool.arguments) for tool in call.tool_calls]


def delta(name=None, arguments=None, **more):
    """One tool call's delta."""
    made = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {**more, "function": made}


TWO = [("look", {"q": 1}), ("look", {"q": 2})]


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        # Parallel calls, all at index 0, with empty ids, whole.
        ([[delta("look", '{"q":1}', index=0, id="")], [delta("look", '{"q":2}', index=0, id="")]], TWO),
        ([[delta("look", '{"q":1}', index=0, id=""), delta("look", '{"q":2}', index=0, id="")]], TWO),
        ([[delta("look", '{"q":1}', index=0)], [delta("look", '{"q":2}', index=0)]], TWO),
        ([[delta("look", "{}", index=0, id="")], [delta("see", "{}", index=0, id="")]], [("look", {}), ("see", {})]),
        # In pieces, all at index 0, with empty ids.
        (
            [
                [delta("look", "", index=0, id="")],
                [delta(None, '{"q"', index=0, id="")],
                [delta(None, ":1}", index=0, id="")],
                [delta("look", "", index=0, id="")],
                [delta(None, '{"q":2}', index=0, id="")],
            ],
            TWO,
        ),
        # One call without index, its name and id in each delta.
        (
            [
                [delta("look", '{"q"', id="c1")],
                [delta("look", ":", id="c1")],
                [delta("look", "1}", id="c1")],
            ],
            [("look", {"q": 1})],
        ),
        # The same without ids.
        ([[delta("look", '{"q"')], [delta("look", ":1}")]], [("look", {"q": 1})]),
        ([[delta("look", '{"q"')], [delta(None, ":1}")]], [("look", {"q": 1})]),
        ([[delta("look", "")], [delta("look", '{"q":1}')], [delta("look", '{"q":2}')]], TWO),
        # The name repeated at one index, the arguments in pieces.
        ([[delta("look", '{"q"', index=0, id="c1")], [delta("look", ":1}", index=0)]], [("look", {"q": 1})]),
        # Arguments as objects.
        ([[delta("look", {"q": 1}, index=0, id="")], [delta("look", {"q": 2}, index=0, id="")]], TWO),
        # Two at once, interleaved by index: as OpenAI has it.
        (
            [
                [delta("look", "", index=0, id="a"), delta("look", "", index=1, id="b")],
                [delta(None, '{"q":', index=0), delta(None, '{"q":', index=1)],
                [delta(None, "1}", index=0), delta(None, "2}", index=1)],
            ],
            TWO,
        ),
        # A new id in each delta of one call (old vLLM).
        ([[delta("look", '{"q"', index=0, id="a")], [delta(None, ":1}", index=0, id="b")]], [("look", {"q": 1})]),
    ],
)
def test_parallel_tool_calls(deltas, expected):
    """Arguments that are whole JSON by now end a call: the next name begins another."""
    assert tools(*deltas) == expected


@pytest.mark.parametrize(
    "text", ["error: no such model", "id: 5 is unknown", ": (", "data is missing", "<html>data: x</html>"]
)
def test_plain_text_is_no_stream(text):
    """A server's own words, though they begin as an event's line does, are the message as they stand."""
    for label in ("text/plain", "text/html", ""):
        call = answered(text.encode(), label, status=500)
        assert (call.error.message, call.streaming) == (text, False)
