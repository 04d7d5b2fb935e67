"""Seeing the body of urllib3's response, which requests, botocore and plain urllib3 read. Imports none of them.

`observe` lets a `Capture` see the bytes as they come from the wire, at the places where urllib3 2 reads them, on that
one object: it stays the application's own, with its class, its decoding and its iteration. What is no such response
(urllib3 1, a file of a custom adapter) gets a `RawTee` that stands in for it; the bytes that shows are decompressed
where they were asked to be.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import Any

from .._guard import report
from ._capture import ABANDONED, CLOSED, EXHAUSTED, Capture
from ._stand_in import class_of

#: Where urllib3 2 reads from the connection: plain bodies, chunked bodies, and the end of those.
_READS = ("_raw_read", "_handle_chunk", "_update_chunk_length", "close")


def attach(capture: Capture, response: Any, decoded: bool) -> Any:
    """What the application is given for a response of urllib3: itself where that can be. Never raises.

    Args:
        capture: which sees the body.
        response: the response.
        decoded: whether a body that was read already was decompressed then.
    """
    try:
        # A promise of urllib3-future's, a response class of somebody's own: nothing of its answer is seen.
        if not hasattr(response, "status") or not hasattr(response, "headers"):
            capture.finish(ABANDONED)
            return response
        capture.respond(response.status, list(response.headers.items()))
        if not hasattr(response, "_fp") or getattr(response, "_body", None) is not None:
            # It has been read (preload_content), or (HTTP/2) came as a whole.
            capture.body_decoded = decoded
            capture.feed(response.data)
            capture.finish(EXHAUSTED)
            return response
        return observe(response, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(ABANDONED)
        return response


def observe(raw: Any, capture: Capture) -> Any:
    """Let the capture see the body of ``raw``. Returns what the application reads from, ``raw`` itself where it can be.

    Raises:
        Exception: ``raw`` is no response at all; the caller fences.
    """
    kind = type(raw)
    if all(callable(getattr(kind, name, None)) for name in _READS) and hasattr(raw, "__dict__"):
        _observe(raw, kind, capture)
        return raw
    return (RawTee if hasattr(raw, "stream") else FileTee)(raw, capture)


def _observe(raw: Any, kind: Any, capture: Capture) -> None:
    feed = capture.chunk_recorder()
    reference: Any = weakref.ref(raw)  # no cycle: the response must go when the application lets it go
    # Each is done as the response itself does it: by its class, or by what another (CacheControl) has put on this one.
    own = vars(raw)
    before = {name: theirs for name in (*_READS, "stream") if (theirs := own.get(name)) is not None}
    their_read, their_close = before.get("_raw_read"), before.get("close")
    their_chunk, their_length = before.get("_handle_chunk"), before.get("_update_chunk_length")

    reading = False  # a read that fails closes the response first, and then raises

    def _raw_read(amt: int | None = None, **kwargs: Any) -> Any:
        self = reference()
        try:
            data = kind._raw_read(self, amt, **kwargs) if their_read is None else their_read(amt, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        if data:
            feed(data)
        if self.length_remaining == 0 or (not data and amt != 0) or (amt is None and not kwargs.get("read1")):
            capture.finish(EXHAUSTED)
        return data

    def _handle_chunk(amt: int | None) -> Any:
        try:
            data = kind._handle_chunk(reference(), amt) if their_chunk is None else their_chunk(amt)
        except BaseException as exc:
            capture.fail(exc)
            raise
        if data:
            feed(data)
        return data

    def _update_chunk_length() -> None:
        nonlocal reading
        self = reference()
        reading = True
        try:
            if their_length is None:
                kind._update_chunk_length(self)
            else:
                their_length()
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            reading = False
        if self.chunk_left == 0:
            capture.finish(EXHAUSTED)

    def close() -> None:
        if not reading:
            capture.finish(CLOSED)
        self = reference()
        # Collected, when nothing but this method was held (``urlopen(...).close()``): its finalizer has closed it.
        if self is not None:
            if their_close is None:
                kind.close(self)
            else:
                their_close()

    own.update(_raw_read=_raw_read, _handle_chunk=_handle_chunk, _update_chunk_length=_update_chunk_length, close=close)
    hide = capture.usage_filter
    if hide is not None:
        # It holds the response, which ``urlopen(...).stream()`` does not: a cycle, where usage was asked for.
        theirs = before.get("stream") or partial(kind.stream, raw)

        def stream(amt: int | None = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
            return hide.over(theirs(amt, decode_content))

        own["stream"] = stream


def _itself(raw: Any) -> Any:
    return raw


class FileTee:
    """Stands in for a file that an adapter gave as a body. Everything it does not watch is the file's own."""

    _OWN = frozenset({"_raw", "_capture", "_feed"})

    def __init__(self, raw: Any, capture: Capture) -> None:
        self._raw = raw
        self._capture = capture
        self._feed = capture.chunk_recorder()

    def read(self, *args: Any, **kwargs: Any) -> Any:
        """Read so much, or all."""
        amt = args[0] if args else kwargs.get("amt", kwargs.get("size"))
        return self._seen(self._raw.read, args, kwargs, amt is None or amt < 0, amt == 0)

    def readline(self, *args: Any) -> Any:
        """Read a line."""
        return self._seen(self._raw.readline, args, {}, False, bool(args) and args[0] == 0)

    def readlines(self, *args: Any) -> list[Any]:
        """Read all lines."""
        return list(iter(self.readline, b""))

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """A read into the caller's buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def __next__(self) -> bytes:
        line: bytes = self.readline()
        if not line:
            raise StopIteration
        return line

    def _seen(self, read: Any, args: tuple[Any, ...], kwargs: Any, to_the_end: bool, nothing: bool) -> Any:
        capture = self._capture
        try:
            data = read(*args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        if data:
            self._feed(data)
        if to_the_end or (not data and not nothing):
            capture.finish(EXHAUSTED)
        return data

    def close(self) -> None:
        """Finish the capture, then close."""
        self._capture.finish(CLOSED)
        self._raw.close()

    __class__ = class_of(lambda self: self._raw)

    def __getattr__(self, name: str) -> Any:
        if name in FileTee._OWN:
            raise AttributeError(name)
        return getattr(self._raw, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Who pickles or copies it takes the file along, not us.
        return _itself, (self._raw,)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FileTee._OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._raw, name, value)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class RawTee(FileTee):
    """Stands in for urllib3 1's response, or one like it."""

    def stream(self, amt: int | None = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        """What ``Response.iter_content`` reads."""
        hide = self._capture.usage_filter
        watched = self._watched_stream(amt, decode_content)
        return watched if hide is None else hide.over(watched)

    def _watched_stream(self, amt: int | None, decode_content: bool | None) -> Iterator[bytes]:
        capture = self._capture
        capture.body_decoded = self._decodes(decode_content)
        feed = self._feed
        try:
            for chunk in self._raw.stream(amt, decode_content=decode_content):
                feed(chunk)
                yield chunk
        except BaseException as exc:
            capture.fail(exc)
            raise
        capture.finish(EXHAUSTED)

    def read(self, amt: int | None = None, decode_content: bool | None = None, *args: Any, **kwargs: Any) -> bytes:
        """A file-like read, as code that streams ``response.raw`` does."""
        return self._watched(self._raw.read, decode_content, amt, (amt, decode_content, *args), kwargs)

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """Like ``read``, at most one read of the socket."""
        return self._watched(self._raw.read1, decode_content, amt, (amt, decode_content), {})

    @property
    def data(self) -> bytes:
        """The whole body, which urllib3 keeps."""
        if not self._capture.finished:
            return self.read(cache_content=True)
        return self._raw.data  # type: ignore[no-any-return]

    def json(self) -> Any:
        """The whole body as JSON."""
        self.data  # noqa: B018  # read where it is seen
        return self._raw.json()

    def _watched(self, read: Any, decode: bool | None, amt: int | None, args: tuple[Any, ...], kwargs: Any) -> bytes:
        capture = self._capture
        capture.body_decoded = self._decodes(decode)
        try:
            data: bytes = read(*args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        if data:
            self._feed(data)
        if amt is None or amt < 0 or (not data and amt != 0):
            capture.finish(EXHAUSTED)
        return data

    def _decodes(self, asked: bool | None) -> bool:
        try:
            return bool(getattr(self._raw, "decode_content", False) if asked is None else asked)
        except Exception as exc:  # a stand-in for a response that computes its attributes
            report("read", exc)
            return False

    def release_conn(self) -> None:
        """Give the connection back; the body may have been read already."""
        self._raw.release_conn()

    def __iter__(self) -> Iterator[bytes]:
        # Lines, as urllib3 iterates.
        rest = b""
        for chunk in self.stream(decode_content=True):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line + b"\n"
        if rest:
            yield rest
