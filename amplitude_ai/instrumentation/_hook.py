"""`Hook`: one method of a library replaced, beside others who do the same, whoever comes and goes first.

What stands there may be a descriptor that somebody else put there (a wrapt wrapper of OpenTelemetry's, ddtrace's or
Elastic's): it is called as the class gives it out, and put back as it was. Knows no HTTP library, and keeps none alive:
a module that is executed anew makes new classes, and the old ones go when the application lets them go.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from .._guard import logger

#: Of how many wrappers below ours we look after the removal.
_DEPTH = 8
#: Where a wrapper of ours has its `_Layers`: they belong to the class that it stands on, and go with it.
_LAYERS = "_amplitude_ai_layers"
_OURS = __name__.partition(".")[0] + "."


class _Layers:
    """Ours, and what stood there: as we came, and for each wrapper below that is taken out from under us."""

    __slots__ = ("__weakref__", "pairs")

    def __init__(self, pairs: list[tuple[Any, Any]]) -> None:
        self.pairs = pairs
        for made, _ in pairs:
            setattr(made, _LAYERS, self)


class Hook:
    """A replaced attribute, and how to put it back.

    Args:
        owner: the class or module that itself defines it.
        name: of the attribute.
        make: ``(what stands there) -> what is to stand there``.
    """

    __slots__ = ("_layers", "_owner", "name")

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self._owner = weakref.ref(owner)
        self.name = name
        self._put(owner, make)

    @property
    def owner(self) -> Any:
        """The class or module, ``None`` when it is gone."""
        return self._owner()

    def _put(self, owner: Any, make: Callable[[Any], Any]) -> None:
        current = vars(owner)[self.name]
        original = _beneath(current)
        if original is not current:
            setattr(owner, self.name, original)
        pairs = _over(getattr(owner, self.name), make, _DEPTH)
        pairs[0] = (pairs[0][0], original)
        layers = _Layers(pairs)
        self._layers = weakref.ref(layers)
        setattr(owner, self.name, pairs[0][0])

    def renew(self, make: Callable[[Any], Any], executed: ModuleType | None) -> None:
        """Put it there again where it has gone.

        Args:
            make: as at first.
            executed: the module that was just executed anew: what it has is its own.
        """
        owner = self.owner
        current = vars(owner).get(self.name)
        if current is None or _is_ours(current):
            return
        if owner is executed or _is_librarys_own(owner, current):
            self._put(owner, make)

    def undo(self) -> None:
        """Put back what was there."""
        owner = self.owner
        if owner is None:
            return
        current = vars(owner).get(self.name)
        layers = self._layers()
        for made, below in () if layers is None else layers.pairs:
            if current is made:
                setattr(owner, self.name, below)
                return
        if _is_ours(current):
            # IPython's autoreload has given ours what the one on the new class has: as it does with the class' own.
            setattr(owner, self.name, current.__wrapped__)
            return
        logger.warning("amplitude_ai: %s.%s was replaced by someone else and is left alone", owner, self.name)


def _over(inner: Any, make: Callable[[Any], Any], depth: int) -> list[tuple[Any, Any]]:
    made = make(inner)
    below = getattr(inner, "__wrapped__", None)
    if not callable(below) or depth == 0:
        return [(made, inner)]
    rest = _over(below, make, depth - 1)
    # ddtrace and OpenTelemetry take themselves off by ``Class.method = Class.method.__wrapped__``, whoever is on
    # top by then: what they put there is ours without them.
    made.__wrapped__ = rest[0][0]
    return [(made, inner), *rest]


def _beneath(current: Any) -> Any:
    """What stands beneath wrappers that nobody took off: of a copy of this package that was let go, say.

    A call that both saw would be two.
    """
    while _is_ours(current):
        pairs: list[tuple[Any, Any]] = getattr(getattr(current, _LAYERS, None), "pairs", [])
        current = next((below for made, below in pairs if made is current), current.__wrapped__)
    return current


def _is_ours(current: Any) -> bool:
    # By its type: a wrapper of wrapt's (OpenTelemetry's, ddtrace's) around ours says that it is what it is around.
    return (
        type(current) is FunctionType
        and str(current.__globals__.get("__name__")).startswith(_OURS)
        and hasattr(current, "__wrapped__")
    )


def _is_librarys_own(owner: Any, current: Any) -> bool:
    """Whether somebody who came before us has put back what he had found (mocks, Elastic)."""
    whose = getattr(owner, "__module__", None) or owner.__name__
    # A mock with the library's signature calls itself the library's, too.
    return (
        inspect.isfunction(current)
        and current.__module__ == whose
        and not hasattr(current, "__wrapped__")
        and not hasattr(current, "mock")
    )
