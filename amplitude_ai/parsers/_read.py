"""`Exchange` -> `LLMCall`: route, decode, fold if it was a stream, parse, add what the wire itself tells.

Never raises on wire data. What cannot be read is named in `LLMCall.parse_error` and the call is still a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from .._elide import elide_base64
from .._models import CallError, Exchange, LLMCall, Outcome
from .._pattern import lazy_pattern
from . import _registry, compatible
from ._batches import read_results
from ._bounds import bounded
from ._decode import Body, decode
from ._end_user import end_user
from ._errors import read_error
from ._evidence import is_call
from ._format import Folded, WireFormat, WireRequest
from ._formats import FORMATS
from ._frames import with_errors
from ._framing import stream_frames
from ._gateways import upstream_provider
from ._json import as_count, as_dict, as_float, as_str, has_halves, is_whole, loads_whole, rejoined
from ._paths import BATCH_RESULTS
from ._processing import processing_ms
from ._rate_limits import RESET_REQUESTS, RESET_TOKENS, until_ms
from ._router import Route, host_provider, known_other, route
from ._shape import shape

_REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray")
_LEFT_REQUESTS = ("x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining")
_LEFT_TOKENS = ("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining")
_CACHES = (
    *("helicone-cache", "cf-aig-cache-status", "x-portkey-cache-status", "x-openrouter-cache-status"),
    "x-cache-status",  # Kong's
)
_HISHEL = "x-hishel-from-cache"  # its adapter for requests; it tells httpx by an extension
_AWS_ATTEMPT = lazy_pattern(r"attempt=(\d+)")


class _Answer(Struct, frozen=True):
    """The response body as a parser wants it."""

    body: Mapping[str, Any]
    complete: bool
    streamed: bool
    first_token_end: int | None = None
    problem: str | None = None
    text: str | None = None
    usage_complete: bool = True


def read_all(exchange: Exchange) -> Iterator[tuple[LLMCall, Exchange]]:
    """The calls an exchange was: one, none, or those of a batch's results, each with an exchange of its own."""
    parts = urlsplit(exchange.url)
    where = route(exchange.method, parts.hostname or "", parts.path) if exchange.method == "GET" else None
    if where is not None and where.format == BATCH_RESULTS:
        yield from read_results(exchange, where)
        return
    call = read(exchange)
    if call is not None:
        yield call, exchange


def read(exchange: Exchange) -> LLMCall | None:
    """The call an exchange was, or ``None`` when it was no model call (another endpoint, a redirect)."""
    if exchange.status is not None and 300 <= exchange.status < 400:
        return None  # a redirect's hop: the call is what it leads to
    parts = urlsplit(exchange.url)
    host = parts.hostname or ""
    body, request_problem = _request_body(exchange)
    where = route(exchange.method, host, parts.path) or _by_shape(exchange, host, parts.path, body)
    if where is None:
        return None
    request = WireRequest(
        provider=where.provider,
        host=parts.netloc,
        path=parts.path,
        body=body,
        query=dict(parse_qsl(parts.query)),
        status=exchange.status,
        response_headers=exchange.response_headers,
        request_headers=exchange.request_headers,
        method=exchange.method,
    )
    wire = _format(where.format)
    decoded = _decoded(exchange)
    answer = _answer(exchange, request, decoded, where)
    problem = answer.problem or request_problem
    answered = bool(answer.body) or (answer.text is not None and answer.problem != "Truncated")
    if where.guessed and not is_call(wire, request, answer.body, answered):
        return None
    try:
        call = wire.parse(request, answer.body)
    except Exception as exc:
        problem = type(exc).__name__
        call = LLMCall(
            provider=where.provider, operation=where.format.partition(".")[2], requested_model=as_str(body.get("model"))
        )
    if call is None:
        return None
    return bounded(_with_wire_facts(call, exchange, where, request, answer, decoded, problem))


