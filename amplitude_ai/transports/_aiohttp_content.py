"""What stands in for ``ClientResponse.content``: it shows what is read to the capture, or less of it to the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp.streams import AsyncStreamIterator, ChunkTupleAsyncStreamIterator

from ._capture import CLOSED, EXHAUSTED, Capture
from ._library import kind_of
from ._stand_in import class_of

#: What is ours of a stand-in; everything else is set on, and read from, the reader itself.
_OWN = frozenset({"_content", "_capture", "_feed", "_filter", "_ready"})


class Content:
    """Stands in for a response's ``StreamReader``. Everything it does not watch is the inner object's own."""

    def __init__(self, content: Any, capture: Capture) -> None:
        self._content = content
        self._capture = capture
        self._feed = capture.chunk_recorder()

    async def _read(self, read: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        capture = self._capture
        try:
            data = await read(*args, **kwargs)
        except asyncio.IncompleteReadError as exc:  # readexactly, at the end
            self._seen(exc.partial)
            raise
        except BaseException as exc:
            capture.fail(exc)
            raise
        self._seen(data[0] if isinstance(data, tuple) else data)
        return data

    def _seen(self, data: bytes) -> None:
        if data:
            self._feed(data)
        if self._content.at_eof():
            self._capture.finish(EXHAUSTED)

    async def read(self, n: int = -1) -> bytes:
        """Read up to ``n`` bytes, or all."""
        return await self._read(self._content.read, n)  # type: ignore[no-any-return]

    async def readany(self) -> bytes:
        """Read what is there."""
        return await self._read(self._content.readany)  # type: ignore[no-any-return]

    async def readline(self, *args: Any, **kwargs: Any) -> bytes:
        """Read a line."""
        return await self._read(self._content.readline, *args, **kwargs)  # type: ignore[no-any-return]

    async def readuntil(self, *args: Any, **kwargs: Any) -> bytes:
        """Read up to a separator."""
        return await self._read(self._content.readuntil, *args, **kwargs)  # type: ignore[no-any-return]

    async def readexactly(self, n: int) -> bytes:
        """Read ``n`` bytes."""
        return await self._read(self._content.readexactly, n)  # type: ignore[no-any-return]

    async def readchunk(self) -> tuple[bytes, bool]:
        """Read what came as one chunk."""
        return await self._read(self._content.readchunk)  # type: ignore[no-any-return]

    def read_nowait(self, n: int = -1) -> bytes:
        """Read what is there already."""
        data: bytes = self._content.read_nowait(n)
        self._seen(data)
        return data

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        """Called by ``close()`` and ``release()`` of the response, with an error for readers that come too late."""
        self._content.set_exception(exc, *args, **kwargs)
        self._capture.finish(CLOSED)

    def _over(self, name: str, *args: Any) -> AsyncStreamIterator[bytes]:
        """Iterate by a way of reading."""
        return _Shown(partial(getattr(self._content, name), *args), self._content, self._capture, self._feed)

    def __aiter__(self) -> AsyncStreamIterator[bytes]:
        return self._over("readline")

    def iter_chunked(self, n: int) -> AsyncStreamIterator[bytes]:
        """Iterate over pieces of up to ``n`` bytes."""
        return self._over("read", n)

    def iter_any(self) -> AsyncStreamIterator[bytes]:
        """Iterate over the data as it comes."""
        return self._over("readany")

    def iter_chunks(self) -> ChunkTupleAsyncStreamIterator:
        """Iterate over the data as it was chunked."""
        return ChunkTupleAsyncStreamIterator(self)  # type: ignore[arg-type]

    __class__ = class_of(lambda self: self._content)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:
            raise AttributeError(name)
        return getattr(self._content, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self._content, name, value)

    def __repr__(self) -> str:
        return repr(self._content)


class _Shown(AsyncStreamIterator[bytes]):
    """An iteration over what the reader itself reads, which is shown to the capture: a line costs no frame of ours."""

    def __init__(
        self,
        read: Callable[[], Awaitable[bytes]],
        content: Any,
        capture: Capture,
        feed: Callable[[bytes], None],
    ) -> None:
        super().__init__(read)
        self._content = content
        self._capture = capture
        self._feed = feed

    async def __anext__(self) -> bytes:
        try:
            data = await self.read_func()
        except BaseException as exc:
            self._capture.fail(exc)
            if kind_of(exc, "aiohttp", "EofStream"):
                raise StopAsyncIteration from None
            raise
        if data:
            self._feed(data)
        if self._content.at_eof():
            self._capture.finish(EXHAUSTED)
        if data == b"":
            raise StopAsyncIteration
        return data


class Filtered(Content):
    """The same where usage was asked for: what is read is what the filter lets pass, kept until it is asked for."""

    def __init__(self, content: Any, capture: Capture) -> None:
        super().__init__(content, capture)
        self._filter: Any = capture.usage_filter
        self._ready = bytearray()

    def _over(self, name: str, *args: Any) -> AsyncStreamIterator[bytes]:
        return AsyncStreamIterator(partial(getattr(self, name), *args))

    async def _more(self) -> bool:
        """Read on; False at the end."""
        if self._content.at_eof():
            self._ready += self._filter.flush()
            return False
        try:
            data = await super().readany()
        except Exception:
            self._ready += self._filter.flush()  # no byte that came is lost; the next read raises
            if self._ready:
                return False
            raise
        self._ready += self._filter.feed(data)
        return True

    def _take(self, size: int) -> bytes:
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    async def read(self, n: int = -1) -> bytes:
        """Read up to ``n`` bytes, or all."""
        while (n < 0 or not self._ready) and n and await self._more():
            pass
        return self._take(len(self._ready) if n < 0 else n)

    async def readany(self) -> bytes:
        """Read what is there."""
        while not self._ready and await self._more():
            pass
        return self._take(len(self._ready))

    async def readline(self, *args: Any, **kwargs: Any) -> bytes:
        """Read a line."""
        return await self.readuntil()

    async def readuntil(self, separator: bytes = b"\n", *args: Any, **kwargs: Any) -> bytes:
        """Read up to a separator."""
        looked = 0
        while (found := self._ready.find(separator, max(looked - len(separator), 0))) < 0:
            looked = len(self._ready)
            if not await self._more():
                break
        return self._take(len(self._ready) if found < 0 else found + len(separator))

    async def readexactly(self, n: int) -> bytes:
        """Read ``n`` bytes."""
        while len(self._ready) < n:
            if not await self._more():
                if len(self._ready) < n:
                    raise asyncio.IncompleteReadError(self._take(n), n)
                break
        return self._take(n)

    async def readchunk(self) -> tuple[bytes, bool]:
        """Read what came as one chunk, as far as it passes."""
        data = await self.readany()
        return data, bool(data)

    def read_nowait(self, n: int = -1) -> bytes:
        """Read what is there already."""
        self._ready += self._filter.feed(super().read_nowait(-1))
        return self._take(len(self._ready) if n < 0 else n)

    def at_eof(self) -> bool:
        """Whether all was read."""
        if self._content.at_eof():
            self._ready += self._filter.flush()
        return not self._ready and bool(self._content.at_eof())
