"""Batches: one file of results, read back with GET, is many calls. Each line is parsed by the format it was made with.

OpenAI's files (https://platform.openai.com/docs/guides/batch#5-retrieve-the-results), which Mistral, Groq, Together and
Fireworks copy: ``{"custom_id", "response": {"status_code", "request_id", "body"}, "error"}``. Anthropic's results
(https://docs.anthropic.com/en/api/retrieving-message-batch-results): ``{"custom_id", "result": {"type", ...}}``.

What was asked is not in these files, nor how long an answer took. A file that holds something else is no model call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from .._guard import count
from .._models import CallError, Exchange, LLMCall, Outcome, is_refusal
from ._bounds import bounded
from ._decode import decode
from ._errors import read_error
from ._format import WireFormat, WireRequest
from ._formats import FORMATS
from ._frames import lines
from ._json import as_count, as_dict, as_str, loads
from ._router import Route

#: Which format an answer has, by its ``object``; OpenAI's moderations and images have none, and no tokens.
_FORMATS = {
    "chat.completion": "openai.chat",
    "response": "openai.responses",
    "text_completion": "openai.completions",
    "list": "openai.embeddings",
}
#: Why Anthropic has no answer to a request.
_UNANSWERED = frozenset({"errored", "canceled", "expired"})


def read_results(exchange: Exchange, where: Route) -> Iterator[tuple[LLMCall, Exchange]]:
    """The calls a file of results tells of, each with an exchange of its own. Reading it again gives the same ids."""
    if exchange.status != 200:
        return
    encoding = None if exchange.body_decoded else exchange.response_headers.get("content-encoding")
    damaged = 0
    found = False
    for data in _parts(exchange):
        for line in lines(decode(data, encoding).data):
            if not line.strip():
                continue
            try:
                value = as_dict(loads(line))
            except ValueError:
                damaged += 1
                continue
            call = _call(value, exchange, where)
            if call is not None:
                found = True
                call = bounded(call)
                yield call, _own_exchange(exchange, value, call)
    if found:
        for _ in range(damaged):
            count("parse_errors")
            count("parse_errors_BatchLine")
        if exchange.response_truncated:
            count("batch_results_truncated")


def _parts(exchange: Exchange) -> Iterator[tuple[bytes, ...]]:
    """The body; of one too large to be kept whole, what comes before the gap and after it."""
    chunks, tail = exchange.response_chunks, exchange.tail_index
    yield chunks[:tail]
    if tail is not None and "content-encoding" not in exchange.response_headers:
        yield chunks[tail:]


def _call(line: Mapping[str, Any], exchange: Exchange, where: Route) -> LLMCall | None:
    if "result" in line:
        return _anthropic(as_dict(line["result"]), exchange, where)
    if "custom_id" in line and ("response" in line or "error" in line):
        return _openai(line, exchange, where)
    return None


def _openai(line: Mapping[str, Any], exchange: Exchange, where: Route) -> LLMCall | None:
    response = as_dict(line.get("response"))
    body = as_dict(response.get("body"))
    status = as_count(response.get("status_code"))
    error = read_error({"error": line["error"]}, {}) if line.get("error") else None
    if error is None and is_refusal(status):
        error = read_error(body, {}) or CallError(type=f"http_{status}")
    name = _FORMATS.get(str(body.get("object")))
    if name is None and error is None:
        return None  # images, moderations, or no result at all
    call = _parsed(FORMATS[name or "openai.chat"], body, exchange, where)
    return replace(call, error=error or call.error, provider_request_id=as_str(response.get("request_id")))


def _anthropic(result: Mapping[str, Any], exchange: Exchange, where: Route) -> LLMCall | None:
    kind = result.get("type")
    error = None
    if kind in _UNANSWERED:
        error = read_error(as_dict(result.get("error")), {}) or CallError(type=str(kind))
    elif kind != "succeeded":
        return None
    call = _parsed(FORMATS["anthropic.messages"], as_dict(result.get("message")), exchange, where)
    return replace(call, error=error or call.error)


def _parsed(wire: WireFormat, body: Mapping[str, Any], exchange: Exchange, where: Route) -> LLMCall:
    parts = urlsplit(exchange.url)
    request = WireRequest(provider=where.provider, host=parts.netloc, path=parts.path)
    problem = None
    try:
        call = wire.parse(request, body)
    except Exception as exc:
        call, problem = None, type(exc).__name__
    call = call or LLMCall(provider=where.provider, operation=wire.name.partition(".")[2])
    return replace(
        call,
        service_tier="batch",
        batched=True,
        price_provider=call.price_provider or where.price_provider,
        host=parts.netloc,
        endpoint=parts.path,
        parse_error=problem,
    )


def _own_exchange(exchange: Exchange, line: Mapping[str, Any], call: LLMCall) -> Exchange:
    """Named after the answer, so that whoever reads the file again sends events Amplitude knows already."""
    own = call.response_id or f"{call.endpoint}/{line.get('id')}/{line.get('custom_id')}"
    return replace(
        exchange,
        id=f"batch/{call.host}/{own}",
        method="",
        request_body=None,
        status=as_count(as_dict(line.get("response")).get("status_code")),
        started_ns=exchange.finished_ns,
        started_at_ms=exchange.started_at_ms + round(exchange.latency_ms),
        response_chunks=(),
        chunk_times_ns=(),
        outcome=Outcome.EXHAUSTED,
        error=None,
    )
