"""httplib2, by which google-api-python-client sends. Its connections are ``http.client``'s, which see its requests too.

But it connects before it makes a request, and a connection is no client: so it is watched where an ``Http`` sends. It
reads all of an answer, and decompresses it, before it hands anything on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from .._guard import report
from ._asked import READER, Asked
from ._capture import Capture
from ._library import Library, Patch
from ._watch import Everyone, answered, inside, send_watched
from .http_client import whole_url


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``Http._conn_request``. Tries that httplib2 makes itself are one record."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _conn_request(self: Any, conn: Any, request_uri: str, method: str, body: Any, headers: Any) -> Any:
            if inside.get():
                return original(self, conn, request_uri, method, body, headers)
            capture, headers = _open(everyone, self, conn, request_uri, method, body, headers)
            if capture is None:
                return original(self, conn, request_uri, method, body, headers)
            answer = send_watched(capture, original, self, conn, request_uri, method, body, headers)
            capture.body_decoded = True
            answered(capture, lambda: (answer[0].status, list(answer[0].items()), answer[1]))
            return answer

        return _conn_request

    return [(module.Http, "_conn_request", make)]


LIBRARY = Library(_hooks)


def _open(
    everyone: Everyone, client: Any, conn: Any, request_uri: str, method: str, body: Any, headers: Any
) -> tuple[Capture | None, Any]:
    """The capture, and the headers without ours. Never raises."""
    try:
        asked = Asked(method, whole_url(conn, request_uri), body, headers)
        return everyone.open(READER, client, asked), asked.headers
    except Exception as exc:
        report("open", exc)
        return None, headers
