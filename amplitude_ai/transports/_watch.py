"""What every adapter asks before it watches a request: is it ours, and whose is it. Library-free.

`Observer` carries the three seams a transport needs (where finished captures go, which requests are watched, how the
context is read), so that an adapter holds no policy of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from .._guard import count, report
from .._models import Binding, Scope
from .._scope import HEADER_PREFIX
from ._capture import REQUEST_HEADERS, Capture, Sink

#: Set while a watched request is inside its transport: a client nested in it (aiohttp under httpx, a caching transport,
#: a framework's own client) is the same call, seen again.
inside: ContextVar[bool] = ContextVar("amplitude_ai_inside", default=False)

#: Key under which the context of a redirected request travels (redirects copy ``request.extensions``).
EXTENSION = "amplitude_ai.context"


class HeaderPlan(NamedTuple):
    """Which of a request's headers say something to us: where each stands, and its lower-case name."""

    kept: tuple[tuple[int, str], ...]
    ours: tuple[tuple[int, str], ...]


_name_of = itemgetter(0)
#: Plans by the names of all of a request's headers, as they were spelled: a program sends few such sets.
_plans: dict[tuple[str | bytes, ...], HeaderPlan] = {}
_text_plans: dict[tuple[str | bytes, ...], HeaderPlan] = {}  # apart: under -bb the two do not compare
_PLANS_LIMIT = 256
#: Sets of more characters are looked through each time.
_PLANNED_CHARACTERS = 4096


def header_plan(names: tuple[str | bytes, ...]) -> HeaderPlan:
    """Which of the headers of these names are kept, and which are ours."""
    plans = _plans if names and isinstance(names[0], bytes) else _text_plans
    plan = plans.get(names)
    if plan is None:
        lower = [as_text(name, "latin-1").lower() for name in names]
        plan = HeaderPlan(
            tuple((at, name) for at, name in enumerate(lower) if name in REQUEST_HEADERS),
            tuple((at, name) for at, name in enumerate(lower) if name.startswith(HEADER_PREFIX)),
        )
        if sum(map(len, lower)) <= _PLANNED_CHARACTERS:
            if len(plans) >= _PLANS_LIMIT:
                plans.clear()
            plans[names] = plan
    return plan


def as_text(value: object, encoding: str) -> str:
    """What a library holds as the name or the value of a header."""
    return value.decode(encoding, "replace") if isinstance(value, bytes) else str(value)


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
        headers: Sequence[Sequence[Any]],
        body: bytes | None,
        carried: Mapping[str, str] | None = None,
    ) -> tuple[Capture, dict[str, str]]:
        """Start a capture. Returns it with the ``X-Amplitude-*`` headers found, which the adapter must remove.

        Args:
            binding: what the client was told.
            method: of the request.
            url: of the request, as the library has it.
            headers: for each header something that begins with its name and ends with its value, str or bytes.
            body: of the request, where it is in memory.
            carried: our headers of an earlier request that this one continues.
        """
        plan = header_plan(tuple(map(_name_of, headers)))
        kept: dict[str, str] = {}
        for at, name in plan.kept:
            kept[name] = as_text(headers[at][-1], "latin-1")
        ours: dict[str, str] = {}
        for at, name in plan.ours:
            ours[name] = as_text(headers[at][-1], "utf-8")
        context = self.snapshot(binding, ours or carried or {})
        count("started")
        return Capture(self.sink, context, method, url, kept, body), ours


def our_headers(names: Iterable[str | bytes]) -> list[str]:
    """Names of the ``X-Amplitude-*`` headers among those of a request, in lower case."""
    return list(dict.fromkeys(name for _, name in header_plan(tuple(names)).ours))


class Reader:
    """How one HTTP library's request is read: all that the policy below asks of a leaf. Any of it may raise."""

    __slots__ = ()

    def target(self, request: Any) -> tuple[str, str, str]:
        """Method, host and path as they cross the wire, without the query."""
        raise NotImplementedError

    def url(self, request: Any) -> object:
        """The whole URL, or what becomes it by ``str``."""
        raise NotImplementedError

    def headers(self, request: Any) -> Sequence[Sequence[Any]]:
        """For each header something that begins with its name and ends with its value, str or bytes."""
        raise NotImplementedError

    def body(self, request: Any) -> bytes | None:
        """The body, where it is in memory."""
        raise NotImplementedError

    def drop(self, request: Any, names: Collection[str]) -> None:
        """Take headers, named in lower case, out of the request that is about to be sent."""
        raise NotImplementedError


def open_capture(observer: Observer, binding: Binding, reader: Reader, request: Any) -> Capture | None:
    """Start watching ``request``, or ``None`` when it is not ours. Removes our headers. Never raises."""
    try:
        method, host, path = reader.target(request)
        if not observer.watches(method, host, path, binding.explicit):
            drop_our_headers(reader, request)
            return None
        headers = reader.headers(request)
        capture, ours = observer.begin(binding, method, reader.url(request), headers, reader.body(request))
        if ours:
            reader.drop(request, ours)
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


def drop_our_headers(reader: Reader, request: Any) -> None:
    """They are for us: no server gets them, watched or not."""
    names = our_headers([item[0] for item in reader.headers(request)])
    if names:
        reader.drop(request, names)


def send_watched(capture: Capture, send: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What ``send`` returns, which sends the request of ``capture``; whatever is sent within is the same call."""
    around = inside.get()
    inside.set(True)
    try:
        return send(*args, **kwargs)
    except BaseException as exc:
        capture.fail(exc)
        raise
    finally:
        inside.set(around)  # not reset(token): what sends may be ended in another context
