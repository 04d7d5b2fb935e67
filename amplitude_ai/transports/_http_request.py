"""A request of ``http.client`` between its head's leaving and its answer, on whichever connection it is sent.

Its body may be sent piece by piece, by ``send()`` or from a file or an iterable: the pieces are kept as they leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .._guard import guard, report
from .._models import Outcome
from ._capture import ABANDONED, CLOSED, KEEP_REQUEST, Capture
from ._http_response import observe
from ._library import Patch, kind_of
from ._raw_tee import attach
from ._stand_in import class_of
from ._standing import Standing, standing_hook

_WATCHED = ("send", "getresponse", "close")


def hooks(kind: Any) -> list[Patch]:
    """What has to stand on the class of the connections."""
    return [(kind, name, standing_hook(name)) for name in _WATCHED]


class Sent(Standing):
    """A request on its way, until its response is there.

    Args:
        connection: that it is sent by.
        capture: of the call.
        by_parts: its body comes after this, or is no bytes.
        framed: its body is sent in chunks.
    """

    def __init__(self, connection: Any, capture: Capture, by_parts: bool, framed: bool) -> None:
        self._framed = framed
        self._parts: list[bytes] = []
        self._size = 0
        self._in_head = True
        self._busy = True  # the library is at work: what it closes meanwhile is no end of ours
        self._refused: BaseException | None = None  # the body was not taken; an answer may be there all the same
        self._sees_parts = by_parts
        super().__init__(connection, capture)

    def begun(self) -> None:
        """The head was sent, and the body that was given with it."""
        self._busy = False

    def failed(self, exc: BaseException) -> None:
        """Sending it raised. Never raises."""
        self._busy = False
        with guard("send"):
            if isinstance(exc, BrokenPipeError | ConnectionResetError) and self.owner().sock is not None:
                self._refused = exc
            else:
                self._end(exc, Outcome.ERROR)

    def send(self, theirs: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Send a part of the body; the first part, and what is sent within it (to a proxy), is the head."""
        if self.gone or not self._sees_parts:
            return theirs(*args, **kwargs)
        if self._in_head:
            sent = theirs(*args, **kwargs)
            self._in_head = False
            return sent
        if args:
            with guard("send"):
                args = (self._shown(args[0]), *args[1:])
        if self._busy:  # within ``endheaders``, which sees what is raised
            return theirs(*args, **kwargs)
        self._busy = True
        try:
            return theirs(*args, **kwargs)
        except BaseException as exc:
            self.failed(exc)
            raise
        finally:
            self._busy = False

    def _shown(self, data: Any) -> Any:
        if isinstance(data, bytes | bytearray | memoryview):
            self._keep(data)
            return data
        if hasattr(data, "read"):
            return _File(data, self._keep)
        return self._each(data) if isinstance(data, Iterable) else data

    def _each(self, data: Iterable[Any]) -> Iterable[Any]:
        for part in data:
            with guard("send"):
                self._keep(part)
            yield part

    def _keep(self, part: Any) -> None:
        kept = part.encode("latin-1") if isinstance(part, str) else bytes(part)
        self._size += len(kept)
        if self._size <= KEEP_REQUEST:
            self._parts.append(kept)

    def getresponse(self, theirs: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for the head of the answer."""
        if self.gone or self._busy:  # a subclass has asked for it already
            return theirs(*args, **kwargs)
        self._busy = True
        try:
            response = theirs(*args, **kwargs)
        except BaseException as exc:
            with guard("send"):
                # Not ready: of an earlier request there is something to be read.
                if kind_of(exc, "http", "ResponseNotReady") is None:
                    self._end(exc, Outcome.ERROR)
            raise
        finally:
            self._busy = False
        return self._attach(response)

    def _attach(self, response: Any) -> Any:
        capture = self.capture
        try:
            self.leave()
            self._tell_body()
            if kind_of(response, "http", "HTTPResponse") is None:  # urllib3's, where somebody has taken our hook off
                return attach(capture, response, decoded=True)
            capture.respond(response.status, response.getheaders())
            observe(response, capture)
        except Exception as exc:
            report("attach", exc)
            capture.finish(ABANDONED)
        return response

    def _tell_body(self) -> None:
        capture = self.capture
        if self._size > KEEP_REQUEST:
            capture.request_truncated = True
        elif self._parts:
            body = b"".join(self._parts)
            capture.request_body = _unchunked(body) if self._framed else body
            capture.size = len(body)

    def close(self, theirs: Callable[..., Any]) -> Any:
        """Close the connection: what was not answered will not be."""
        if not self.gone and not self._busy:
            with guard("close"):
                self._end(self._refused, CLOSED)
        return theirs()

    def _end(self, exc: BaseException | None, outcome: Outcome) -> None:
        self.leave()
        try:
            self._tell_body()
        finally:
            if exc is not None:
                self.capture.fail(exc)
            self.capture.finish(outcome)

    def forgotten(self) -> None:
        """Nobody can answer any more."""
        self._end(self._refused, ABANDONED)


class _File:
    """A file that is sent, shown as it is read."""

    def __init__(self, file: Any, keep: Callable[[Any], None]) -> None:
        self._file = file
        self._keep = keep

    def read(self, *args: Any) -> Any:
        """As the file does."""
        data = self._file.read(*args)
        with guard("send"):
            self._keep(data)
        return data

    __class__ = class_of(lambda self: self._file)  # of a text file the connection encodes what it reads

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _unchunked(body: bytes) -> bytes:
    """A body without the framing of its chunks (RFC 9112, 7.1), as far as it was sent.

    Raises:
        ValueError: it is not framed so.
    """
    parts, at = [], 0
    while (end := body.find(b"\r\n", at)) >= 0 and (size := int(body[at:end].partition(b";")[0], 16)):
        at = end + 2 + size
        parts.append(body[end + 2 : at])
        at += 2
    return b"".join(parts)
