"""ElevenLabs: speech, dialogue, sounds and music from text, text from speech. https://elevenlabs.io/docs/api-reference

Sound answers with bytes, with timestamps as JSON lines; what it cost in credits is in a header, and no money. Types:
elevenlabs ``types/speech_to_text_chunk_response_model.py``, ``types/audio_with_timestamps_response.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._models import LLMCall, Message, Usage
from ._errors import read_error
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_float, as_str, dicts
from ._media import describe
from ._paths import HostRow, PathRow, on


class _Sound:
    name = "elevenlabs.sound"
    framing = "ndjson"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        heard = [one["text"] for one in (body, *dicts(body.get("transcripts"))) if isinstance(one.get("text"), str)]
        seconds = as_float(body.get("audio_duration_secs"))
        return LLMCall(
            provider=request.provider,
            operation="audio",
            requested_model=as_str(asked.get("model_id")),
            usage=Usage(extra={"input_audio_seconds": seconds} if seconds is not None and seconds >= 0 else {}),
            messages=tuple(Message("user", text) for text in _said(asked)),
            output_text="\n".join(heard) if heard else None,
            response_id=as_str(body.get("transcription_id")),
            # {"detail": {"status", "message"}}, or FastAPI's list
            error=read_error({"error": body["detail"]} if isinstance(body.get("detail"), Mapping) else body)
            if request.refused or body.get("error")
            else None,
        )


FORMATS = (_Sound(),)
HOSTS = (HostRow(r"api\.(?:[a-z.]+\.)?elevenlabs\.io", "elevenlabs", "elevenlabs"),)
PATHS = (
    PathRow(
        r"/v1/(?:text-to-speech|speech-to-speech|voice-changer)/[^/]+(?:/stream)?(?:/with-timestamps)?",
        "elevenlabs.sound",
        "elevenlabs",
        on("elevenlabs"),
    ),
    PathRow(
        r"/v1/(?:speech-to-text|sound-generation|audio-isolation(?:/stream)?|music(?:/detailed)?(?:/stream)?"
        r"|text-to-dialogue(?:/stream)?(?:/with-timestamps)?)",
        "elevenlabs.sound",
        "elevenlabs",
        on("elevenlabs"),
    ),
)


def _said(asked: Mapping[str, Any]) -> Iterator[str]:
    for given in (asked, *dicts(asked.get("inputs"))):
        text = as_str(given.get("text")) or as_str(given.get("prompt"))
        if text is not None:
            yield text
    if asked.get("cloud_storage_url") or asked.get("source_url"):
        yield describe("audio", "url")
