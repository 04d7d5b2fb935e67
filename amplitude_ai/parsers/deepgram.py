"""Deepgram: speech from text, text from speech, text analysis; billed by character or second.

https://developers.deepgram.com/reference. The model is in the query; speech answers with bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._models import CallError, LLMCall, Message, Usage
from ._errors import read_error
from ._format import Folded, Frame, WireRequest, one_object
from ._json import as_dict, as_float, as_str, dicts
from ._media import describe
from ._paths import HostRow, PathRow, on


class _Speech:
    name = "deepgram.speech"

    def fold(self, frames: Iterable[Frame], request: WireRequest) -> Folded:
        return one_object(frames)

    def parse(self, request: WireRequest, body: Mapping[str, Any]) -> LLMCall | None:
        asked = as_dict(request.body)
        told = as_dict(body.get("metadata"))
        heard = next(iter(dicts(as_dict(body.get("results")).get("channels"))), {})
        text = next(iter(dicts(heard.get("alternatives"))), {}).get("transcript")
        seconds = as_float(told.get("duration"))
        said = as_str(asked.get("text")) or (describe("audio", "url") if asked.get("url") else None)
        return LLMCall(
            provider=request.provider,
            operation="chat" if request.path.endswith("/read") else "audio",
            requested_model=as_str(request.query.get("model")),
            model=_model(told),
            usage=Usage(extra={"input_audio_seconds": seconds} if seconds is not None and seconds >= 0 else {}),
            messages=(Message("user", said),) if said else (),
            output_text=text if isinstance(text, str) else None,
            response_id=as_str(told.get("request_id")),
            error=_error(request, body) if request.refused or body.get("error") or body.get("err_code") else None,
        )


FORMATS = (_Speech(),)
HOSTS = (HostRow(r"api(?:\.eu)?\.deepgram\.com", "deepgram"),)
PATHS = (PathRow(r"/v[12]/(?:speak|listen|read)", "deepgram.speech", "deepgram", on("deepgram")),)


def _model(told: Mapping[str, Any]) -> str | None:
    return next((as_str(as_dict(info).get("name")) for info in as_dict(told.get("model_info")).values()), None)


def _error(request: WireRequest, body: Mapping[str, Any]) -> CallError | None:
    """``{"err_code", "err_msg", "request_id"}``, or ``{"category", "message"}``."""
    if as_str(body.get("err_code")):
        return CallError(as_str(body.get("err_code")), as_str(body.get("err_msg")))
    return read_error(body, request.response_headers)
