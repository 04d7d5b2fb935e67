"""A user's own ``amplitude_client.flush()`` flushes what is still with us first; the specification says to call it.

The one thing that we set on a client of the user's. Knows nothing else of it.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from . import _threads
from ._guard import guard


class _Flush:
    """``client.flush``, which settles first. Holds the client weakly: it is the client that holds this."""

    def __init__(self, client: Any, settle: Callable[[], None]) -> None:
        self._client = weakref.ref(client)
        self._flush = type(client).flush
        self._settle = settle
        self.__doc__ = self._flush.__doc__
        self.__name__ = "flush"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not _threads.is_ours():
            with guard("flush"):
                self._settle()
        return self._flush(self._client(), *args, **kwargs)

    def __reduce__(self) -> Any:
        # A client that is pickled or copied: the twin is not tied, and flushes as its class does.
        return functools.partial, (self._flush, self._client())


def tie_flush(client: Any, settle: Callable[[], None]) -> None:
    """Have ``settle`` called whenever the application flushes ``client``. A second call changes nothing.

    A client without a ``flush`` of its class's (a mock, for instance) stays as it is; so does one that takes no
    attributes.
    """
    own = getattr(client, "__dict__", None)
    if own is None or "flush" in own or not callable(getattr(type(client), "flush", None)):
        return
    with guard("bind"):
        client.flush = _Flush(client, settle)
