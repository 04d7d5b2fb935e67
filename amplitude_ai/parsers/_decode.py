"""Content-encoding undone, within a budget: what a liar packed tightly costs no more than what an honest server sends.

In: the chunks of a body as they came. Out: a `Body`. Decompressors are asked for a piece at a time, never for all that
a chunk holds (3 KB of brotli hold 2 GB). Past `HEAD` bytes only the last `TAIL` are kept, as of a capture too large,
and past `WORK` bytes, those between two stacked encodings counted in, decoding ends. Nothing here raises on wire data.
"""

from __future__ import annotations

import bisect
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from .._guard import count

#: Decoded bytes kept of a body's head and, where it is longer, of its tail (usage stands in the last frames).
HEAD = 32 * 1024 * 1024
TAIL = 1024 * 1024
#: The most bytes that all decompressors together may give for one body.
WORK = 256 * 1024 * 1024
#: Bytes asked of a decompressor at a time.
PIECE = 64 * 1024
#: Stacked encodings that are undone; more than two were never seen.
_MAX_STACKED = 4
#: The largest window a zstd frame may ask for (RFC 9659 allows HTTP 8 MB).
_ZSTD_WINDOW = 8 * 1024 * 1024

#: Takes the bytes of a chunk, gives decoded pieces of about `PIECE` bytes at most.
Decoder = Callable[[bytes], Iterator[bytes]]


class Body:
    """A decoded body that still knows which wire chunk each byte came with."""

    __slots__ = ("_ends", "damaged", "data")

    def __init__(self, data: bytes, ends: list[int], damaged: bool) -> None:
        self.data = data
        self._ends = ends
        self.damaged = damaged

    def chunk_at(self, end: int) -> int:
        """Index of the wire chunk that completed the first ``end`` decoded bytes."""
        return bisect.bisect_left(self._ends, end)


def decode(chunks: Sequence[bytes], encoding: str | None) -> Body:
    """Undo content-encoding, chunk by chunk (so that time stays attached). Stacked encodings are undone in turn."""
    names = [name.strip().lower() for name in (encoding or "").split(",") if name.strip()]
    known = [name for name in reversed(names) if name in _decoders]
    damaged = any(name not in _decoders and name != "identity" for name in names)
    if len(known) > _MAX_STACKED:
        count("decoded_truncated")
        return Body(b"", [], True)
    if not known:
        ends: list[int] = []
        total = 0
        for chunk in chunks:
            total += len(chunk)
            ends.append(total)
        return Body(b"".join(chunks), ends, damaged)
    return _Decoding([_decoders[name]() for name in known]).body(chunks, damaged)


class _OverBudget(Exception):
    """This body has had its share."""


class _Decoding:
    """One body being decoded."""

    def __init__(self, steps: Sequence[Decoder]) -> None:
        self._steps = steps
        self._work = WORK
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self._cut = False

    def body(self, chunks: Sequence[bytes], damaged: bool) -> Body:
        ends: list[int] = []
        try:
            for chunk in chunks:
                for piece in self._decoded(chunk, 0):
                    self._keep(piece)
                ends.append(len(self._head))
        except _OverBudget:
            self._cut = True
        except Exception:
            damaged = True  # each decompressor has errors of its own; what was whole before stands
        if self._cut:
            count("decoded_truncated")
            self._head += b"".join(self._tail)[-TAIL:]
        ends.append(len(self._head))
        return Body(bytes(self._head), ends, damaged or self._cut)

    def _decoded(self, data: bytes, step: int) -> Iterator[bytes]:
        if step == len(self._steps):
            yield data
            return
        for piece in self._steps[step](data):
            self._work -= len(piece)
            if self._work < 0:
                raise _OverBudget
            yield from self._decoded(piece, step + 1)

    def _keep(self, piece: bytes) -> None:
        room = HEAD - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        if not piece:
            return
        self._cut = True
        self._tail.append(piece)
        self._tail_size += len(piece)
        while self._tail_size - len(self._tail[0]) >= TAIL:
            self._tail_size -= len(self._tail.popleft())


def _gzip() -> Decoder:
    return _inflater(zlib.MAX_WBITS | 16)


def _deflate() -> Decoder:
    # RFC 9110 means zlib-wrapped; many servers send raw deflate. The first byte tells.
    state: list[Decoder] = []

    def step(data: bytes) -> Iterator[bytes]:
        if not state:
            if not data:
                return iter(())
            state.append(_inflater(zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS))
        return state[0](data)

    return step


def _inflater(wbits: int) -> Decoder:
    inflater = zlib.decompressobj(wbits)

    def step(data: bytes) -> Iterator[bytes]:
        nonlocal inflater
        while data:
            if inflater.eof:
                if wbits <= zlib.MAX_WBITS:
                    return  # what follows the end of zlib's or raw data is nobody's
                inflater = zlib.decompressobj(wbits)  # gzip: one member behind the other is one body (RFC 1952, 2.2)
            yield inflater.decompress(data, PIECE)
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        # With all input taken some output may still wait inside, less than a window of it.
        while not inflater.eof and (more := inflater.decompress(b"", PIECE)):
            yield more

    return step


#: Bytes of brotli taken at a time where its library knows no limit (before 1.2): they hold some 10 MB at most.
_BROTLI_SIP = 16


def _brotli() -> Decoder:
    import brotli

    decoder: Any = brotli.Decompressor()
    if not hasattr(decoder, "can_accept_more_data"):

        def sip(data: bytes) -> Iterator[bytes]:
            for at in range(0, len(data), _BROTLI_SIP):
                yield decoder.process(data[at : at + _BROTLI_SIP])

        return sip

    def step(data: bytes) -> Iterator[bytes]:
        more = decoder.process(data, output_buffer_limit=PIECE)
        # Output may wait inside though all input is taken.
        while more or not (decoder.is_finished() or decoder.can_accept_more_data()):
            yield more
            more = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=PIECE)

    return step


class _Pieces:
    """What a zstd decompressor writes to, a piece at a time."""

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.made.append(bytes(data))
        return len(data)


#: Bytes of zstd taken at a time. A block of 4 bytes (one byte repeated) holds 128 KB, and no block holds more.
_ZSTD_SIP = 256


def _zstd() -> Decoder:
    import zstandard

    pieces = _Pieces()
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    writer: Any = unpacker.stream_writer(cast(Any, pieces), write_size=PIECE)

    def step(data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _ZSTD_SIP):
            writer.write(data[at : at + _ZSTD_SIP])
            made, pieces.made = pieces.made, []
            yield from made

    return step


_decoders: dict[str, Callable[[], Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