def _with_wire_facts(
    call: LLMCall,
    exchange: Exchange,
    where: Route,
    request: WireRequest,
    answer: _Answer,
    decoded: Body,
    problem: str | None,
) -> LLMCall:
    headers = exchange.response_headers
    answered_ns = exchange.finished_ns if exchange.headers_ns is None else exchange.headers_ns
    answered_at_ms = exchange.started_at_ms + (answered_ns - exchange.started_ns) / 1e6
    error = exchange.error if exchange.status is None else call.error
    if error is None and exchange.refused:
        error = read_error(answer.text or answer.body, headers) or CallError(type=f"http_{exchange.status}")
    if error is None:
        error = exchange.error  # cut mid-body, timed out, cancelled
    answered = upstream_provider(where.provider, request.host, request.path, call.requested_model, compatible.NAMES)
    # The exception a reader's own close or break causes is no error of the call.
    return replace(
        call,
        provider=answered or call.provider or where.provider,
        # A host nobody knows has prices nobody told us: only the model's own name can tell.
        price_provider=(call.price_provider or where.price_provider) if _is_known(request.host, where) else None,
        tool_definitions=_tool_definitions(request.body),
        streaming=answer.streamed,
        complete=answer.complete,
        error=error,
        end_user=end_user(where.format, request.body),
        host=request.host,
        endpoint=request.path,
        provider_request_id=_first(headers, _REQUEST_IDS),
        provider_processing_ms=processing_ms(headers),
        ratelimit_remaining_requests=as_count(_number(_first(headers, _LEFT_REQUESTS))),
        ratelimit_remaining_tokens=as_count(_number(_first(headers, _LEFT_TOKENS))),
        ratelimit_reset_requests_ms=until_ms(headers, RESET_REQUESTS, answered_at_ms),
        ratelimit_reset_tokens_ms=until_ms(headers, RESET_TOKENS, answered_at_ms),
        retry_count=_retry_count(exchange.request_headers),
        time_to_first_token_ms=_first_token_ms(exchange, answer, decoded),
        parse_error=problem,
        cached_response=True if exchange.from_cache or _is_hit(headers) else None,
        reported_cost_usd=call.reported_cost_usd if call.reported_cost_usd is not None else _litellm_cost(headers),
        usage_complete=False if not answer.usage_complete and _is_counted(call) else None,
    )


def _is_hit(headers: Mapping[str, str]) -> bool:
    """Whether a gateway, or hishel, answered from its cache: ``HIT``, ``SEMANTIC HIT``, ``Hit``; ``true``."""
    return headers.get(_HISHEL) == "true" or any(
        "hit" in headers[name].lower().split() for name in _CACHES if name in headers
    )


def _litellm_cost(headers: Mapping[str, str]) -> float | None:
    """LiteLLM's proxy knows what it paid; it says ``None`` where it does not, and 0 where it has no price."""
    return as_float(_number(headers.get("x-litellm-response-cost"))) or None


def _is_counted(call: LLMCall) -> bool:
    usage = call.usage
    return usage.input_tokens is not None or usage.output_tokens is not None


def _tool_definitions(body: Mapping[str, Any]) -> tuple[Any, ...]:
    tools = body.get("tools") or as_dict(body.get("toolConfig")).get("tools")
    return tuple(tools) if isinstance(tools, list) else ()


def _format(name: str) -> WireFormat:
    found = _registry.formats.get(name)
    return FORMATS[name] if found is None else found


def _is_known(netloc: str, where: Route) -> bool:
    host = netloc.rpartition("@")[2].partition(":")[0].lower()
    return where.format in _registry.formats or host_provider(host) is not None


def _request_body(exchange: Exchange) -> tuple[Mapping[str, Any], str | None]:
    raw = exchange.request_body
    if not raw:
        return {}, "RequestTooLarge" if exchange.request_truncated else None
    encoding = exchange.request_headers.get("content-encoding")
    content_type = exchange.request_headers.get("content-type", "")
    if content_type.startswith("multipart/"):
        return _multipart_fields(raw, content_type), None
    try:
        return as_dict(loads_whole(elide_base64(decode((raw,), encoding).data))), None
    except ValueError:
        return {}, "RequestNotJSON" if "json" in content_type else None


_FIELD = lazy_pattern(
    rb'(?:[^\r\n]+\r\n){0,9}?Content-Disposition: form-data; name="([^"]+)"\r\n(?:[^\r\n]+\r\n){0,9}\r\n',
    re.IGNORECASE,
)


