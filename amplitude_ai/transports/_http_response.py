"""Seeing the body of a response of ``http.client``, in whichever way it is read. Imports nothing of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._guard import guard
from ._capture import EXHAUSTED, Capture
from ._library import Patch
from ._standing import Standing, standing_hook

#: All ways to take bytes out of the response (lines, iteration and a reader that is put around it come down to them),
#: and its end.
_WATCHED = ("read", "read1", "readinto", "readline", "close")


def hooks(kind: Any) -> list[Patch]:
    """What has to stand on the class of the responses."""
    return [(kind, name, standing_hook(name)) for name in _WATCHED]


def observe(response: Any, capture: Capture) -> None:
    """Let the capture see the body of ``response``, which stays what it is.

    Raises:
        Exception: ``response`` is no such response; the caller fences.
    """
    if response.isclosed():  # it has no body
        capture.finish(EXHAUSTED)
    else:
        _Body(response, capture)


def _reading(name: str) -> Callable[..., Any]:
    """The method of that name, which shows what it reads."""

    def read(self: Any, theirs: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._busy or self.gone:  # one way to read goes by another
            return theirs(*args, **kwargs)
        self._busy = True
        try:
            data = theirs(*args, **kwargs)
        except BaseException as exc:
            with guard("read"):
                self._failed(exc)
            raise
        finally:
            self._busy = False
        with guard("read"):
            self._keep(bytes(memoryview(args[0]).cast("B")[:data]) if name == "readinto" else data)
        return data

    read.__name__ = name
    return read


class _Body(Standing):
    """A response whose body is being read."""

    def __init__(self, response: Any, capture: Capture) -> None:
        self._feed = capture.chunk_recorder()
        self._busy = False
        super().__init__(response, capture)

    read = _reading("read")
    read1 = _reading("read1")
    readline = _reading("readline")
    readinto = _reading("readinto")

    def _failed(self, exc: BaseException) -> None:
        partial = getattr(exc, "partial", None)  # IncompleteRead
        if isinstance(partial, bytes) and partial:
            self._feed(partial)
        self.leave()
        self.capture.fail(exc)

    def _keep(self, data: bytes) -> None:
        if data:
            self._feed(data)
        response = self.owner()
        if response.isclosed() or response.length == 0:
            self.leave()
            self.capture.finish(EXHAUSTED)

    def close(self, theirs: Callable[..., Any]) -> Any:
        """Finish the capture, then close."""
        if not self._busy and not self.gone:
            with guard("close"):
                self.forgotten()
        return theirs()
