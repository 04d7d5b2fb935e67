"""The policy, once for all HTTP libraries: is a request ours, whose is it, our headers, nested calls. Library-free.

`Observer` carries the seams a transport needs (where finished captures go, which requests are watched, how the context
is read); a leaf gives a `Reader` of its library's requests, and holds no policy of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from operator import itemgetter
from types import MappingProxyType
from typing import Any, TypeVar

from msgspec import Struct

from .._fact import Fact
from .._guard import count, counter, guard, report
from .._models import Binding, Outcome, Scope
from ._capture import Capture, Sink
from ._headers import as_text, header_plan

T = TypeVar("T")

#: Set while a watched request is inside its transport: a client nested in it (aiohttp under httpx, a caching transport,
#: a framework's own client) is the same call, seen again.
inside: ContextVar[bool] = ContextVar("amplitude_ai_inside", default=False)


_started = counter("started")
_name_of = itemgetter(0)
_NONE: Mapping[str, str] = MappingProxyType({})


class Observer(Fact, frozen=True):
    """The seams between an adapter and the rest.

    Attributes:
        sink: takes each finished `Capture`.
        watches: ``(method, host, path, explicit) -> bool``; asked on the caller's thread, so it must be quick.
        snapshot: ``(binding, our headers) -> Scope``.
        client_closed: told when an instrumented client is closed; ends its automatic run.
        may_watch: a path without its query -> False when no request there is a model call, whatever its host.
        takes_usage_option: ``(method, host, path)`` -> whether streams there tell their usage when asked to.
    """

    sink: Sink
    watches: Callable[[str, str, str, bool], bool]
    snapshot: Callable[[Binding, Mapping[str, str]], Scope]
    client_closed: Callable[[Binding], None]
    may_watch: Callable[[str], bool] = lambda path: True
    takes_usage_option: Callable[[str, str, str], bool] = lambda method, host, path: False


def our_headers(names: Iterable[str | bytes]) -> Collection[str]:
    """Names of the ``X-Amplitude-*`` headers among those of a request, in lower case."""
    every = tuple(names)
    ours = header_plan(every).ours if every else ()
    return {name for _, name in ours} if ours else ()


class Reader:
    """How one HTTP library's request is read: all that the policy below asks of a leaf. Any of it may raise."""

    __slots__ = ()
    #: Whether `put_body` can be.
    can_ask = False

    def path(self, request: Any) -> str:
        """The path as it crosses the wire, without the query: for a quick no."""
        return self.target(request)[2]

    def target(self, request: Any) -> tuple[str, str, str]:
        """Method, host, and path as it crosses the wire, without the query."""
        raise NotImplementedError

    def read(self, request: Any) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        """The rest.

        Returns:
            The whole URL, or what becomes it by ``str``; for each header something that begins with its name and ends
            with its value, str or bytes; the body, where it is in memory.
        """
        raise NotImplementedError

    def names(self, request: Any) -> Iterable[str | bytes]:
        """Of the headers; those that cannot be ours may be left out."""
        return map(_name_of, self.read(request)[1])

    def drop(self, request: Any, names: Collection[str]) -> None:
        """Take headers, named in lower case, out of the request that is about to be sent."""
        raise NotImplementedError

    def carried(self, request: Any) -> Mapping[str, str] | None:
        """Our headers of the request that this one continues: it was redirected, or is sent again."""
        return None

    def carry(self, request: Any, ours: Mapping[str, str]) -> None:
        """Remember our headers for the request that continues this one."""

    def watches_itself(self, client: Any, request: Any) -> bool:
        """Whether what will send this request for a client was put there by hand, and watches."""
        return False

    def put_body(self, request: Any, body: bytes) -> None:
        """Send this body, and ask for an answer that is not compressed."""
        raise NotImplementedError


