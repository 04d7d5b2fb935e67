"""The watching adapter for requests.

requests reads a body through ``response.raw`` (urllib3's response), so that is what is replaced: by a stand-in that
shows each piece to the `Capture`. The bytes seen are decompressed when urllib3 was asked to decompress them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter

from .._guard import report
from .._models import Binding, Outcome
from ._capture import Capture
from ._httpx_family import end_client
from ._observer import Observer, inside, our_headers


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
        body = request.body
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        capture, ours = observer.begin(binding, request.method or "", request.url, headers, content)
        for name in ours:
            del request.headers[name]
        return None if inside.get() else capture
    except Exception as exc:
        report("open", exc)
        return None


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
            response.raw = _RawTee(response.raw, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)


class _RawTee:
    """Stands in for urllib3's response. Everything it does not watch is the inner object's own."""

    def __init__(self, raw: Any, capture: Capture) -> None:
        self._raw = raw
        self._capture = capture

    def stream(self, amt: int | None = 2**16, decode_content: bool | None = None) -> Iterator[bytes]:
        """What ``Response.iter_content`` reads."""
        capture = self._capture
        capture.body_decoded = self._decodes(decode_content)
        feed = capture.feed
        try:
            for chunk in self._raw.stream(amt, decode_content=decode_content):
                feed(chunk)
                yield chunk
        except BaseException as exc:
            capture.fail(exc)
            raise
        capture.finish(Outcome.EXHAUSTED)

    def read(self, amt: int | None = None, decode_content: bool | None = None, *args: Any, **kwargs: Any) -> bytes:
        """A file-like read, as code that streams ``response.raw`` does."""
        return self._watched(self._raw.read, decode_content, amt, (amt, decode_content, *args), kwargs)

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        """Like ``read``, at most one read of the socket."""
        return self._watched(self._raw.read1, decode_content, amt, (amt, decode_content), {})

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """A read into the caller's buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _watched(self, read: Any, decode: bool | None, amt: int | None, args: tuple[Any, ...], kwargs: Any) -> bytes:
        capture = self._capture
        capture.body_decoded = self._decodes(decode)
        try:
            data: bytes = read(*args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        if data:
            capture.feed(data)
        if amt is None or amt < 0 or (not data and amt != 0):
            capture.finish(Outcome.EXHAUSTED)
        return data

    def _decodes(self, asked: bool | None) -> bool:
        return bool(getattr(self._raw, "decode_content", False) if asked is None else asked)

    def close(self) -> None:
        """Finish the capture, then close."""
        self._capture.finish(Outcome.CLOSED)
        self._raw.close()

    def release_conn(self) -> None:
        """Give the connection back; the body may have been read already."""
        self._raw.release_conn()

    @property
    def __class__(self) -> type:
        return type(self._raw)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise TypeError("the class of a watched response cannot be changed")

    def __getattr__(self, name: str) -> Any:
        if name in {"_raw", "_capture"}:
            raise AttributeError(name)
        return getattr(self._raw, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream(decode_content=True))

    def __enter__(self) -> _RawTee:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __del__(self) -> None:
        capture = self.__dict__.get("_capture")
        if capture is not None and not capture.finished:
            capture.finish(Outcome.ABANDONED)


def watch_session(session: requests.Session, observer: Observer, binding: Binding) -> None:
    """Put a watching adapter around every adapter of an existing session, in place."""
    for prefix, adapter in session.adapters.items():
        if type(adapter) is not AmplitudeAdapter:
            session.adapters[prefix] = AmplitudeAdapter(adapter, observer, binding)
