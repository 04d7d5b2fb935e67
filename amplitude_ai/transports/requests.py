"""The watching of requests: every session by ``Session.send``, one session by the adapters it is about to send by.

requests reads a body through ``response.raw``, so that is what is observed (`_raw_tee.observe`), between the adapter's
answer and the first read: ``Session.send`` passes the response to ``dispatch_hook`` there.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .._guard import guard, report
from .._models import Binding
from ._capture import ABANDONED, EXHAUSTED, Capture
from ._library import Library, Patch, closing, kind_of
from ._raw_tee import observe
from ._stand_in import class_of
from ._watch import Everyone, Observer, Reader, end_client, inside, open_capture, send_watched


class AmplitudeAdapter(BaseAdapter):
    """A requests adapter that watches the adapter it wraps."""

    def __init__(self, inner: Any, observer: Observer, binding: Binding) -> None:
        super().__init__()
        self._inner = inner
        self._observer = observer
        self._binding = binding

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        capture = open_capture(self._observer, self._binding, READER, request)
        if capture is None:
            return self._inner.send(request, *args, **kwargs)  # type: ignore[no-any-return]
        response = send_watched(capture, self._inner.send, request, *args, **kwargs)
        attach(capture, response)
        self.lend(response)
        return response  # type: ignore[no-any-return]

    def lend(self, response: requests.Response) -> None:
        """Have a second try (HTTPDigestAuth's), which goes by ``response.connection``, watched too. Never raises."""
        try:
            lent = _lent.get()
            if lent is not None and getattr(response, "connection", None) is self._inner:
                lent.append(response)
                response.connection = self  # type: ignore[assignment]
        except Exception as exc:
            report("lend", exc)

    def close(self) -> None:
        """Close the wrapped adapter and end the session's run."""
        end_client(self._observer, self._binding)
        self._inner.close()

    __class__ = class_of(lambda self: self._inner)

    def __getattr__(self, name: str) -> Any:
        if name in {"_inner", "_observer", "_binding"}:
            raise AttributeError(name)
        return getattr(self._inner, name)

    # What is set on an adapter (``max_retries``) arrives at the one that sends.
    def __setattr__(self, name: str, value: Any) -> None:
        if name in {"_inner", "_observer", "_binding"}:
            object.__setattr__(self, name, value)
        else:
            setattr(self._inner, name, value)

    def __reduce__(self) -> Any:
        # A session that is pickled or copied takes its own adapters along: who watches it is of this process.
        return _itself, (self._inner,)


def _itself(inner: Any) -> Any:
    return inner


#: Responses whose ``connection`` watches for as long as hooks may send by it; their own stands there before and after.
_lent: ContextVar[list[Any] | None] = ContextVar("amplitude_ai_requests_lent", default=None)


def _take_back(around: list[Any] | None) -> None:
    """Put back what was lent; ``around`` is what is lent further out. Never raises."""
    lent = _lent.get()
    _lent.set(around)
    try:
        for response in lent or ():
            if type(response.connection) is AmplitudeAdapter:
                response.connection = response.connection._inner
    except Exception as exc:
        report("lend", exc)


class _Call:
    """One ``Session.send`` in progress, until the adapter has answered."""

    __slots__ = ("around", "capture")

    def __init__(self, capture: Capture) -> None:
        self.capture: Capture | None = capture
        self.around = inside.get()

    def attach(self, response: Any) -> None:
        """The adapter has answered: what follows (hooks, redirects, reading) is outside of it."""
        capture, self.capture = self.capture, None
        inside.set(self.around)
        if capture is not None:
            attach(capture, response)


#: The request whose ``send`` is in progress: a redirect is sent within it, as a copy without our headers.
_around: ContextVar[Any] = ContextVar("amplitude_ai_requests_around", default=None)
#: What our headers said of a request, when it is sent again.
_said: weakref.WeakKeyDictionary[Any, Mapping[str, str]] = weakref.WeakKeyDictionary()


def _carried(request: Any) -> Mapping[str, str] | None:
    if not _said:
        return None
    with contextlib.suppress(TypeError, AttributeError):  # no request at all, or one without hash
        found = _said.get(request)
        around = _around.get()
        if found is None and around is not None and request.body is not None and around.body is request.body:
            found = _said.get(around)
            if found is not None:
                _said[request] = found
        return found
    return None


_current: ContextVar[_Call | None] = ContextVar("amplitude_ai_requests", default=None)


def _watched_send(original: Callable[..., Any], everyone: Everyone) -> Callable[..., Any]:
    """``Session.send``, watched. ``original`` takes the session first."""

    @functools.wraps(original)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        call = None
        # What is no prepared request the session will refuse itself.
        if not inside.get() and (
            isinstance(request, requests.PreparedRequest) or kind_of(request, "requests", "PreparedRequest")
        ):
            capture = everyone.open(READER, self, request)
            call = None if capture is None else _Call(capture)
        before = _current.get()
        if call is None and before is None:
            return original(self, request, **kwargs)
        around = _around.get()
        try:
            _around.set(request)
            _current.set(call)  # ``None`` too: a session used inside an adapter must not be taken for the one outside
            if call is not None:
                inside.set(True)
            response = original(self, request, **kwargs)
        except BaseException as exc:
            if call is not None and call.capture is not None:
                call.capture.fail(exc)
            raise
        finally:
            if call is not None:
                inside.set(call.around)
            _current.set(before)
            _around.set(around)
        if call is not None and call.capture is not None:  # a session of another kind, which dispatches no hook
            call.attach(response)
        return response

    return send


def _watched_dispatch_hook(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    """``requests.sessions.dispatch_hook``: where a response passes before its body is read."""

    @functools.wraps(original)
    def dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
        call = _current.get()
        if call is None or key != "response":
            return original(key, hooks, hook_data, **kwargs)
        binding = None if call.capture is None else call.capture.context.binding
        call.attach(hook_data)
        _current.set(None)
        if binding is None or not hooks or not hooks.get(key):
            return original(key, hooks, hook_data, **kwargs)
        around = _lent.get()
        _lent.set([])
        try:
            with guard("lend"):
                own = getattr(hook_data, "connection", None)  # of an adapter of the application's: none
                if own is not None:
                    AmplitudeAdapter(own, observer, binding).lend(hook_data)
            return original(key, hooks, hook_data, **kwargs)
        finally:
            _take_back(around)

    return dispatch_hook


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    sessions = getattr(module, "sessions", module)
    return [
        (sessions, "dispatch_hook", lambda original: _watched_dispatch_hook(original, everyone.observer)),
        (module.Session, "send", lambda original: _watched_send(original, everyone)),
        (module.Session, "close", closing(everyone)),
    ]


def _items(headers: Any) -> list[tuple[Any, Any]]:
    """Names and values. The library's own dictionary gives them by four calls of Python for each header."""
    own = getattr(headers, "_store", None) if type(headers) is CaseInsensitiveDict else None
    return list((headers or {}).items()) if own is None else list(own.values())


class _RequestReader(Reader):
    __slots__ = ()
    can_ask = True

    def target(self, request: Any) -> tuple[str, str, str]:
        parts = urlsplit(request.url or "")
        return request.method or "", parts.hostname or "", parts.path

    def path(self, request: Any) -> str:
        return urlsplit(request.url or "").path

    def read(self, request: Any) -> tuple[object, Sequence[Sequence[Any]], bytes | None]:
        body = request.body
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        return request.url, _items(request.headers), content

    def names(self, request: Any) -> Iterable[str | bytes]:
        return [name for name, _ in _items(request.headers)]

    def drop(self, request: Any, names: Collection[str]) -> None:
        for name in names:
            del request.headers[name]

    def carried(self, request: Any) -> Mapping[str, str] | None:
        return _carried(request)

    def carry(self, request: Any, ours: Mapping[str, str]) -> None:
        with contextlib.suppress(TypeError):  # a request without hash
            _said[request] = ours

    def watches_itself(self, client: Any, request: Any) -> bool:
        # A session is not asked for its adapter otherwise: a pool of proxies, say, gives another one each time it is.
        if _sending.get() is client:
            return True
        if not any(type(adapter) is AmplitudeAdapter for adapter in getattr(client, "adapters", {}).values()):
            return False
        session = kind_of(client, "requests", "Session")
        return session is not None and type(session.get_adapter(client, url=request.url)) is AmplitudeAdapter

    def put_body(self, request: Any, body: bytes) -> None:
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        request.headers["Accept-Encoding"] = "identity"  # events are taken out of plain text


READER = _RequestReader()


def attach(capture: Capture, response: requests.Response) -> None:
    """The adapter has answered; its body is observed where it is not there yet. Never raises."""
    try:
        capture.respond(response.status_code, _items(response.headers))
        capture.from_cache = getattr(response, "from_cache", False) is True  # CacheControl, requests-cache
        if getattr(response, "_content_consumed", False):
            capture.body_decoded = True
            capture.feed(response.content)
            capture.finish(EXHAUSTED)
        else:
            response.raw = observe(response.raw, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(ABANDONED)


#: The watched session that is sending: it asks itself for an adapter then, and gets one that watches.
_sending: ContextVar[Any] = ContextVar("amplitude_ai_requests_sending", default=None)


def watch_session(session: requests.Session, observer: Observer, binding: Binding) -> None:
    """Watch one existing session, in place. Watching it twice changes nothing.

    Its adapters stay as they are and are looked up at each call, so that what is mounted later is watched too; nothing
    of this is pickled or copied with the session.
    """
    if "send" in vars(session):
        return
    weak = weakref.ref(session)  # a session that held itself would wait for the collector

    @functools.wraps(session.send)
    def send(request: Any, **kwargs: Any) -> Any:
        own: Any = weak()
        with guard("context"):
            _carried(request)
        before, around = _sending.get(), _around.get()
        _sending.set(own)
        _around.set(request)
        lent = _lent.get()
        _lent.set([])
        try:
            return type(own).send(own, request, **kwargs)
        finally:
            _take_back(lent)
            _sending.set(before)
            _around.set(around)

    @functools.wraps(session.get_adapter)
    def get_adapter(*args: Any, **kwargs: Any) -> Any:
        own: Any = weak()
        adapter = type(own).get_adapter(own, *args, **kwargs)
        if _sending.get() is not own or type(adapter) is AmplitudeAdapter:
            return adapter
        try:
            return AmplitudeAdapter(adapter, observer, binding)
        except Exception as exc:
            report("open", exc)
            return adapter

    @functools.wraps(session.close)
    def close() -> None:
        end_client(observer, binding)
        own: Any = weak()
        type(own).close(own)

    vars(session).update(send=send, get_adapter=get_adapter, close=close)


def _adopt(client: Any, observer: Observer, binding: Binding) -> bool:
    if kind_of(client, "requests", "Session") is None:
        return False
    watch_session(client, observer, binding)
    return True


LIBRARY = Library(_hooks, _adopt)
