"""The watching of aiohttp, which google-genai's async client and litellm send by.

aiohttp has no transport to wrap. What a session does for one call is one coroutine, ``ClientSession._request``; what it
puts on the wire is one object, a ``ClientRequest`` (one a redirect); what comes back is read from ``response.content``.
The bytes seen are decompressed where the session decompresses them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import aiohttp
import orjson
from msgspec import Struct
from yarl import URL

from .._guard import report
from .._models import Binding
from .._pattern import lazy_pattern
from ._aiohttp_content import Content, Filtered
from ._capture import ABANDONED, EXHAUSTED, Capture
from ._form import MAX_PARTS, written
from ._library import Library, Patch, async_closing, kind_of
from ._watch import Everyone, Observer, Reader, inside, open_capture

#: What stands over a field of a form: its name and no more. A file has a file's name too, by one of several words.
_FIELD = lazy_pattern(r'form-data\s{0,9};\s{0,9}name=(?:"([^"\\]{1,256})"|([\w-]{1,256}))', re.IGNORECASE)
_current: ContextVar[_Call | None] = ContextVar("amplitude_ai_aiohttp", default=None)
#: The session that is watched itself and enters its class's ``_request``, which may be hooked: one call, told once.
_entering: ContextVar[Any] = ContextVar("amplitude_ai_aiohttp_entering", default=None)


class _Call:
    """One call of a session, from its start to the head of its response."""

    __slots__ = ("_binding", "_observer", "_request", "capture", "injected")

    def __init__(self, observer: Observer, binding: Binding) -> None:
        self._observer = observer
        self._binding = binding
        self._request: Any = None
        self.capture: Capture | None = None
        self.injected = False

    def begin(self, request: Any) -> None:
        """A request was made; after a redirect this is another, and the one before led only here. Never raises."""
        if request is self._request:
            return  # hooked by both forms
        self._request = request
        self.capture = None
        self.capture = open_capture(self._observer, self._binding, _READER, request)
        if self.capture is not None and self.injected:
            self.capture.usage_filter = self._filter()

    def _filter(self) -> Any:
        try:
            from ._usage_injection import UsageFilter

            return UsageFilter()
        except Exception as exc:
            report("open", exc)
            return None

    def answered(self, method: str, url: Any, options: dict[str, Any]) -> None:
        """Somebody answered in aiohttp's place (a mock, a cassette): there was no request, but a call. Never raises."""
        if self._request is not None:
            return
        try:
            body = options.get("data") if options.get("json") is None else orjson.dumps(options["json"])
            self.begin(_Asked(method, URL(url), body, dict(options.get("headers") or {})))
        except Exception as exc:
            report("open", exc)

    def forget(self) -> None:
        """The call has its response. The loop keeps copies of this context, which must keep nothing alive."""
        self._request = self.capture = None

    def fail(self, exc: BaseException) -> None:
        """No response came, or one that ``raise_for_status`` refused. Never raises."""
        if self.capture is None:
            return
        try:
            refused: Any = exc if kind_of(exc, "aiohttp", "ClientResponseError") else None
            if refused is not None and refused.status:
                self.capture.respond(refused.status, list((refused.headers or {}).items()))
        except Exception as own:
            report("attach", own)
        self.capture.fail(exc)

    def attach(self, response: Any, decompressed: bool) -> None:
        """Let the capture see the body of ``response``. Never raises."""
        capture = self.capture
        if capture is None:
            return
        try:
            capture.respond(response.status, response.raw_headers or ())  # a response class of the user's has none
            capture.from_cache = getattr(response, "from_cache", False) is True  # aiohttp-client-cache
            capture.body_decoded = decompressed
            if response.content is None or response.content.at_eof():
                capture.finish(EXHAUSTED)
            elif capture.usage_filter is not None and (decompressed or "content-encoding" not in response.headers):
                response.content = Filtered(response.content, capture)
            else:
                response.content = Content(response.content, capture)
        except Exception as exc:
            report("attach", exc)
            capture.finish(ABANDONED)


class _Asked(Struct, frozen=True):
    """What a call was to send."""

    method: str
    url: URL
    body: Any
    headers: dict[str, Any]


class _RequestReader(Reader):
    """How a ``ClientRequest`` is read. To ask for usage is too late then: `_with_usage`."""

    __slots__ = ()

    def target(self, request: Any) -> tuple[str, str, str]:
        url = request.url
        return request.method, url.host or "", url.raw_path

    def read(self, request: Any) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        # The body when it is in memory: bytes, text and JSON are payloads that hold their bytes as ``_value``.
        body = request.body
        content = body if isinstance(body, bytes | bytearray) else getattr(body, "_value", None)
        kept = bytes(content) if isinstance(content, bytes | bytearray) else _form(body)
        return request.url, list(request.headers.items()), kept

    def names(self, request: Any) -> Iterable[str | bytes]:
        return request.headers  # type: ignore[no-any-return]

    def drop(self, request: Any, names: Collection[str]) -> None:
        for name in names:
            del request.headers[name]


