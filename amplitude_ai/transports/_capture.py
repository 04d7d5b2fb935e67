"""One exchange in flight. No I/O, no parsing, no HTTP library: bytes are pushed in, one finished fact comes out.

`Capture` is the only mutable type of this package's data path. It is shared by every iterator over one response and
finishes exactly once, on the first of exhaustion, close, error and garbage collection. On the caller's thread it
reads the clock and keeps references; all else happens in `exchange()`, which the worker calls.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from operator import length_hint, sub
from typing import TYPE_CHECKING, Any

from .. import _clock
from .._foreign import MAX_TEXT, clean_text, clean_url
from .._guard import count, let_pass, report
from .._models import CallError, Exchange, Outcome, Scope
from ._headers import as_text, kept_headers

if TYPE_CHECKING:
    from ._usage_injection import UsageFilter

#: Bytes kept of one response: this much of its head and as much of its tail (usage stands in the last frames).
KEEP_HEAD = 4 * 1024 * 1024
KEEP_TAIL = 1024 * 1024
#: Bytes kept of one request body. A longer one is kept as nothing but its length class: JSON cut short is no JSON.
KEEP_REQUEST = 32 * 1024 * 1024
#: Chunks whose arrival is timed: all that an answer has, at most 2.5 MB of times. It is 0.15 µs a chunk (measured; the
#: clock's part is 0.06), of the 20 and more that a library takes; without it a stream's later stalls would not be seen.
TIMED_CHUNKS = 65_536
#: What a chunk is taken for beside its bytes, while they are but added up: so many that `KEEP_HEAD` is used up before
#: there are more than `TIMED_CHUNKS`. Then each is looked at more closely.
CHUNK_COST = 64
#: A wait between two chunks that is counted as a stall.
STALL_NS = 1_000_000_000

#: Outcomes by a name of their own: to look up an enumeration's member runs a function of Python's in 3.11.
EXHAUSTED = Outcome.EXHAUSTED
CLOSED = Outcome.CLOSED
ABANDONED = Outcome.ABANDONED

_ONCE = (True,)
_CANCELLED = frozenset({"CancelledError", "Cancelled"})

#: Where a finished capture goes; set once by the runtime.
Sink = Callable[["Capture"], None]


class Capture:
    """One request and its response while they cross the wire.

    Args:
        sink: called once, with this capture, when it is finished.
        context: who the call belongs to.
        method: HTTP method.
        url: the URL as the library has it; made a string, and stripped of secrets, in `exchange()`.
        request_headers: the names of the allowed ones, and as many (or more) headers that end with their value.
        request_body: the body when it is in memory.
    """

    # What most captures never change, nor look at on the caller's thread, stands on the class: an instance is made for
    # every call there. (Through an instance it is dear to look at.)
    status: int | None = None
    response_headers: Any = ()
    headers_ns: int | None = None
    finished_ns = 0
    size = 0  # bytes held, once it is finished, and `CHUNK_COST` for each chunk
    outcome = ABANDONED
    error: CallError | None = None
    body_decoded = False
    from_cache = False
    request_truncated = False
    is_read = False  # somebody is to read its body: let go before the end, it was abandoned
    _asks: list[int] | None = None  # when the reader wanted each chunk, where that is seen
    _kept = 0  # bytes of the head, once chunks are looked at closely
    _is_looked_at = False
    _untimed: bytearray | None = None  # the rest of the head, where it has more than `TIMED_CHUNKS`
    _tail: bytearray | None = None

    def __init__(
        self,
        sink: Sink,
        context: Scope,
        method: str,
        url: object,
        request_headers: tuple[tuple[str, ...], tuple[Any, ...]],
        request_body: bytes | None,
    ) -> None:
        self._sink = sink
        self._end = iter(_ONCE)  # taken by whoever finishes first: that is atomic, a finalizer cannot race it
        self.context = context
        self.method = method
        self.url = url
        self.request_headers = request_headers
        self.request_body = request_body
        if request_body is not None:
            self.size = len(request_body)
            if self.size > KEEP_REQUEST:
                self.request_truncated = True
                self.request_body = None
                self.size = 0
        self._chunks: list[bytes] = []
        self._times: list[int] = []
        self._room = KEEP_HEAD
        self.usage_filter: UsageFilter | None = None  # hides what we asked for from the application
        self.started_at = _clock.wall_s()
        self.started_ns = _clock.perf_ns()

    def respond(self, status: int, headers: Any) -> None:
        """The head of the response has arrived.

        Args:
            status: HTTP status.
            headers: name and value pairs, str or bytes, or what has these as ``raw`` (httpx); read on the worker.
        """
        self.headers_ns = _clock.perf_ns()
        self.status = status if isinstance(status, int) else None  # a hand-made response may hold anything
        self.response_headers = headers

    def fail(self, exc: BaseException) -> None:
        """An exception came out of the HTTP library, or was thrown into the reader. Never raises."""
        exc = _alone(exc)
        kind = type(exc).__name__
        if kind == "GeneratorExit":  # the reader let go of the iterator
            self.finish(CLOSED)
        elif not self.finished:
            try:
                text = str(exc)[:MAX_TEXT]  # cleaned by the worker
            except Exception as own:
                report("describe_exception", own)
                text = ""
            outcome = Outcome.CANCELLED if kind in _CANCELLED else Outcome.ERROR
            self.finish(outcome, CallError(type=kind, message=text or None))

    def finish(self, outcome: Outcome, error: CallError | None = None) -> None:
        """Finish, once; later calls do nothing. Never raises."""
        if next(self._end, None) is None:
            return
        try:
            self.finished_ns = _clock.perf_ns()
            self.outcome = outcome
            self.error = error
            if self._is_looked_at:
                self.size += self._kept + len(self._tail or b"") + CHUNK_COST * len(self._times)
            elif self._room == KEEP_HEAD and self._chunks:  # a loop over the stream stands still, and has told nothing
                self.size += sum(map(len, self._chunks)) + CHUNK_COST * len(self._times)
            else:
                self.size += KEEP_HEAD - max(self._room, 0)
            self._sink(self)
        except Exception as own:
            report("finish", own)

    @property
    def finished(self) -> bool:
        """Whether the capture was finished."""
        return length_hint(self._end) == 0

    def chunk_recorder(self) -> Callable[[bytes], None]:
        """What takes the chunks of the body, for a reader: from now on a capture that is let go was abandoned."""
        self.is_read = True
        return self.feed

    def over(self, stream: Iterable[bytes]) -> Iterator[bytes]:
        """The very chunks of ``stream``, each seen as it passes. How that ends is how the capture does.

        When the reader asks for a chunk is seen, too: what passes until then is the reader's, what passes until the
        chunk has come the wire's.
        """
        now, came, keep = _clock.perf_ns, self._times.append, self._chunks.append
        room = self._room if self._asks is None else -1  # of two loops at a time one goes by the common count
        asks = self._asks = self._asks or []
        asked = asks.append
        try:
            asked(now())
            for chunk in stream:
                # What `feed` does, without the call: that is a fifth of what a chunk costs.
                seen = chunk if type(chunk) is bytes else _octets(chunk)
                room -= len(seen) + CHUNK_COST
                if room >= 0:
                    came(now())
                    keep(seen)
                else:
                    self._feed_closely(seen)
                yield chunk
                asked(now())
        except BaseException as exc:
            self._room = min(room, self._room)
            self.fail(exc)
            raise
        self._room = min(room, self._room)
        self.finish(EXHAUSTED)

    async def over_async(self, stream: AsyncIterable[bytes], closes: bool = False) -> AsyncIterator[bytes]:
        """The same in the other colour.

        Args:
            stream: gives the chunks.
            closes: whether a reader that stops early closes the stream's generator, too.
        """
        iterator: AsyncIterator[bytes] | None = None
        now, came, keep = _clock.perf_ns, self._times.append, self._chunks.append
        room = self._room if self._asks is None else -1
        asks = self._asks = self._asks or []
        asked = asks.append
        try:
            asked(now())
            iterator = aiter(stream)
            async for chunk in iterator:
                seen = chunk if type(chunk) is bytes else _octets(chunk)
                room -= len(seen) + CHUNK_COST
                if room >= 0:
                    came(now())
                    keep(seen)
                else:
                    self._feed_closely(seen)
                yield chunk
                asked(now())
        except BaseException as exc:
            self._room = min(room, self._room)
            self.fail(exc)
            if closes:
                await close_generator(iterator)
            raise
        self._room = min(room, self._room)
        self.finish(EXHAUSTED)

    def feed(self, chunk: bytes) -> None:
        """Take one chunk. Never raises."""
        if type(chunk) is not bytes:
            chunk = _octets(chunk)
        self._room = room = self._room - len(chunk) - CHUNK_COST
        if room >= 0:
            self._times.append(_clock.perf_ns())
            self._chunks.append(chunk)
        else:
            self._feed_closely(chunk)

    def _feed_closely(self, chunk: bytes) -> None:
        """Where the chunks so far may have reached one of the limits."""
        if not chunk or self.finished:  # nothing, however often; what comes after the end
            if self._asks:
                self._asks.pop()
            return
        if not self._is_looked_at:
            self._is_looked_at = True
            self._kept = sum(map(len, self._chunks))
        if len(self._times) < TIMED_CHUNKS:
            self._times.append(_clock.perf_ns())
        elif self._asks:
            self._asks.pop()
        fits = KEEP_HEAD - self._kept
        if fits >= len(chunk):
            self._keep(chunk)
        else:
            if fits > 0:  # the chunk that crosses the limit
                self._keep(chunk[:fits])
            self._overflow(memoryview(chunk)[fits:])

    def _keep(self, chunk: bytes) -> None:
        """As a part of the head. A chunk that is not timed is no object of its own: that is 50 bytes for one of two."""
        self._kept += len(chunk)
        if len(self._chunks) < TIMED_CHUNKS:
            self._chunks.append(chunk)
        elif self._untimed is None:
            self._untimed = bytearray(chunk)
        else:
            self._untimed += chunk

    def __del__(self) -> None:
        # Whoever read it has let it go. One that nobody was to read led only here: a redirect, a call inside a call.
        if self.is_read and not self.finished:
            self.finish(ABANDONED)

    def _overflow(self, chunk: memoryview) -> None:
        """Past the head limit: keep only the last `KEEP_TAIL` bytes."""
        tail = self._tail
        if tail is None:
            tail = self._tail = bytearray()
            count("captures_truncated")
        tail += chunk[-KEEP_TAIL:]
        del tail[:-KEEP_TAIL]

    def _gaps_ns(self) -> list[int]:
        """The waits for each chunk but the first, and for one that did not come before the reader or the wire gave up.

        Without what the reader took its time for, where that is seen.
        """
        times, asks = self._times, (self._asks or [])[:TIMED_CHUNKS]
        since = asks[1:] if asks else times
        gaps = list(map(sub, times[1:], since))
        broken_off = 0 < len(times) < TIMED_CHUNKS and self.outcome in (Outcome.ERROR, Outcome.CANCELLED)
        if broken_off and (not asks or len(asks) > len(times)):
            gaps.append(self.finished_ns - (asks or times)[-1])
        return gaps

    def _reader_ns(self) -> int | None:
        """How long the reader let the answer wait: before its first look, and with each chunk before the next."""
        times, asks = self._times, (self._asks or [])[:TIMED_CHUNKS]
        if not asks or self.headers_ns is None:
            return None
        held: int = asks[0] - self.headers_ns + sum(map(sub, asks[1:], times))
        if len(asks) == len(times) < TIMED_CHUNKS:  # it let go of it with the last in hand
            held += self.finished_ns - times[-1]
        return held

    def forget(self) -> None:
        """Let go of the bytes: who keeps a response keeps its stream, and so this."""
        self.request_body = None
        self._chunks, self._times = [], []
        self._asks = self._untimed = self._tail = None
        self._room = -1  # what comes now is looked at closely, and not kept

    def exchange(self) -> Exchange:
        """The finished fact. Called on the worker."""
        chunks = [*self._chunks, *([] if self._untimed is None else [bytes(self._untimed)])]
        head = len(chunks)
        gaps = self._gaps_ns()
        return Exchange(
            id=os.urandom(16).hex(),  # what a uuid4 is made of, without the object around it
            method=self.method,
            url=clean_url(str(self.url)),
            request_headers={
                name: as_text(header[-1], "latin-1") for name, header in zip(*self.request_headers, strict=False)
            },
            request_body=self.request_body,
            status=self.status if isinstance(self.status, int) else None,  # a mock's may be a mock
            response_headers=kept_headers(self.response_headers),
            response_chunks=(*chunks, *([] if self._tail is None else [bytes(self._tail)])),
            chunk_times_ns=tuple(self._times[:head]),
            outcome=self.outcome,
            error=None if self.error is None else _cleaned(self.error),
            started_ns=self.started_ns,
            started_at_ms=int(self.started_at * 1000),
            headers_ns=self.headers_ns,
            finished_ns=self.finished_ns,
            context=self.context,
            request_truncated=self.request_truncated,
            response_truncated=self._tail is not None,
            tail_index=None if self._tail is None else head,
            body_decoded=self.body_decoded,
            from_cache=self.from_cache,
            max_gap_ns=max(gaps, default=None),
            stall_count=sum(gap >= STALL_NS for gap in gaps),
            reader_ns=self._reader_ns(),
        )


async def close_generator(iterator: AsyncIterator[bytes] | None) -> None:
    """Close a generator that a loop was in the midst of. (Nobody else can, and trio warns of those that are left.)"""
    if isinstance(iterator, AsyncGenerator):
        await iterator.aclose()


def _octets(chunk: Any) -> bytes:
    """A chunk that is no ``bytes``, of a mock or a custom transport, which may change it afterwards.

    It may be anything; the call was made all the same, and the library will say so itself.
    """
    try:
        return bytes(memoryview(chunk))
    except Exception as exc:
        let_pass(exc)
        count("odd_chunks")
        return b""


def _cleaned(error: CallError) -> CallError:
    return CallError(error.type, error.message and clean_text(error.message), error.code)


def _alone(exc: BaseException) -> BaseException:
    """An exception out of groups that hold nothing else: trio's and anyio's cancellations come in them."""
    while isinstance(exc, BaseExceptionGroup) and len({type(one) for one in exc.exceptions}) == 1:
        exc = exc.exceptions[0]
    return exc
