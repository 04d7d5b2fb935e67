"""How a call ended, in the words of the events: the one place that decides ``success``.

A reader who stops early got what it wanted: ``success`` with ``stream_aborted``. Everything that kept an answer from
the caller (an error status, an error inside a 200 stream, no connection, a time-out, a cancellation, a wire cut
before the terminal frame) is a failure with an ``error_type``. So is an answer without any: a prompt or an answer that
was blocked before a word came (`BLOCKED`), a limit of tokens that was spent before one did (`EMPTY`). A refusal is an
answer, and what was cut or filtered in the middle is the part that came: both are successes; see ``finish_reason``.
"""

from __future__ import annotations

from msgspec import Struct

from .._models import CallError, Exchange, LLMCall, Outcome
from ._operations import is_message, operation_name

#: ``error_type`` of a call that was blocked, and of one that ended at its limit of tokens, without a word.
BLOCKED = "content_blocked"
EMPTY = "max_tokens_without_content"
#: Finish reasons, in small letters: OpenAI's and Azure's, Bedrock's, Gemini's (``FinishReason``, ``BlockedReason``).
_BLOCKS = frozenset(
    {"content_filter", "content_filtered", "guardrail_intervened", "safety", "blocklist", "prohibited_content", "spii"}
    | {"image_safety", "recitation", "model_armor", "jailbreak"}
)
_LIMITS = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"})


class CallResult(Struct, frozen=True):
    """What to say about the end of a call. ``error_type`` and ``error_message`` are ``None`` on success."""

    success: bool
    stream_aborted: bool
    error_type: str | None
    error_message: str | None
    finish_reason: str | None
    #: What the wire itself said, where the two above are the SDK's.
    wire_error_type: str | None = None
    wire_error_message: str | None = None


def classify(call: LLMCall, exchange: Exchange) -> CallResult:
    """Decide how ``call`` ended."""
    status = exchange.status
    refused = exchange.refused
    error = call.error or exchange.error
    if exchange.outcome is Outcome.CANCELLED and call.complete and status is not None and not refused:
        # The answer had been read to its end when the task was cancelled; an error inside the stream still counts.
        error = call.error if call.error is not exchange.error else None
    unfinished = call.streaming and not call.complete and status is not None and not refused
    kind = _error_type(call, exchange, error, refused, unfinished)
    message = error.message if error is not None else None
    sdk = call.sdk_error if kind is not None else None
    return CallResult(
        success=kind is None,
        stream_aborted=unfinished,
        error_type=kind if sdk is None else sdk.type,
        error_message=message if sdk is None else sdk.message,
        finish_reason=call.finish_reason or ("error" if kind is not None else None),
        wire_error_type=kind,
        wire_error_message=message,
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
    nothing = _without_a_word(call, exchange)
    if nothing is not None:
        return nothing
    # The server ended the body, yet not the answer. Not when we are the ones who could not read or keep it.
    cut = unfinished and exchange.outcome is Outcome.EXHAUSTED and call.finish_reason is None
    return "incomplete_stream" if cut and call.parse_error is None and not exchange.response_truncated else None


def _without_a_word(call: LLMCall, exchange: Exchange) -> str | None:
    """Why an answer that came whole says nothing, where it tells."""
    if call.output_text or call.tool_calls or call.finish_reason is None or not is_message(operation_name(call)):
        return None
    if not call.complete or call.parse_error is not None or exchange.response_truncated:
        return None
    reason = call.finish_reason.lower()
    return BLOCKED if reason in _BLOCKS else EMPTY if reason in _LIMITS else None