def _form(body: Any) -> bytes | None:
    """The text fields of a form: a ``MultipartWriter``, whose parts are payloads with headers of their own."""
    try:
        parts, boundary = getattr(body, "_parts", None), getattr(body, "_boundary", None)
        if not isinstance(parts, list) or not isinstance(boundary, bytes):
            return None
        return written(boundary, ((name, part._value) for part, *_ in parts[:MAX_PARTS] if (name := _field_name(part))))
    except Exception as exc:
        report("read_form", exc)
        return None


def _field_name(part: Any) -> str | None:
    """The name of a form's field, ``None`` of a file."""
    # aiohttp's own parser takes a hundred times as long, and warns the application of what it does not understand.
    match = _FIELD.fullmatch(part.headers.get("Content-Disposition", ""))
    return match and (match[1] or match[2])


_READER = _RequestReader()


def _with_usage(
    session: Any, observer: Observer, binding: Binding, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """The options of a request that asks for its usage (`_usage_injection`), ``None`` when it is left alone."""
    from . import _usage_injection

    url = URL(args[1] if len(args) > 1 else kwargs.get("url", ""))
    base = getattr(session, "_base_url", None)
    if base is not None and not url.is_absolute():
        url = base.join(url)
    method = str(args[0] if args else kwargs.get("method", ""))
    if inside.get() or not _usage_injection.should_inject(observer, binding, method, url.host or "", url.raw_path):
        return None
    given = kwargs.get("data")
    if given is None:
        asked = _usage_injection.asking(kwargs.get("json"))
        return None if asked is None else {**kwargs, "json": asked}
    body = _usage_injection.with_usage(given)
    return None if body is None else {**kwargs, "data": body.decode() if isinstance(given, str) else body}


def watched_request(
    original: Callable[..., Awaitable[Any]], observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Callable[..., Awaitable[Any]]:
    """``ClientSession._request``, watched. ``original`` takes the session first."""

    @functools.wraps(original)  # google-genai drops the options that this signature does not name
    async def _request(self: Any, *args: Any, **kwargs: Any) -> Any:
        if original is not _as_its_class_does and _entering.get() is self:
            _entering.set(None)
            return await original(self, *args, **kwargs)
        binding = binding_of(self)
        if binding is None:
            return await original(self, *args, **kwargs)
        # Inside another call of this session it may be a middleware's own (a token, an embedding), with its own record.
        around = _current.get()
        call = _Call(observer, binding)
        if binding.config is not None and binding.config.inject_stream_usage:
            try:
                asking = _with_usage(self, observer, binding, args, kwargs)
                call.injected, kwargs = asking is not None, asking or kwargs
            except Exception as exc:  # an URL that is none: aiohttp will say so itself
                report("open", exc)
        try:
            _current.set(call)
            response = await original(self, *args, **kwargs)
        except BaseException as exc:
            call.fail(exc)
            raise
        else:
            asked = kwargs.get("auto_decompress")
            call.answered(str(args[0]) if args else "", response.url, kwargs)
            call.attach(response, bool(getattr(self, "_auto_decompress", True) if asked is None else asked))
            return response
        finally:
            _current.set(around)  # not reset(token): a coroutine may be closed in another context
            call.forget()

    return _request


def watched_init(original: Callable[..., None]) -> Callable[..., None]:
    """``ClientRequest.__init__``, telling the call it is made for."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        call = _current.get()
        if call is not None:
            call.begin(self)

    return __init__


async def _as_its_class_does(session: Any, *args: Any, **kwargs: Any) -> Any:
    """What the class does at the time of the call: mocks and other instrumentations may come later than ours."""
    entering = _entering.get()
    _entering.set(session)
    try:
        return await type(session)._request(session, *args, **kwargs)
    finally:
        _entering.set(entering)


def watch_session(session: aiohttp.ClientSession, observer: Observer, binding: Binding) -> None:
    """Watch one existing session, in place. Watching it twice changes nothing."""
    inner: Any = session
    if "_request" in vars(session):
        return
    made = inner._request_class
    watched = type(made.__name__, (made,), {"__init__": watched_init(made.__init__), "__module__": made.__module__})
    request = watched_request(_as_its_class_does, observer, lambda _: binding)
    # The plain setattr of a session warns of attributes that are not aiohttp's own.
    object.__setattr__(session, "_request_class", watched)
    object.__setattr__(session, "_request", request.__get__(session))


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    session, observer, binding_of = module.ClientSession, everyone.observer, everyone.binding_of
    return [
        (session, "_request", lambda original: watched_request(original, observer, binding_of)),
        (session, "close", async_closing(everyone)),
        (module.ClientRequest, "__init__", watched_init),
    ]


def _adopt(client: Any, observer: Observer, binding: Binding) -> bool:
    if kind_of(client, "aiohttp", "ClientSession") is None:
        return False
    watch_session(client, observer, binding)
    return True


LIBRARY = Library(_hooks, _adopt)
