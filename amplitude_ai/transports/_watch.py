"""What every adapter asks before it watches a request: is it ours, and whose is it. Library-free.

`Observer` carries the three seams a transport needs (where finished captures go, which requests are watched, how the
context is read), so that an adapter holds no policy of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from .._guard import count
from .._models import Binding, Scope
from .._scope import HEADER_PREFIX
from ._capture import REQUEST_HEADERS, Capture, Sink

#: Set while a watched request is inside its transport: a client nested in it (aiohttp under httpx, a caching transport,
#: a framework's own client) is the same call, seen again.
inside: ContextVar[bool] = ContextVar("amplitude_ai_inside", default=False)

#: Key under which the context of a redirected request travels (redirects copy ``request.extensions``).
EXTENSION = "amplitude_ai.context"


#: Header names as they were spelled -> (lower case, whether it is ours), or ``None`` when it says nothing to us:
#: programs use the same few.
_names: dict[bytes, tuple[str, bool] | None] = {}
_NEW = ("", False)
_NAMES_LIMIT = 512


def _name(name: bytes) -> tuple[str, bool] | None:
    lower = name.lower()
    is_ours = lower.startswith(HEADER_PREFIX)
    known = (lower.decode("latin-1"), is_ours) if is_ours or lower in REQUEST_HEADERS else None
    if len(_names) >= _NAMES_LIMIT:
        _names.clear()
    _names[name] = known
    return known


@dataclass(frozen=True, slots=True)
class Observer:
    """The seams between an adapter and the rest.

    Attributes:
        sink: takes each finished `Capture`.
        watches: ``(method, host, path, explicit) -> bool``; asked on the caller's thread, so it must be quick.
        snapshot: ``(binding, our headers) -> Scope``.
        client_closed: told when an instrumented client is closed; ends its automatic run.
        may_watch: a raw path -> False when no request there is a model call, whatever its host: a quick no.
        takes_usage_option: ``(method, host, path)`` -> whether streams there tell their usage when asked to.
    """

    sink: Sink
    watches: Callable[[str, str, str, bool], bool]
    snapshot: Callable[[Binding, Mapping[str, str]], Scope]
    client_closed: Callable[[Binding], None]
    may_watch: Callable[[bytes], bool] = lambda raw_path: True
    takes_usage_option: Callable[[str, str, str], bool] = lambda method, host, path: False

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
        look = _names.get
        for name, value in [pair for pair in headers if look(pair[0], _NEW) is not None]:
            known = look(name) or _name(name)
            if known is not None:
                lower, is_ours = known
                if is_ours:
                    ours[lower] = value.decode("utf-8", "replace")
                else:
                    kept[lower] = value.decode("latin-1")
        context = self.snapshot(binding, ours or carried or {})
        count("started")
        return Capture(self.sink, context, method, url, kept, body), ours


def our_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Names of the ``X-Amplitude-*`` headers in a request."""
    return [name.decode("latin-1") for name, _ in headers if name[: len(HEADER_PREFIX)].lower() == HEADER_PREFIX]
