"""Recorded traffic -> `Exchange`: HAR files of browsers and proxies, cassettes of VCR, in YAML or JSON.

In: a file. Out: the exchanges in it, and whether their times are known: cassettes keep none, and what is not known is
not made up. The day, which prices go by, many an answer says itself. Ids come from the file's content, so that the same
file gives the same events each time.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from .._foreign import clean_url
from .._models import Binding, CallError, Exchange, Outcome, Scope
from .._pattern import lazy_pattern
from ..parsers._rate_limits import RESET_REQUESTS, RESET_TOKENS, until_ms
from ..transports._headers import REQUEST_HEADERS, RESPONSE_HEADERS
from ._errors import Failure

#: Larger files are no recordings that anybody keeps.
_MAX_BYTES = 512 << 20
#: Where an answer says when it was made, and how far into it that is looked for.
_CREATED = lazy_pattern(
    rb'"(?:created|created_at|createTime)"\s{0,4}:\s{0,4}(?:(\d{10})(?:\.\d{1,9})?[\s,}]|"(\d{4}-\d\d-\d\dT[\d:.]{5,18}Z)")'
)
_CREATED_WITHIN = 1 << 20
_RESETS = {*RESET_REQUESTS, *RESET_TOKENS}
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class Recorded(Struct, frozen=True):
    """One exchange of a file; without ``timed`` its duration is not known."""

    exchange: Exchange
    timed: bool


def read(path: Path, binding: Binding) -> Iterator[Recorded]:
    """The exchanges of a file, in its order.

    Raises:
        OSError: it cannot be read.
        Failure: it is neither a HAR file nor a cassette.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise Failure(f"{path} is larger than {_MAX_BYTES >> 20} MB", 2)
    data = path.read_bytes()
    name = hashlib.sha256(data).hexdigest()[:24]
    value = _load(path, data)
    when_ms = int(path.stat().st_mtime * 1000)
    if isinstance(value, dict) and isinstance(value.get("log"), dict):
        entries, make = value["log"].get("entries"), _of_har
    elif isinstance(value, dict) and "interactions" in value:
        entries, make = value["interactions"] or [], _of_vcr  # a test that called nothing leaves it empty
    elif isinstance(value, dict) and isinstance(value.get("requests"), list):  # langchain-tests' serializer
        answers = value.get("responses")
        pairs = zip(value["requests"], answers if isinstance(answers, list) else [], strict=False)
        entries, make = [{"request": request, "response": response} for request, response in pairs], _of_vcr
    else:
        entries, make = None, _of_vcr
    if not isinstance(entries, list):
        raise Failure(f"{path} is neither a HAR file (log.entries) nor a VCR cassette (interactions)", 2)
    for number, entry in enumerate(entries):
        made = make(_dict(entry), f"{name}-{number}", when_ms, binding.plain)
        if made is not None:
            yield made


