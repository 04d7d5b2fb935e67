"""The async half of urllib3-future, by which niquests' ``AsyncSession`` sends. (The sync half is hooked as urllib3 is.)

urllib3-future stands in urllib3's place where it is installed, or beside it under its own name. Every body passes
``AsyncHTTPResponse._raw_read``. A multiplexed call is given a promise instead of a response: its answer is not seen.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .._guard import guard, report
from .._models import Outcome
from ._capture import Capture
from ._library import Library, Patch
from ._standing import Standing, async_standing_hook
from ._watch import Everyone, inside, send_watched_async
from .urllib3 import open_for


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``AsyncHTTPConnectionPool.urlopen``."""

    def make(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(original)
        async def urlopen(
            self: Any, method: str, url: str, body: Any = None, headers: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            if inside.get():
                return await original(self, method, url, body, headers, *args, **kwargs)
            capture, headers = open_for(everyone, self, method, url, body, headers)
            if capture is None:
                return await original(self, method, url, body, headers, *args, **kwargs)
            response = await send_watched_async(capture, original, self, method, url, body, headers, *args, **kwargs)
            _attach(capture, response)
            return response

        return urlopen

    response = module.AsyncHTTPResponse
    return [
        (module.AsyncHTTPConnectionPool, "urlopen", make),
        *((response, name, async_standing_hook(name)) for name in ("_raw_read", "close")),
    ]


LIBRARY = Library(_hooks)


def _attach(capture: Capture, response: Any) -> None:
    try:
        if not hasattr(response, "status"):  # a promise
            capture.finish(Outcome.ABANDONED)
            return
        capture.respond(response.status, list(response.headers.items()))
        whole = getattr(response, "_body", None)
        if isinstance(whole, bytes):  # it has been read (preload_content)
            capture.body_decoded = True
            capture.feed(whole)
            capture.finish(Outcome.EXHAUSTED)
        else:
            _Body(response, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


class _Body(Standing):
    """A response whose body is being read."""

    def __init__(self, response: Any, capture: Capture) -> None:
        self._feed = capture.chunk_recorder()
        self._reading = False  # a read that fails closes the response first, and then raises
        super().__init__(response, capture)

    async def _raw_read(self, theirs: Callable[..., Awaitable[Any]], amt: int | None = None, **kwargs: Any) -> Any:
        if self.gone:
            return await theirs(amt, **kwargs)
        self._reading = True
        try:
            data = await theirs(amt, **kwargs)
        except BaseException as exc:
            with guard("read"):
                self.leave()
                self.capture.fail(exc)
            raise
        finally:
            self._reading = False
        with guard("read"):
            if data:
                self._feed(data)
            if amt is None or (not data and amt != 0) or self.owner().closed:
                self.leave()
                self.capture.finish(Outcome.EXHAUSTED)
        return data

    async def close(self, theirs: Callable[..., Awaitable[Any]]) -> Any:
        """Finish the capture, then close."""
        if not self._reading and not self.gone:
            with guard("close"):
                self.forgotten()
        return await theirs()
