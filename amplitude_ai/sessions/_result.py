"""How a call ended, in the words of the events: the one place that decides ``success``.

A reader who stops early got what it wanted: ``success`` with ``stream_aborted``. Everything that kept an answer from
the caller (an error status, an error inside a 200 stream, no connection, a time-out, a cancellation, a wire cut
before the terminal frame) is a failure with an ``error_type``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._models import CallError, Exchange, LLMCall, Outcome


@dataclass(frozen=True, slots=True)
class CallResult:
    """What to say about the end of a call. ``error_type`` and ``error_message`` are ``None`` on success."""

    success: bool
    stream_aborted: bool
    error_type: str | None
    error_message: str | None
    finish_reason: str | None


def classify(call: LLMCall, exchange: Exchange) -> CallResult:
    """Decide how ``call`` ended."""
    status = exchange.status
    refused = status is not None and status >= 400
    error = call.error or exchange.error
    if exchange.outcome is Outcome.CANCELLED and call.complete and status is not None and not refused:
        # The answer had been read to its end when the task was cancelled; an error inside the stream still counts.
        error = call.error if call.error is not exchange.error else None
    unfinished = call.streaming and not call.complete and status is not None and not refused
    kind = _error_type(call, exchange, error, refused, unfinished)
    return CallResult(
        success=kind is None,
        stream_aborted=unfinished,
        error_type=kind,
        error_message=error.message if error is not None else None,
        finish_reason=call.finish_reason or ("error" if kind is not None else None),
    )


def _error_type(
    call: LLMCall, exchange: Exchange, error: CallError | None, refused: bool, unfinished: bool
) -> str | None:
    if error is not None and (error.type or error.code):
        return error.type or error.code
    if refused:
        return f"http_{exchange.status}"
    if error is not None:
        return "error"
    if exchange.outcome is Outcome.ERROR:
        return "connection_error"
    if exchange.outcome is Outcome.CANCELLED and (exchange.status is None or not call.complete):
        return "CancelledError"
    if exchange.status is None and exchange.method:
        return "no_response"
    # The server ended the body, yet not the answer. Not when we are the ones who could not read or keep it.
    cut = unfinished and exchange.outcome is Outcome.EXHAUSTED and call.finish_reason is None
    return "incomplete_stream" if cut and call.parse_error is None and not exchange.response_truncated else None
