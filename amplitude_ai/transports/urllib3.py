"""The watching of urllib3, by which botocore (boto3) and hand-written code send. requests has an adapter of its own.

Everything goes through ``HTTPConnectionPool.urlopen``; what it returns is observed (`_raw_tee`). Tries that urllib3
makes itself (``retries=``) are one record.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from .._guard import report
from .._models import Binding, Outcome
from ._capture import Capture
from ._raw_tee import observe
from ._watch import Observer, as_text, inside, our_headers


def watched_urlopen(
    original: Callable[..., Any], observer: Observer, binding_of: Callable[[Any], Binding | None]
) -> Callable[..., Any]:
    """``HTTPConnectionPool.urlopen``, watched. ``original`` takes the pool first."""

    @functools.wraps(original)
    def urlopen(
        self: Any, method: str, url: str, body: Any = None, headers: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        if inside.get() or (binding := binding_of(self)) is None:
            return original(self, method, url, body, headers, *args, **kwargs)
        capture, headers = _open(observer, binding, self, method, url, body, headers)
        if capture is None:
            return original(self, method, url, body, headers, *args, **kwargs)
        around = inside.get()
        inside.set(True)
        try:
            response = original(self, method, url, body, headers, *args, **kwargs)
        except BaseException as exc:
            capture.fail(exc)
            raise
        finally:
            inside.set(around)
        return _attached(capture, response, bool(kwargs.get("decode_content", True)))

    return urlopen


def _open(
    observer: Observer, binding: Binding, pool: Any, method: str, url: str, body: Any, headers: Any
) -> tuple[Capture | None, Any]:
    """The capture, and the headers without ours. Never raises."""
    try:
        # Through a proxy the target is a whole URL.
        whole = url if "://" in url else f"{pool.scheme}://{pool.host}:{pool.port}{url}"
        parts = urlsplit(whole)
        given: Mapping[str, Any] = pool.headers if headers is None else headers
        if not observer.watches(method, parts.hostname or "", parts.path, binding.explicit):
            return None, _without(our_headers(given), given) or headers
        pairs = list(given.items())
        content = (
            body.encode() if isinstance(body, str) else bytes(body) if isinstance(body, bytes | bytearray) else None
        )
        capture, ours = observer.begin(binding, method, whole, pairs, content)
        signed = any(_is_signature(name, value) for name, value in pairs)
        if not signed:  # a signature over a header holds only while the header is there
            headers = _without(ours, given) or headers
        return capture, headers
    except Exception as exc:
        report("open", exc)
        return None, headers


def _without(names: Collection[str], headers: Mapping[str, Any]) -> Any:
    """A copy of the headers without some; ``None`` where there is nothing to leave out."""
    if not names:
        return None
    unwanted = {name.lower() for name in names}
    copy: Any = headers.copy() if hasattr(headers, "copy") else dict(headers)  # repeated headers stay repeated
    for name in [name for name in copy if as_text(name, "latin-1").lower() in unwanted]:
        del copy[name]
    return copy


def _attached(capture: Capture, response: Any, decoded: bool) -> Any:
    """The response with its body shown to the capture. Never raises."""
    try:
        capture.respond(response.status, list(response.headers.items()))
        if not hasattr(response, "_fp") or getattr(response, "_body", None) is not None:
            # It has been read (preload_content), or (HTTP/2) came as a whole.
            capture.body_decoded = decoded
            capture.feed(response.data)
            capture.finish(Outcome.EXHAUSTED)
            return response
        return observe(response, capture)
    except Exception as exc:
        report("attach", exc)
        capture.finish(Outcome.ABANDONED)
        return response


def _is_signature(name: Any, value: Any) -> bool:
    return as_text(value, "latin-1").startswith("AWS4-") and as_text(name, "latin-1").lower() == "authorization"