def _load(path: Path, data: bytes) -> Any:
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(data.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            pass
    try:
        import yaml
    except ModuleNotFoundError:
        raise Failure("cassettes are YAML: pip install 'amplitude-ai-wire[cli]' (pyyaml)", 2) from None
    try:
        return yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # it is a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise Failure(f"{path} is neither JSON nor YAML: {str(exc).splitlines()[0]}", 2) from None


def _of_har(entry: dict[str, Any], name: str, when_ms: int, context: Scope) -> Recorded | None:
    """http://www.softwareishard.com/blog/har-12-spec/; bodies are there decoded."""
    request, response = _dict(entry.get("request")), _dict(entry.get("response"))
    content = _dict(response.get("content"))
    took = entry.get("time")
    timed = isinstance(took, int | float) and took >= 0
    status = response.get("status")
    failed = not isinstance(status, int) or status <= 0
    said = response.get("_error") or entry.get("_error") or "no answer"
    posted = _dict(request.get("postData"))
    return _recorded(
        name,
        context,
        method=request.get("method"),
        url=request.get("url"),
        request_headers=_pairs(request.get("headers")),
        request_body=_text(posted.get("text"), posted.get("encoding")),
        status=None if failed else status,
        response_headers=_pairs(response.get("headers")),
        response_body=_text(content.get("text"), content.get("encoding")),
        error=CallError("ConnectionError", str(said)) if failed else None,
        started_ms=_iso_ms(entry.get("startedDateTime")),
        file_ms=when_ms,
        took_ms=float(took) if timed and took is not None else None,
        decoded=True,
    )


def _of_vcr(entry: dict[str, Any], name: str, when_ms: int, context: Scope) -> Recorded | None:
    """vcrpy, its forms for httpx and for parsed bodies, and Ruby's VCR."""
    request, response = _dict(entry.get("request")), _dict(entry.get("response"))
    headers = _lists(response.get("headers"))
    status: Any = response.get("status", response.get("status_code"))
    if isinstance(status, dict):
        status = status.get("code")
    body = _vcr_body(response)
    return _recorded(
        name,
        context,
        method=request.get("method"),
        url=request.get("uri") or request.get("url"),
        request_headers=_lists(request.get("headers")),
        request_body=_vcr_body(request),
        status=status if isinstance(status, int) else None,
        response_headers=headers,
        response_body=body,
        error=None,
        started_ms=_iso_ms(entry.get("recorded_at")) or _http_ms(entry.get("recorded_at") or headers.get("date")),
        file_ms=when_ms,
        took_ms=None,
        decoded="parsed_body" in response or not _is_encoded(headers.get("content-encoding", ""), body),
    )


def _recorded(
    name: str,
    context: Scope,
    *,
    method: Any,
    url: Any,
    request_headers: Mapping[str, str],
    request_body: bytes | None,
    status: int | None,
    response_headers: Mapping[str, str],
    response_body: bytes | None,
    error: CallError | None,
    started_ms: int | None,
    file_ms: int,
    took_ms: float | None,
    decoded: bool,
) -> Recorded | None:
    if not isinstance(method, str) or not isinstance(url, str):
        return None
    if started_ms is None:
        response_headers = {
            key: value for key, value in response_headers.items() if key not in _RESETS or _is_span(key, value)
        }
        started_ms = _created_ms(response_body) or file_ms
    start_ns = started_ms * 1_000_000
    end_ns = start_ns + int((took_ms or 0) * 1e6)
    exchange = Exchange(
        id=name,
        method=method.upper(),
        url=clean_url(url),
        request_headers={key: value for key, value in request_headers.items() if key in REQUEST_HEADERS},
        request_body=request_body,
        status=status,
        response_headers={key: value for key, value in response_headers.items() if key in RESPONSE_HEADERS},
        response_chunks=(response_body,) if response_body else (),
        chunk_times_ns=(),
        outcome=Outcome.EXHAUSTED if error is None else Outcome.ERROR,
        error=error,
        started_ns=start_ns,
        started_at_ms=started_ms,
        headers_ns=None,
        finished_ns=end_ns,
        context=context,
        body_decoded=decoded,
    )
    return Recorded(exchange, took_ms is not None)


def _vcr_body(part: Mapping[str, Any]) -> bytes | None:
    if "parsed_body" in part:
        return json.dumps(part["parsed_body"]).encode()
    body = part.get("body", part.get("content"))
    if isinstance(body, dict):
        if isinstance(body.get("base64_string"), str):
            return _text(body["base64_string"], "base64")
        body = body.get("string")
    return _text(body, None)


def _text(body: Any, encoding: Any) -> bytes | None:
    if isinstance(body, bytes):
        return body
    if isinstance(body, dict | list):
        return json.dumps(body).encode()
    if not isinstance(body, str):
        return None
    if encoding == "base64":
        try:
            return base64.b64decode(body)
        except (binascii.Error, ValueError):
            return None
    return body.encode("utf-8", "surrogateescape" if body.isprintable() else "replace")


def _is_encoded(encoding: str, body: bytes | None) -> bool:
    """Whether a body is still compressed: recorders often decode it, and leave the header."""
    encoding = encoding.strip().lower()
    if not encoding or body is None:
        return False
    if encoding in _MAGIC:
        return body.startswith(_MAGIC[encoding])
    return not body.lstrip().startswith((b"{", b"[", b"data:", b"event:", b"id:"))


def _is_span(name: str, value: str) -> bool:
    """Whether a reset is so long after the answer, and not at a moment that an answer without a time is not held to."""
    return until_ms({name: value}, (name,), 0.0) == until_ms({name: value}, (name,), 1e15)


def _created_ms(body: bytes | None) -> int | None:
    """When an answer says that it was made."""
    data = body or b""
    if data.startswith(_MAGIC["gzip"]):
        with contextlib.suppress(zlib.error):
            data = zlib.decompressobj(31).decompress(data, _CREATED_WITHIN)
    found = _CREATED.search(data, 0, _CREATED_WITHIN)
    if found is None:
        return None
    return int(found[1]) * 1000 if found[1] else _iso_ms(found[2].decode())


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _pairs(value: Any) -> dict[str, str]:
    pairs = [_dict(each) for each in value] if isinstance(value, list) else []
    return {str(each.get("name", "")).lower(): str(each.get("value", "")) for each in pairs}


def _lists(value: Any) -> dict[str, str]:
    return {
        str(name).lower(): str(each[0] if isinstance(each, list) and each else each)
        for name, each in _dict(value).items()
    }


def _iso_ms(value: Any) -> int | None:
    if isinstance(value, datetime):  # YAML's own
        return int(value.timestamp() * 1000)
    try:
        return int(datetime.fromisoformat(value).timestamp() * 1000) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _http_ms(value: Any) -> int | None:
    try:
        return int(parsedate_to_datetime(value).timestamp() * 1000) if isinstance(value, str) else None
    except (ValueError, TypeError, OverflowError):
        return None
