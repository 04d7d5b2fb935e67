"""A stand-in for urllib3's response, which requests, botocore and plain urllib3 read bodies from. Imports none of them.

The bytes it shows to the `Capture` are decompressed where urllib3 was asked to decompress them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._guard import report
from .._models import Outcome
from ._capture import Capture


class RawTee:
    """Stands in for urllib3's response. Everything it does not watch is the inner object's own."""

    def __init__(self, raw: Any, capture: Capture) -> None:
        self._raw = raw
        self._capture = capture
        self._feed = capture.chunk_recorder()

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
        capture.finish(Outcome.EXHAUSTED)

    def read(self, amt: int | None = None, decode_content: bool | None = None, *args: Any, **kwargs: Any) -> bytes:
        """A file-like read, as code that streams ``response.raw`` does."""
        return self._watched(self._raw.read, decode_content, amt, (amt, decode_content, *args), kwargs)

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """Like ``read``, at most one read of the socket."""
        return self._watched(self._raw.read1, decode_content, amt, (amt, decode_content), {})

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """A read into the caller's buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

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
            capture.finish(Outcome.EXHAUSTED)
        return data

    def _decodes(self, asked: bool | None) -> bool:
        try:
            return bool(getattr(self._raw, "decode_content", False) if asked is None else asked)
        except Exception as exc:  # a stand-in for a response that computes its attributes
            report("read", exc)
            return False

    def close(self) -> None:
        """Finish the capture, then close."""
        self._capture.finish(Outcome.CLOSED)
        self._raw.close()

    def release_conn(self) -> None:
        """Give the connection back; the body may have been read already."""
        self._raw.release_conn()

    @property
    def __class__(self) -> type:
        return type(self._raw)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError("the class of a watched response cannot be changed")

    def __getattr__(self, name: str) -> Any:
        if name in {"_raw", "_capture"}:
            raise AttributeError(name)
        return getattr(self._raw, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream(decode_content=True))

    def __enter__(self) -> RawTee:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        capture = self.__dict__.get("_capture")
        if capture is not None and not capture.finished:
            capture.finish(Outcome.ABANDONED)
