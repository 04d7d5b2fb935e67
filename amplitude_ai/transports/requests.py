"""The watching adapter for requests.

requests reads a body through ``response.raw`` (urllib3's response), so that is what is replaced, by a `RawTee`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from .._guard import report
from .._models import Binding, Outcome
from ._capture import Capture
from ._httpx_family import end_client
from ._raw_tee import RawTee
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
        token = inside.set(True)
        try:
            response = self._inner.send(request, *args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.reset(token)
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


def _open(observer: Observer, binding: Binding, request: requests.PreparedRequest) -> Capture | None:
    try:
        headers = [(_bytes(name), _bytes(value)) for name, value in request.headers.items()]
        parts = urlsplit(request.url or "")
        if not observer.watches(request.method or "", parts.hostname or "", parts.path, binding.explicit):
            if binding.explicit:
                for name in our_headers(headers):
                    del request.headers[name]
            return None
        injected = binding.config is not None and binding.config.inject_stream_usage and _inject(request, binding)
        body = request.body
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        capture, ours = observer.begin(binding, request.method or "", request.url, headers, content)
        for name in ours:
            del request.headers[name]
        if injected:
            from ._usage_injection import UsageFilter

            capture.usage_filter = UsageFilter()
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


def _inject(request: requests.PreparedRequest, binding: Binding) -> bool:
    """Make a stream's request ask for its usage (`_usage_injection`). True when it did not before."""
    from . import _usage_injection

    parts = urlsplit(request.url or "")
    if inside.get() or not _usage_injection.should_inject(
        binding, request.method or "", parts.hostname or "", parts.path
    ):
        return False
    body = _usage_injection.with_usage(request.body)
    if body is None:
        return False
    request.body = body
    request.headers["Content-Length"] = str(len(body))
    request.headers["Accept-Encoding"] = "identity"  # events are taken out of plain text
    return True


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else value


def _attach(capture: Capture, response: requests.Response) -> None:
    try:
        capture.respond(response.status_code, list(response.headers.items()))
        if getattr(response, "_content_consumed", False):
            capture.body_decoded = True
            capture.feed(response.content)
            capture.finish(Outcome.EXHAUSTED)
        else:
            response.raw = RawTee(response.raw, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


def watch_session(session: requests.Session, observer: Observer, binding: Binding) -> None:
    """Put a watching adapter around every adapter of an existing session, in place."""
    for prefix, adapter in session.adapters.items():
        if type(adapter) is not AmplitudeAdapter:
            session.adapters[prefix] = AmplitudeAdapter(adapter, observer, binding)
