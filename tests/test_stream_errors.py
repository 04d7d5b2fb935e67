"""An error in the midst of a stream that began with 200: type and words are told, and what came before it stands."""

from dataclasses import replace

import pytest

from amplitude_ai.parsers._read import read
from amplitude_ai.sessions._result import classify

from .test_parsers import EXAMPLES, STREAMS, where

BUSY = {"type": "overloaded_error", "message": "Overloaded"}
NAMED = {"error": BUSY}
TOLD = ("overloaded_error", "Overloaded")
THROTTLED = ("throttlingException", {"message": "Overloaded"})
THROTTLED_TOLD = ("throttlingException", "Overloaded")
#: Format -> the frames in which its servers tell one, each with the type and message it tells.
ERRORS = {
    "openai.chat": [
        (NAMED, *TOLD),
        ({"error": {"message": "Overloaded", "code": 503}}, None, "Overloaded"),  # OpenRouter's
        ({"object": "error", **BUSY}, *TOLD),  # vLLM's
        ({"x_groq": NAMED}, *TOLD),
        ({"choices": [{"index": 0, "delta": {}, "finish_reason": "error", **NAMED}]}, *TOLD),  # OpenRouter's upstream
    ],
    "openai.responses": [
        (("error", {"type": "error", "code": "server_error", "message": "Overloaded"}), "server_error", "Overloaded"),
        (("error", {"type": "error", **NAMED}), *TOLD),
        (
            (
                "response.failed",
                {
                    "type": "response.failed",
                    "response": {"status": "failed", "error": {"code": "server_error", "message": "Overloaded"}},
                },
            ),
            "server_error",
            "Overloaded",
        ),
    ],
    "openai.runs": [(("error", NAMED), *TOLD), (("error", BUSY), *TOLD)],
    "openai.completions": [(NAMED, *TOLD)],
    "anthropic.messages": [(("error", {"type": "error", "error": BUSY}), *TOLD)],
    "anthropic.completions": [(("error", {"error": BUSY}), *TOLD)],
    "google.generate": [
        ({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}, "UNAVAILABLE", "Overloaded")
    ],
    "google.interactions": [
        (
            ("error", {"event_type": "error", "error": {"code": "unavailable", "message": "Overloaded"}}),
            "unavailable",
            "Overloaded",
        )
    ],
    "bedrock.converse": [(THROTTLED, *THROTTLED_TOLD)],
    "bedrock.invoke": [(THROTTLED, *THROTTLED_TOLD)],
    "bedrock.agent": [(THROTTLED, *THROTTLED_TOLD)],
    "cohere.chat": [({"error": "Overloaded"}, None, "Overloaded")],
    "cohere.generate": [({"error": "Overloaded"}, None, "Overloaded")],
    "mistral.fim": [(NAMED, *TOLD)],
    "mistral.conversations": [
        (
            (
                "conversation.response.error",
                {"type": "conversation.response.error", "message": "Overloaded", "code": 500},
            ),
            None,
            "Overloaded",
        ),
        (NAMED, *TOLD),
    ],
    "ollama.chat": [({"error": "Overloaded"}, None, "Overloaded")],
    "huggingface.generate": [({"error": "Overloaded", "error_type": "overloaded"}, "overloaded", "Overloaded")],
    "watsonx.text": [({"error": {"message": "Overloaded"}}, None, "Overloaded")],
    "aleph_alpha.complete": [({"error": "Overloaded"}, None, "Overloaded")],
    "lmstudio.chat": [
        (
            ("error", {"type": "error", "error": {"type": "internal_error", "message": "Overloaded"}}),
            "internal_error",
            "Overloaded",
        )
    ],
    "dashscope.generation": [(("error", {"code": "Throttling", "message": "Overloaded"}), "Throttling", "Overloaded")],
    "sap.orchestration": [
        ({"error": {"request_id": "q1", "code": 503, "message": "Overloaded", "location": "LLM"}}, None, "Overloaded"),
        ({"error": [{"request_id": "q1", "code": 503, "message": "Overloaded"}]}, None, "Overloaded"),
        ({"request_id": "q1", "code": 503, "message": "Overloaded", "location": "LLM Module"}, None, "Overloaded"),
    ],
    "yandex.completion": [
        ({"error": {"grpcCode": 14, "httpCode": 503, "message": "Overloaded", "httpStatus": "x"}}, None, "Overloaded")
    ],
    "deepinfra.inference": [
        ({"error_type": "overloaded_error", "error_message": "Overloaded"}, *TOLD),
        (NAMED, *TOLD),
    ],
    "snowflake.agent": [
        (("error", {"code": "399504", "message": "Overloaded", "request_id": "q1"}), "399504", "Overloaded")
    ],
    "writer.task": [(NAMED, *TOLD)],
    "llamacpp.completion": [({"error": {"code": 503, **BUSY}}, *TOLD)],
    "cloudflare.run": [({"error": "Overloaded"}, None, "Overloaded")],
    # Answers of one object: what stands between makes events of them, and errors.
    **{
        name: [(NAMED, *TOLD)]
        for name in (
            *("bedrock.rerank", "classification.labels", "cohere.embed", "cohere.rerank", "deepgram.speech"),
            *("elevenlabs.sound", "google.embed", "google.predict", "mistral.ocr", "replicate.prediction"),
        )
    },
}
#: A tool's answer has no midst; an endpoint's container streams bytes, an exception comes beside them.
NONE = {"mcp.tools"}


