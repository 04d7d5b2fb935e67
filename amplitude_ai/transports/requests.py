"""The watching of requests: every session by ``Session.send``, one session by the adapters it is about to send by.

requests reads a body through ``response.raw``, so that is what is observed (`_raw_tee.observe`), between the adapter's
answer and the first read: ``Session.send`` passes the response to ``dispatch_hook`` there.
"""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from .._guard import guard, report
from .._models import Binding, Outcome
from ._capture import Capture
from ._httpx_family import end_client
from ._raw_tee import observe
from ._watch import Observer, inside, our_headers


class AmplitudeAdapter(BaseAdapter):
    """A requests adapter that watches the adapter it wraps."""

    def __init__(self, inner: Any, observer: Observer, binding: Binding) -> None:
        super().__init__()
        self._inner = inner
        self._observer = observer
        self._binding = binding

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Forward ``request`` unchanged (our headers aside) and watch the response."""
        capture = _open(self._observer, self._binding, request)
        if capture is None:
            return self._inner.send(request, *args, **kwargs)  # type: ignore[no-any-return]
        around = inside.get()
        inside.set(True)
        try:
            response = self._inner.send(request, *args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)
        _attach(capture, response)
        return response  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the wrapped adapter and end the session's run."""
        end_client(self._observer, self._binding)
        self._inner.close()

    @property
    def __class__(self) -> type:
        # isinstance(session.get_adapter(url), HTTPAdapter) answers as it would without us.
        return type(self._inner)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError("the class of a watching adapter cannot be changed")

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
            _attach(capture, response)


#: The request whose ``send`` is in progress: a redirect is sent within it, as a copy without our headers.
_around: ContextVar[Any] = ContextVar("amplitude_ai_requests_around", default=None)
#: What our headers said of a request, when it is sent again.
_said: weakref.WeakKeyDictionary[Any, dict[str, str]] = weakref.WeakKeyDictionary()


def _carried(request: Any) -> dict[str, str] | None:
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


def watched_send(
    original: Callable[..., Any], observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Callable[..., Any]:
    """``Session.send``, watched. ``original`` takes the session first."""

    @functools.wraps(original)
    def send(self: Any, request: Any, **kwargs: Any) -> Any:
        call = None
        if not inside.get() and (capture := _capture_for(self, request, observer, binding_of)) is not None:
            call = _Call(capture)
        before = _current.get()
        if call is None and before is None:
            return original(self, request, **kwargs)
        around = _around.get()
        _around.set(request)
        _current.set(call)  # ``None`` too: a session used inside an adapter must not be taken for the one outside
        if call is not None:
            inside.set(True)
        try:
            response = original(self, request, **kwargs)
        except BaseException as exc:
            if call is not None and call.capture is not None:
                call.capture.fail(exc)
            raise
        finally:
            _current.set(before)
            _around.set(around)
            if call is not None:
                inside.set(call.around)
        if call is not None and call.capture is not None:  # a session of another kind, which dispatches no hook
            call.attach(response)
        return response

    return send


def watched_dispatch_hook(original: Callable[..., Any]) -> Callable[..., Any]:
    """``requests.sessions.dispatch_hook``: where a response passes before its body is read."""

    @functools.wraps(original)
    def dispatch_hook(key: str, hooks: Any, hook_data: Any, **kwargs: Any) -> Any:
        call = _current.get()
        if call is not None and key == "response":
            call.attach(hook_data)
            _current.set(None)
        return original(key, hooks, hook_data, **kwargs)

    return dispatch_hook


def _capture_for(
    session: Any, request: Any, observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Capture | None:
    try:
        if not isinstance(request, requests.PreparedRequest):
            return None  # the session will say so itself
        parts = urlsplit(request.url or "")
        if not observer.may_watch(parts.path.encode()):
            _drop_our_headers(request)
            return None
        if _watches_itself(session, request.url):
            return None
        binding = binding_of(session)
    except Exception as exc:
        report("open", exc)
        return None
    return None if binding is None else _open(observer, binding, request)


def _watches_itself(session: Any, url: Any) -> bool:
    """Whether the adapter that will send has been put there by hand: it watches.

    A session is not asked for its adapter otherwise: a pool of proxies, say, gives another one each time it is.
    """
    if _sending.get() is session:
        return True
    if not any(type(adapter) is AmplitudeAdapter for adapter in getattr(session, "adapters", {}).values()):
        return False
    return type(requests.Session.get_adapter(session, url=url)) is AmplitudeAdapter


def _drop_our_headers(request: requests.PreparedRequest) -> None:
    for name in our_headers(request.headers or ()):
        del request.headers[name]


def _open(observer: Observer, binding: Binding, request: requests.PreparedRequest) -> Capture | None:
    try:
        parts = urlsplit(request.url or "")
        if not observer.watches(request.method or "", parts.hostname or "", parts.path, binding.explicit):
            _drop_our_headers(request)  # for us: no server gets them, watched or not
            return None
        injected = (
            binding.config is not None and binding.config.inject_stream_usage and _inject(observer, request, binding)
        )
        body = request.body
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        carried = _carried(request)
        headers = list(request.headers.items())
        capture, ours = observer.begin(binding, request.method or "", request.url, headers, content, carried)
        for name in ours:
            del request.headers[name]
        if ours:
            with contextlib.suppress(TypeError):
                _said[request] = ours
        if injected:
            from ._usage_injection import UsageFilter

            capture.usage_filter = UsageFilter()
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


def _inject(observer: Observer, request: requests.PreparedRequest, binding: Binding) -> bool:
    """Make a stream's request ask for its usage (`_usage_injection`). True when it did not before."""
    from . import _usage_injection

    parts = urlsplit(request.url or "")
    if inside.get() or not _usage_injection.should_inject(
        observer, binding, request.method or "", parts.hostname or "", parts.path
    ):
        return False
    body = _usage_injection.with_usage(request.body)
    if body is None:
        return False
    request.body = body
    request.headers["Content-Length"] = str(len(body))
    request.headers["Accept-Encoding"] = "identity"  # events are taken out of plain text
    return True


def _attach(capture: Capture, response: requests.Response) -> None:
    try:
        capture.respond(response.status_code, list(response.headers.items()))
        capture.from_cache = getattr(response, "from_cache", False) is True  # CacheControl, requests-cache
        if getattr(response, "_content_consumed", False):
            capture.body_decoded = True
            capture.feed(response.content)
            capture.finish(Outcome.EXHAUSTED)
        else:
            response.raw = observe(response.raw, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


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
        try:
            return type(own).send(own, request, **kwargs)
        finally:
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
