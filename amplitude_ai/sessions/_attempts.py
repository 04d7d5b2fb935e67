"""Which HTTP attempts are one call: by the SDK's own retry header, else by the same request having just failed.

Bounded, and holding hashes only. A request that is made again after it *succeeded* is another call.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b

from msgspec import Struct

from .._models import Exchange, LLMCall, Outcome
from ._bounded import remember
from ._result import CallResult

#: Bytes of a request that are hashed; of a larger one, a quarter of this at each end, and 1 KB every so often.
_HASHED_WHOLE = 1024 * 1024
_HASHED_EVERY = 64 * 1024
_MAX_REQUESTS = 64
#: A form without its files is no longer than this.
_MAX_FORM = 1024 * 1024
#: Failures of one request that are remembered: parallel calls may say the same.
_MAX_EACH = 8
#: A request that is repeated later than this after its failure is a new call. SDKs wait a minute at most.
_RETRY_WINDOW_NS = 120 * 10**9
#: Statuses that are worth another try; openai and anthropic (``_base_client.py``, ``_should_retry``) agree on them.
_WORTH_RETRYING = frozenset({408, 409, 425, 429})


class Attempt(Struct, frozen=True):
    """One attempt of a call. ``number`` is 0 for the first; ``is_final`` is ``None`` where nobody can tell."""

    number: int
    call_key: str  # the same for all attempts of a call
    retry_delay_ms: float | None = None  # from the end of the one before
    is_final: bool | None = None


class _Failure(Struct, frozen=True):
    number: int
    call_key: str
    ended_ns: int


class Attempts:
    """The failed requests of one run that may be made again."""

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures: OrderedDict[bytes, list[_Failure]] = OrderedDict()

    def next(self, call: LLMCall, exchange: Exchange, ending: CallResult, body: bytes | None) -> Attempt:
        """Which attempt of which call this is; remembers a failure. ``body`` is what its request is known by."""
        key = body  # whichever client: `requests.post` makes one for each try
        before = self._take(key, exchange, call.retry_count) if key is not None else None
        number = call.retry_count
        if number is None:
            number = 0 if before is None else before.number + 1
        made = Attempt(
            number=number,
            call_key=exchange.id if before is None else before.call_key,
            retry_delay_ms=None if before is None else (exchange.started_ns - before.ended_ns) / 1e6,
            is_final=_is_final(exchange, ending),
        )
        if key is not None and not ending.success:
            failures = self._failures.get(key, [])
            failures.append(_Failure(number, made.call_key, exchange.finished_ns))
            del failures[:-_MAX_EACH]
            remember(self._failures, key, failures, _MAX_REQUESTS)
        return made

    def _take(self, key: bytes, exchange: Exchange, told: int | None) -> _Failure | None:
        """The failure that this is the retry of: the longest waiting one that ended before, and not too long before."""
        failures = self._failures.get(key)
        if not failures or told == 0:
            return None
        for one in failures:
            just_now = one.ended_ns <= exchange.started_ns <= one.ended_ns + _RETRY_WINDOW_NS
            if just_now and (told is None or one.number < told):
                failures.remove(one)
                if not failures:
                    del self._failures[key]
                return one
        return None


def _is_final(exchange: Exchange, ending: CallResult) -> bool | None:
    """A success is; so is a refusal that no SDK repeats. Of other failures nobody knows before the next attempt."""
    if ending.success:
        return True
    if exchange.outcome is Outcome.CANCELLED:
        return True
    should = exchange.response_headers.get("x-should-retry")
    if should == "false":
        return True
    status = exchange.status
    if should == "true" or status is None:
        return None
    if not exchange.refused:
        return True  # nobody repeats an answer that broke off, or that was none
    return True if status < 500 and status not in _WORTH_RETRYING else None


def retry_key(call: LLMCall, exchange: Exchange, known: bytes | None) -> bytes | None:
    """What a request's retry is known by: ``known``, its fingerprint, but for forms, which an SDK makes anew each time.

    They have another boundary then, and their files are not seen: only where the SDK says that it is a retry, the
    fields tell of which call.
    """
    body, label = exchange.request_body, exchange.request_headers.get("content-type", "")
    boundary = label.partition("boundary=")[2].split(";")[0].strip('" ').encode("latin-1", "replace")
    if not boundary or body is None or len(body) > _MAX_FORM or call.retry_count is None:
        return known
    return fingerprint(exchange.url, body.replace(boundary, b""))


def fingerprint(url: str, body: bytes) -> bytes:
    """What a request is known by when it comes again. Of large bodies a part is read: 10 MB would take 10 ms."""
    hashed = blake2b(f"{len(body)} {url}".encode(), digest_size=16)
    if len(body) <= _HASHED_WHOLE:
        hashed.update(body)
    else:
        ends = _HASHED_WHOLE // 4
        hashed.update(body[:ends])
        for at in range(ends, len(body) - ends, _HASHED_EVERY):
            hashed.update(body[at : at + 1024])
        hashed.update(body[-ends:])
    return hashed.digest()
