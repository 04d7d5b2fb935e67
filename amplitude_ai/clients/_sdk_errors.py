"""The exception that an SDK raises for what came over the wire: its class's name and its text.

The specification promises ``type(e).__name__`` and ``str(e)``. The event is made before the exception, and on another
thread; but an SDK makes it of the response alone, so its own code is asked for the same. Runs on the worker's thread,
imports nothing: an SDK whose client was made is loaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from .._models import CallError, Exchange, LLMCall, Outcome
from ..parsers._decode import decode

#: Exception of the wire → time-out, as the HTTP libraries name theirs.
_TIMEOUTS = ("Timeout", "TimeoutError", "TimeoutException")
#: Bytes of a refusal that are looked at.
_MAX_BODY = 262_144

SdkError = Callable[[LLMCall, Exchange], CallError | None]


def of_stainless(base: Any) -> SdkError:
    """For clients that Stainless generates (openai, anthropic)."""
    package = base.__module__.partition(".")[0]

    def told(call: LLMCall, exchange: Exchange) -> CallError | None:
        module = sys.modules.get(package)
        if module is None or exchange.outcome is Outcome.CANCELLED:
            return None
        bare = base.__new__(base)  # its methods look at nothing but the response
        if exchange.refused:
            return _named(bare._make_status_error_from_response(_response(exchange)))
        if exchange.error is not None and call.error in (None, exchange.error):
            if exchange.status is not None and not _converts_in_streams(package):
                return None
            late = (exchange.error.type or "").endswith(_TIMEOUTS)
            return _named((module.APITimeoutError if late else module.APIConnectionError)(request=_request(exchange)))
        return _in_stream(module, package, bare, call, exchange)

    return told


def _in_stream(module: Any, package: str, bare: Any, call: LLMCall, exchange: Exchange) -> CallError | None:
    """An error inside a 200: openai tells its message, anthropic all of its event."""
    if call.error is None or not call.streaming:
        return None
    if package == "openai":
        return CallError(module.APIError.__name__, call.error.message or "An error occurred during streaming")
    data = _last_error_event(exchange)
    if data is None:
        return None
    return _named(bare._make_status_error(f"{data}", body=data, response=_response(exchange)))


def of_google_genai(errors: str = "google.genai.errors") -> SdkError:
    """For google-genai. What its HTTP library raises it raises on."""

    def told(call: LLMCall, exchange: Exchange) -> CallError | None:
        module = sys.modules.get(errors)
        if module is None or exchange.status is None or not exchange.refused:
            return None
        body = _body(exchange)
        try:
            details: Any = json.loads(body)
        except ValueError:
            details = {"message": body.decode("utf-8", "replace"), "status": _response(exchange).reason_phrase}
        kind = module.ClientError if exchange.status < 500 else module.ServerError
        return _named(kind(exchange.status, details))

    return told


#: What the REST transport of ``google.ai.generativelanguage`` adds to each URL; of a query little is kept.
_ALT = "?%24alt=json%3Benum-encoding%3Dint"


def of_google_api_core(errors: str = "google.api_core.exceptions") -> SdkError:
    """For google-generativeai over REST (``exceptions.from_http_response``). What requests raises it raises on."""

    def told(call: LLMCall, exchange: Exchange) -> CallError | None:
        module = sys.modules.get(errors)
        if module is None or exchange.status is None or not exchange.refused:
            return None
        body = _body(exchange)
        try:
            payload: Any = json.loads(body)
        except ValueError:
            payload = {"error": {"message": body.decode("utf-8", "replace") or "unknown error"}}
        url = exchange.url if "?" in exchange.url else exchange.url + _ALT
        response = SimpleNamespace(status_code=exchange.status)  # it is asked for nothing else
        rewritten = sys.modules.get("google.generativeai.types.generation_types")
        if rewritten is None or ":stream" not in exchange.url:
            rewriting = nullcontext()
        else:
            rewriting = rewritten.rewrite_stream_error()
        try:
            with rewriting:
                return _named(module.format_http_response_error(response, exchange.method, url, payload))
        except Exception as exc:  # a refusal that is a list, over which the SDK stumbles
            return _named(exc)

    return told


def _named(error: BaseException) -> CallError:
    return CallError(type(error).__name__, str(error) or None)


def _library() -> Any:
    return sys.modules.get("httpx2") or sys.modules["httpx"]


def _request(exchange: Exchange) -> Any:
    return _library().Request(exchange.method or "POST", exchange.url)


def _response(exchange: Exchange) -> Any:
    headers = {
        name: value
        for name, value in exchange.response_headers.items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    }
    return _library().Response(exchange.status, headers=headers, content=_body(exchange), request=_request(exchange))


def _body(exchange: Exchange) -> bytes:
    encoding = None if exchange.body_decoded else exchange.response_headers.get("content-encoding")
    return decode(exchange.response_chunks, encoding).data[:_MAX_BODY]


def _last_error_event(exchange: Exchange) -> Any:
    for block in reversed(_body(exchange).replace(b"\r\n", b"\n").split(b"\n\n")):
        lines = block.split(b"\n")
        if b"event: error" in lines:
            data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
            try:
                return json.loads(data)
            except ValueError:
                return None
    return None


def _converts_in_streams(package: str) -> bool:
    """Whether an SDK tells a connection lost in mid-stream as one of its own errors; older ones let it through."""
    return hasattr(sys.modules.get(f"{package}._streaming"), "request_exceptions")