class Everyone(Struct, frozen=True):
    """What the hook that watches every client of a library is given.

    Attributes:
        observer: the seams.
        binding_of: whose the calls of a client are; ``None``: nobody's, they are not watched.
        client_closed: a client was closed. Never raises.
    """

    observer: Observer
    binding_of: Callable[[Any], Binding | None]
    client_closed: Callable[[Any], None]

    def open(self, reader: Reader, client: Any, request: Any) -> Capture | None:
        """Start watching a client's request, or ``None`` when it is not ours. Removes our headers. Never raises."""
        try:
            if not self.observer.may_watch(reader.path(request)):
                drop_our_headers(reader, request)
                return None
            if reader.watches_itself(client, request):
                return None
            binding = self.binding_of(client)
        except Exception as exc:
            report("open", exc)
            return None
        return None if binding is None else open_capture(self.observer, binding, reader, request)


def open_capture(observer: Observer, binding: Binding, reader: Reader, request: Any) -> Capture | None:
    """Start watching ``request``, or ``None`` when it is not ours. Removes our headers. Never raises."""
    try:
        method, host, path = reader.target(request)
        if not observer.watches(method, host, path, binding.explicit):
            drop_our_headers(reader, request)
            return None
        config = binding.config
        injected = (
            reader.can_ask
            and config is not None
            and config.inject_stream_usage
            and _ask(observer, binding, reader, request)
        )
        url, headers, body = reader.read(request)
        plan = header_plan(tuple(map(_name_of, headers)))
        kept = (plan.names, plan.pick(headers) if plan.pick else ())
        ours = {name: as_text(headers[at][-1], "utf-8") for at, name in plan.ours} if plan.ours else _NONE
        context = observer.snapshot(binding, ours or reader.carried(request) or _NONE)
        next(_started)
        capture = Capture(observer.sink, context, method, url, kept, body)
        if ours:
            if not _is_signed(headers):
                reader.drop(request, ours)
            reader.carry(request, ours)
        if injected:
            from ._usage_injection import UsageFilter

            capture.usage_filter = UsageFilter()
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


def drop_our_headers(reader: Reader, request: Any) -> None:
    """They are for us: no server gets them, watched or not."""
    names = our_headers(reader.names(request))
    if names and not _is_signed(reader.read(request)[1]):
        reader.drop(request, names)


def _is_signed(headers: Sequence[Sequence[Any]]) -> bool:
    """Whether AWS' signature stands over the headers: it holds only while all of them are there."""
    return any(
        as_text(item[-1], "latin-1").startswith("AWS4-") and as_text(item[0], "latin-1").lower() == "authorization"
        for item in headers
    )


def _ask(observer: Observer, binding: Binding, reader: Reader, request: Any) -> bool:
    """Make a stream's request ask for its usage (`_usage_injection`). True when it did not before."""
    from . import _usage_injection

    if inside.get() or not _usage_injection.should_inject(observer, binding, *reader.target(request)):
        return False
    body = _usage_injection.with_usage(reader.read(request)[2])
    if body is None:
        return False
    reader.put_body(request, body)
    return True


def send_watched(capture: Capture, send: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What ``send`` returns, which sends the request of ``capture``; whatever is sent within is the same call."""
    around = inside.get()
    try:  # what is thrown into us while we set this must not leave it so: nothing would be recorded any more
        inside.set(True)
        return send(*args, **kwargs) if kwargs else send(*args)
    except BaseException as exc:
        capture.fail(exc)
        raise
    finally:
        inside.set(around)  # not reset(token): a coroutine may be closed in another context


async def send_watched_async(capture: Capture, send: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
    """The same in the other colour."""
    around = inside.get()
    try:
        inside.set(True)
        return await send(*args, **kwargs)
    except BaseException as exc:
        capture.fail(exc)
        raise
    finally:
        inside.set(around)


def answered(capture: Capture, read: Callable[[], tuple[int, Any, bytes]]) -> None:
    """An answer has come as a whole. Never raises.

    Args:
        capture: of the call.
        read: gives its status, its headers, its body.
    """
    try:
        status, headers, body = read()
        capture.respond(status, headers)
        capture.feed(body)
        capture.finish(Outcome.EXHAUSTED)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


def end_client(observer: Observer, binding: Binding) -> None:
    """Tell the worker that a client was closed. Never raises."""
    with guard("end_client"):
        count("clients_closed")
        observer.client_closed(binding)