def errors(example):
    """How the servers of an example tell one. A format that is not in the table: as nearly all do."""
    if where(example).format in NONE:
        return []
    return ERRORS.get(
        where(example).format, [(THROTTLED, *THROTTLED_TOLD)] if example.kind == "aws" else [(NAMED, *TOLD)]
    )


ROWS = [
    pytest.param(example, *row, id=f"{example.name}-{number}")
    for example in STREAMS
    for number, row in enumerate(errors(example))
    # An event of AWS's stream, a line and an item of an array have no name of their own.
    if example.kind == "aws" or example.kind == "sse" or not isinstance(row[0], tuple)
]


@pytest.mark.parametrize(("example", "frame", "kind", "message"), ROWS)
def test_an_error_in_the_midst(example, frame, kind, message):
    """After the first half of the frames comes the error."""
    whole = read(example.exchange())
    broken = replace(example, answer=[*example.answer[: max(1, len(example.answer) // 2)], frame])
    call = read(broken.exchange())
    assert (call.error.type, call.error.message) == (kind, message)
    assert (whole.output_text or "").startswith(call.output_text or "")
    assert call.parse_error is None
    assert call.requested_model == whole.requested_model


@pytest.mark.parametrize(
    "example",
    [one for one in STREAMS if read(one.exchange()).output_text and errors(one)],
    ids=lambda one: one.name,
)
def test_what_was_said_before_the_error_stands(example):
    """All frames that told a text, then the error: the text is whole."""
    frame, kind, message = errors(example)[0]
    if example.kind != "aws" and example.kind != "sse" and isinstance(frame, tuple):
        frame = frame[1]
    call = read(replace(example, answer=[*without_end(example.answer), frame]).exchange())
    assert call.output_text == read(example.exchange()).output_text
    assert (call.error.type, call.error.message) == (kind, message)


def without_end(frames):
    """The frames but the ``[DONE]`` behind which nothing is told."""
    return [frame for frame in frames if frame != "[DONE]"]


REFUSED = {
    "openai": ({"error": BUSY}, *TOLD),
    "google": ({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}, "UNAVAILABLE", "Overloaded"),
    "cohere, mistral": ({"message": "Overloaded", "type": "overloaded_error"}, *TOLD),
    "ollama": ({"error": "Overloaded"}, None, "Overloaded"),
    "watsonx": ({"errors": [{"code": "overloaded_error", "message": "Overloaded"}], "trace": "t1"}, *TOLD),
    "a problem": ({"type": "about:blank", "title": "overloaded_error", "status": 529, "detail": "Overloaded"}, *TOLD),
}


@pytest.mark.parametrize("shape", REFUSED)
@pytest.mark.parametrize(
    "example", [one for one in EXAMPLES if where(one) and not where(one).guessed], ids=lambda one: one.name
)
def test_a_refusal_in_anybodys_words(example, shape):
    """A gateway before the provider refuses in words of its own: whichever format it is, they are read."""
    body, kind, message = REFUSED[shape]
    call = read(replace(example, answer=body, kind="json", status=529, headers={}).exchange())
    assert (call.error.type, call.error.message) == (kind, message)
    assert not call.output_text
    assert call.usage.output_tokens is None


@pytest.mark.parametrize("example", STREAMS, ids=lambda one: one.name)
def test_a_stream_without_a_byte(example):
    """It ended as a wire should, and yet nobody got an answer: no success."""
    exchange = example.exchange(b"")
    call = read(exchange)
    if call.streaming:  # by its request: nothing else tells
        assert classify(call, exchange).error_type == "incomplete_stream"
    else:
        assert call.complete
