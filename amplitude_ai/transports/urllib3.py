"""The watching of urllib3, by which botocore (boto3) and hand-written code send. requests has an adapter of its own.

Everything goes through ``HTTPConnectionPool.urlopen``; what it returns is observed (`_raw_tee`). Tries that urllib3
makes itself (``retries=``) are one record.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any

from .._guard import report
from ._asked import READER, Asked
from ._capture import Capture
from ._library import Library, Patch, is_kind, kind_of
from ._raw_tee import attach
from ._standing import standing_hook
from ._watch import Everyone, inside, send_watched

#: As which it is imported; urllib3-future has two names.
_PACKAGES = ("urllib3", "urllib3_future")
#: Errors behind an error that are looked through.
_CAUSES = 4


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``HTTPConnectionPool.urlopen``."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(capture: Capture) -> Callable[..., Any]:
            def sending(*args: Any, **kwargs: Any) -> Any:
                try:
                    return original(*args, **kwargs)
                except BaseException as exc:
                    _tell_status(capture, exc)
                    raise

            return sending

        @functools.wraps(original)
        def urlopen(
            self: Any, method: str, url: str, body: Any = None, headers: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            if inside.get():
                return original(self, method, url, body, headers, *args, **kwargs)
            capture, headers = open_for(everyone, self, method, url, body, headers)
            if capture is None:
                return original(self, method, url, body, headers, *args, **kwargs)
            response = send_watched(capture, send(capture), self, method, url, body, headers, *args, **kwargs)
            return attach(capture, response, bool(kwargs.get("decode_content", True)))

        return urlopen

    pool = getattr(module, "HTTPConnectionPool", None)  # the connections' module has none
    return [*([] if pool is None else [(pool, "urlopen", make)]), *_below(module)]


LIBRARY = Library(_hooks)


def _below(module: Any) -> list[Patch]:
    """Where the answer is when a call was not seen above, but by ``http.client``'s hook.

    Of what ``http.client`` gives its subclass here, the body is read past the methods.
    """
    kind = sys.modules[f"{module.__package__}.connection"].HTTPConnection
    if "getresponse" in vars(kind) and any(is_kind(each, "http", "HTTPConnection") for each in kind.__mro__):
        return [(kind, "getresponse", standing_hook("getresponse"))]
    return []  # urllib3-future's is none; nor is a cassette's


def open_for(
    everyone: Everyone, pool: Any, method: str, url: str, body: Any, headers: Any
) -> tuple[Capture | None, Any]:
    """The capture, and the headers without ours. Never raises."""
    try:
        # Through a proxy the target is a whole URL.
        whole = url if "://" in url else f"{pool.scheme}://{pool.host}:{pool.port}{url}"
        asked = Asked(method, whole, body, pool.headers if headers is None else headers)
        given = asked.headers
        capture = everyone.open(READER, pool, asked)
        return capture, headers if asked.headers is given else asked.headers
    except Exception as exc:
        report("open", exc)
        return None, headers


def _tell_status(capture: Capture, exc: BaseException) -> None:
    """A pool may have been reading a body (``preload_content``) when that broke off: there was an answer. Never raises.

    Nobody is given that response; it is found where its reading was left.
    """
    try:
        told: BaseException | None = exc
        for _ in range(_CAUSES):
            at = None if told is None else told.__traceback__
            while at is not None:
                response: Any = at.tb_frame.f_locals.get("self")
                if any(kind_of(response, package, "HTTPResponse") for package in _PACKAGES):
                    capture.status = response.status
                    capture.response_headers = list(response.headers.items())
                    return
                at = at.tb_next
            told = None if told is None else told.__cause__ or told.__context__
    except Exception as own:
        report("attach", own)
