"""`Hook`: one method of a library replaced, beside others who do the same, whoever comes and goes first.

What stands there may be a descriptor that somebody else put there (a wrapt wrapper of OpenTelemetry's, ddtrace's or
Elastic's): it is called as the class gives it out, and put back as it was. Knows no HTTP library.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .._guard import logger

#: Of how many wrappers below ours we look after the removal.
_DEPTH = 8


class Hook:
    """A replaced attribute, and how to put it back.

    Args:
        owner: the class or module that itself defines it.
        name: of the attribute.
        make: ``(what stands there) -> what is to stand there``.
    """

    __slots__ = ("_layers", "_make", "_name", "_owner")

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner, self._name, self._make = owner, name, make
        self._put()

    def _put(self) -> None:
        original = vars(self._owner)[self._name]
        #: Ours, and what stood there: as we came, and for each wrapper below that is taken out from under us.
        self._layers = self._over(getattr(self._owner, self._name), _DEPTH)
        self._layers[0] = (self._layers[0][0], original)
        setattr(self._owner, self._name, self._layers[0][0])

    def _over(self, inner: Any, depth: int) -> list[tuple[Any, Any]]:
        made = self._make(inner)
        below = getattr(inner, "__wrapped__", None)
        if not callable(below) or depth == 0:
            return [(made, inner)]
        rest = self._over(below, depth - 1)
        # ddtrace and OpenTelemetry take themselves off by ``Class.method = Class.method.__wrapped__``, whoever is on
        # top by then: what they put there is ours without them.
        made.__wrapped__ = rest[0][0]
        return [(made, inner), *rest]

    def renew(self) -> None:
        """Put it there again where somebody who came before us has put back what he had found (mocks, Elastic)."""
        current = vars(self._owner).get(self._name)
        whose = getattr(self._owner, "__module__", None) or self._owner.__name__
        is_librarys_own = inspect.isfunction(current) and current.__module__ == whose
        # A mock with the library's signature calls itself the library's, too.
        if is_librarys_own and not hasattr(current, "__wrapped__") and not hasattr(current, "mock"):
            self._put()

    def undo(self) -> None:
        """Put back what was there."""
        current = vars(self._owner).get(self._name)
        for made, below in self._layers:
            if current is made:
                setattr(self._owner, self._name, below)
                return
        logger.warning("amplitude_ai: %s.%s was replaced by someone else and is left alone", self._owner, self._name)
