"""What kind of work a call was, by the parsers' word and the path: in OpenTelemetry's words where it has one."""

import pytest

from amplitude_ai.sessions._operations import is_conversation, is_message, operation_name

from .records import call

#: The parsers' word, what it is told as, whether it is a message, whether what it was given may be what a user said.
WORDS = [
    ("chat", "chat", True, True),
    ("messages", "chat", True, True),
    ("responses", "chat", True, True),
    ("run", "chat", True, True),
    ("runs", "chat", True, True),
    ("converse", "chat", True, True),
    ("interactions", "chat", True, True),
    ("generate", "generate_content", True, True),
    ("completion", "text_completion", True, True),
    ("completions", "text_completion", True, True),
    ("embeddings", "embeddings", False, False),
    ("embed", "embeddings", False, False),
    ("image", "image_generation", False, True),
    ("images", "image_generation", False, True),
    ("video", "video_generation", False, True),
    ("audio", "audio", False, False),
    ("moderation", "moderation", False, False),
    ("moderations", "moderation", False, False),
    ("rerank", "rerank", False, False),
    ("ocr", "ocr", False, False),
    ("dreaming", "dreaming", False, True),
    ("", "chat", True, True),
]


@pytest.mark.parametrize(("word", "name", "message", "conversation"), WORDS)
def test_words(word, name, message, conversation):
    """Each; one that nobody knows is told as it is."""
    told = operation_name(call("Hello", operation=word))
    assert (told, is_message(told), is_conversation(word)) == (name, message, conversation)


@pytest.mark.parametrize(
    ("operation", "endpoint", "name"),
    [
        ("audio", "/v1/audio/speech", "text_to_speech"),
        ("audio", "/v1/audio/speech/", "text_to_speech"),
        ("audio", "/v1/audio/transcriptions", "speech_to_text"),
        ("audio", "/v1/audio/translations", "speech_to_text"),
        *(("audio", f"/v1/{end}", "text_to_speech") for end in ("tts", "speak", "t2a_v2", "text-to-dialogue")),
        *(("audio", f"/v1/{end}", "speech_to_text") for end in ("stt", "listen", "speech-to-text")),
        ("audio", "/v1/text-to-speech/a-voice", "text_to_speech"),
        ("audio", "/v1/sounds", "audio"),
        ("chat", "/v1beta/models/g:generateContent", "generate_content"),
        ("chat", "/v1beta/models/g:streamGenerateContent", "generate_content"),
        ("chat", "/v1/speech", "chat"),
    ],
)
def test_paths(operation, endpoint, name):
    """The path says which audio it was, and which chat."""
    assert operation_name(call("Hello", operation=operation, endpoint=endpoint)) == name


def test_an_unknown_operation_is_a_message():
    """Events told by hand may say nothing of it."""
    assert is_message(None)
