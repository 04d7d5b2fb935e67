"""What kind of work a call was, in OpenTelemetry's words (``gen_ai.operation.name``); where it has none, in like ones.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
"""

from __future__ import annotations

from collections.abc import Mapping

from .._models import LLMCall

CHAT = "chat"
GENERATE_CONTENT = "generate_content"
TEXT_COMPLETION = "text_completion"

#: What the parsers call it → what it is told as.
_NAMES: Mapping[str, str] = {
    "chat": CHAT,
    "messages": CHAT,
    "responses": CHAT,
    "run": CHAT,
    "runs": CHAT,
    "converse": CHAT,
    "interactions": CHAT,
    "generate": GENERATE_CONTENT,
    "completion": TEXT_COMPLETION,
    "completions": TEXT_COMPLETION,
    "embeddings": "embeddings",
    "embed": "embeddings",
    "image": "image_generation",
    "images": "image_generation",
    "video": "video_generation",
    "audio": "audio",
    "moderation": "moderation",
    "moderations": "moderation",
    "rerank": "rerank",
    "ocr": "ocr",
    "classification": "classification",
}
_SPEECH = ("/speech", "/tts", "/speak", "/t2a_v2", "/text-to-dialogue")
_TRANSCRIPTION = ("/transcriptions", "/translations", "/stt", "/listen", "/speech-to-text")
#: What these are given is data to work on, not something a user said; what they give is no message.
_DATA = frozenset({"embeddings", "rerank", "moderation", "moderations", "classification", "ocr", "audio", "embed"})
_TOLD_AS_MESSAGES = frozenset({CHAT, GENERATE_CONTENT, TEXT_COMPLETION})


def operation_name(call: LLMCall) -> str:
    """What ``call`` is told as."""
    if call.operation == "audio":
        endpoint = call.endpoint.rstrip("/")
        if endpoint.endswith(_SPEECH) or "/text-to-speech/" in endpoint:
            return "text_to_speech"
        return "speech_to_text" if endpoint.endswith(_TRANSCRIPTION) else "audio"
    if call.operation == "chat" and call.endpoint.rstrip("/").endswith("enerateContent"):
        return GENERATE_CONTENT
    return _NAMES.get(call.operation, call.operation or CHAT)


def is_message(operation: str | None) -> bool:
    """Whether a model answered somebody: such calls are the messages of a run. Unknown is taken for one."""
    return operation is None or operation in _TOLD_AS_MESSAGES


def is_conversation(operation: str) -> bool:
    """Whether what a call was given may be something that a user said; by the parsers' own word."""
    return operation not in _DATA
