"""What every adapter asks before it watches a request: is it ours, and whose is it. Library-free.

`Observer` carries the three seams a transport needs (where finished captures go, which requests are watched, how the
context is read), so that an adapter holds no policy of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from .._context import HEADER_PREFIX
from .._guard import count
from .._models import Binding, CallContext
from ._capture import REQUEST_HEADERS, Capture, Sink

#: Set while a watched request is inside its transport: a client nested in it (aiohttp under httpx, a caching transport,
#: a framework's own client) is the same call, seen again.
inside: ContextVar[bool] = ContextVar("amplitude_ai_inside", default=False)

#: Key under which the context of a redirected request travels (redirects copy ``request.extensions``).
EXTENSION = "amplitude_ai.context"


@dataclass(frozen=True, slots=True)
class Observer:
    """The seams between an adapter and the rest.

    Attributes:
        sink: takes each finished `Capture`.
        watches: ``(method, host, path, explicit) -> bool``; asked on the caller's thread, so it must be quick.
        snapshot: ``(binding, our headers) -> CallContext``.
        client_closed: told when an instrumented client is closed; ends its automatic run.
    """

    sink: Sink
    watches: Callable[[str, str, str, bool], bool]
    snapshot: Callable[[Binding, Mapping[str, str]], CallContext]
    client_closed: Callable[[Binding], None]

    def begin(
        self,
        binding: Binding,
        method: str,
        url: object,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes | None,
        carried: Mapping[str, str] | None = None,
    ) -> tuple[Capture, dict[str, str]]:
        """Start a capture. Returns it with the ``X-Amplitude-*`` headers found, which the adapter must remove."""
        kept: dict[str, str] = {}
        ours: dict[str, str] = {}
        for name, value in headers:
            lower = name.lower()
            if lower in REQUEST_HEADERS:
                kept[lower.decode("latin-1")] = value.decode("latin-1")
            elif lower.startswith(HEADER_PREFIX):
                ours[lower.decode("latin-1")] = value.decode("utf-8", "replace")
        context = self.snapshot(binding, ours or carried or {})
        count("started")
        return Capture(self.sink, context, method, url, kept, body), ours


def our_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Names of the ``X-Amplitude-*`` headers in a request."""
    return [name.decode("latin-1") for name, _ in headers if name[: len(HEADER_PREFIX)].lower() == HEADER_PREFIX]
