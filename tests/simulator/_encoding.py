"""Content encodings, with the standard library alone: bytes in, a stream a real decoder reads out.

gzip and deflate are compressed. brotli and zstd are *stored*: valid frames of uncompressed blocks, which any decoder
must read (RFC 7932 §9.2, RFC 8878 §3.1.1.2), since the standard library of Python 3.11 has no compressor for them.
"""

from __future__ import annotations

import zlib
from typing import Protocol

_BLOCK = 1 << 16


class Encoder(Protocol):
    """Encodes a stream; every `feed` can be decoded as soon as it arrives."""

    def feed(self, data: bytes) -> bytes:
        """The next encoded bytes."""

    def finish(self) -> bytes:
        """The end of the stream."""


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.compressobj(wbits=wbits)

    def feed(self, data: bytes) -> bytes:
        return self._zlib.compress(data) + self._zlib.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        return self._zlib.flush()


class _Brotli:
    def __init__(self) -> None:
        self._bits, self._width = 0b1011, 4  # the stream header: a window of 22 bits

    def _block(self, data: bytes) -> bytes:
        # ISLAST=0, MNIBBLES=0 (four nibbles), MLEN-1, ISUNCOMPRESSED=1, then padding up to a byte.
        header = self._bits | ((len(data) - 1) << 3 | 1 << 19) << self._width
        size = (self._width + 20 + 7) // 8
        self._bits, self._width = 0, 0
        return header.to_bytes(size, "little") + data

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._block(data[at : at + _BLOCK]) for at in range(0, len(data), _BLOCK))

    def finish(self) -> bytes:
        # ISLAST=1, ISLASTEMPTY=1.
        return (self._bits | 0b11 << self._width).to_bytes(1, "little")


class _Zstd:
    def __init__(self) -> None:
        # Magic, no content size or checksum, a window of 128 KiB.
        self._header = b"\x28\xb5\x2f\xfd\x00\x38"

    def _block(self, data: bytes, last: bool = False) -> bytes:
        header, self._header = self._header, b""
        return header + (len(data) << 3 | last).to_bytes(3, "little") + data

    def feed(self, data: bytes) -> bytes:
        return b"".join(self._block(data[at : at + _BLOCK]) for at in range(0, len(data), _BLOCK))

    def finish(self) -> bytes:
        return self._block(b"", last=True)


class _Identity:
    def feed(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


def encoder(name: str | None) -> Encoder:
    """An encoder for a content-encoding; ``None`` leaves the bytes as they are.

    Raises:
        ValueError: the encoding is not one of gzip, deflate, br, zstd.
    """
    match name:
        case None:
            return _Identity()
        case "gzip":
            return _Zlib(31)
        case "deflate":
            return _Zlib(15)
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
    raise ValueError(f"encoding must be gzip, deflate, br or zstd, not {name!r}")
