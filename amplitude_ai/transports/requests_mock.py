"""requests-mock's adapter: its mocks send by the ``Session.send`` there was when it was imported, past our hook.

What it answers is a call like any other; what it does not answer goes on (to the next mock, or the wire), and is seen
there. A mounted adapter is sent by its session, which is watched itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ._library import Library, Patch
from ._watch import Everyone, inside
from .requests import READER, attach


def _hooks(module: Any, everyone: Everyone) -> Iterable[Patch]:
    """``Adapter.send``."""
    unanswered = (module.exceptions.NoMockAddress, module._RunRealHTTP)

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def send(self: Any, request: Any, **kwargs: Any) -> Any:
            capture = None if inside.get() else everyone.open(READER, self, request)
            if capture is None:
                return original(self, request, **kwargs)
            try:
                response = original(self, request, **kwargs)
            except unanswered:
                raise
            except BaseException as exc:
                capture.fail(exc)
                raise
            attach(capture, response)
            return response

        return send

    return [(module.Adapter, "send", make)]


LIBRARY = Library(_hooks)