def _multipart_fields(raw: bytes, content_type: str) -> Mapping[str, Any]:
    """The short text fields of a form (the model of a transcription); files are never read."""
    boundary = content_type.partition("boundary=")[2].split(";")[0].strip('" ').encode()
    if not boundary:
        return {}
    fields: dict[str, Any] = {}
    for part in raw.split(b"--" + boundary):
        matched = _FIELD.match(part.lstrip(b"\r\n")) if len(part) < 8192 else None
        if matched:
            value = part.lstrip(b"\r\n")[matched.end() :].removesuffix(b"\r\n")
            name, text = matched.group(1).decode("utf-8", "replace"), value.decode("utf-8", "replace")
            # A form has no types: SDKs write what is no text as JSON has it. (A prompt may be "true", too.)
            fields[name] = text == "true" if name == "stream" else text
    return fields


def _by_shape(exchange: Exchange, host: str, path: str, body: Mapping[str, Any]) -> Route | None:
    """A client instrumented by hand that talks to a path nobody knows: the bodies themselves tell."""
    if not exchange.context.binding.explicit or exchange.method != "POST" or known_other(host, path):
        return None
    found = shape(body)
    return None if found is None else Route(found[1], found[0])


def _decoded(exchange: Exchange) -> Body:
    encoding = None if exchange.body_decoded else exchange.response_headers.get("content-encoding")
    return decode(exchange.response_chunks, encoding)


def _answer(exchange: Exchange, request: WireRequest, decoded: Body, where: Route) -> _Answer:
    data = decoded.data
    wire_ended = exchange.outcome is Outcome.EXHAUSTED and not decoded.damaged and not exchange.response_truncated
    if not data:
        streamed = _asked_to_stream(request)  # of a stream not even the end came
        return _Answer({}, complete=exchange.outcome is Outcome.EXHAUSTED and not streamed, streamed=streamed)
    wire = _format(where.format)
    label = exchange.response_headers.get("content-type", "").split(";")[0].strip().lower()
    refused = exchange.refused
    frames = stream_frames(data, label, getattr(wire, "framing", "sse"), _asked_to_stream(request) and not refused)
    if frames is not None:
        try:
            folded: Folded = wire.fold(with_errors(frames, refused), request)
        except Exception as exc:
            return _Answer({}, complete=False, streamed=True, problem=type(exc).__name__)
        counted = folded.complete if folded.usage_complete is None else folded.usage_complete
        body = rejoined(folded.body) if has_halves(data) and not is_whole(folded.body) else folded.body
        return _Answer(body, folded.complete, True, folded.first_token_end, usage_complete=counted)
    streamed = _asked_to_stream(request) and not refused
    plain = getattr(wire, "plain_text", False) and label.startswith("text/") and label != "text/html" and not refused
    try:
        value = loads_whole(elide_base64(data))
    except ValueError:
        if plain:
            return _Answer({"text": data.decode("utf-8", "replace")}, complete=wire_ended, streamed=streamed)
        text = data[:4000].decode("utf-8", "replace")
        if "json" in exchange.response_headers.get("content-type", "json"):
            problem = "Truncated" if not wire_ended else "ResponseNotJSON"
        else:
            problem = None  # audio, an HTML error page: no JSON was promised
        return _Answer({}, complete=wire_ended, streamed=streamed, problem=problem, text=text)
    if plain and not isinstance(value, Mapping):  # what was said is a number
        return _Answer({"text": data.decode("utf-8", "replace")}, complete=True, streamed=False)
    if isinstance(value, list):
        value = value[0] if value and refused else {"data": value}
    return _Answer(as_dict(value), complete=True, streamed=False)


def _asked_to_stream(request: WireRequest) -> bool:
    last = request.path.rpartition("/")[2].lower()
    return request.body.get("stream") is True or "stream" in last


def _first_token_ms(exchange: Exchange, answer: _Answer, decoded: Body) -> float | None:
    if answer.first_token_end is None or not exchange.chunk_times_ns:
        return None
    index = decoded.chunk_at(answer.first_token_end)
    if index >= len(exchange.chunk_times_ns):
        return None
    return (exchange.chunk_times_ns[index] - exchange.started_ns) / 1e6


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((headers[name] for name in names if headers.get(name)), None)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _retry_count(headers: Mapping[str, str]) -> int | None:
    """How often the SDK tried before: Stainless SDKs say it outright, botocore in ``amz-sdk-request: attempt=2``."""
    count = as_count(_number(headers.get("x-stainless-retry-count")))
    if count is not None:
        return count
    matched = _AWS_ATTEMPT.search(headers.get("amz-sdk-request", ""))
    return max(int(matched.group(1)) - 1, 0) if matched else None
