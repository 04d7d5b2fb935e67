"""What watches one object of a library for a while, and goes without a trace. Knows no HTTP library.

The methods that show it something are hooked on the class (`standing_hook`), and look on their object whether anything
is watching it. A method put on the object instead could not keep it alive: ``urlopen(...).read()`` holds nothing but
the method while that is called, and one that held the object would be a cycle.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

from .._guard import guard, let_pass
from ._capture import CLOSED, Capture

#: Where the object has what watches it.
_MARK = "_amplitude_ai_standing"


def _of(owner: Any) -> Any:
    """What watches an object. The method may have been called on anything."""
    try:
        return owner.__dict__.get(_MARK)
    except Exception as exc:
        let_pass(exc)
        return None


def standing_hook(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a method of a class, which goes by the method of that name of what watches the object, if anything does."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            standing = _of(self)
            if standing is None:
                return original(self, *args, **kwargs)
            return getattr(standing, name)(functools.partial(original, self), *args, **kwargs)

        return method

    return make


def async_standing_hook(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The same in the other colour."""

    def make(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(original)
        async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            standing = _of(self)
            if standing is None:
                return await original(self, *args, **kwargs)
            return await getattr(standing, name)(functools.partial(original, self), *args, **kwargs)

        return method

    return make


class Standing:
    """Base of what watches one object until it has seen enough. Its methods are given first what they stand before.

    Args:
        owner: the object; it is not kept alive.
        capture: told when the object is collected before `leave`.
    """

    def __init__(self, owner: Any, capture: Capture) -> None:
        self.owner: Any = weakref.ref(owner)  # no cycle: it must go when the application lets it go
        self.capture = capture
        self.gone = False
        own = vars(owner)
        #: What others have put on the object itself.
        self._before = {name: own[name] for name in ("__getstate__",) if name in own}
        own.update({_MARK: self, "__getstate__": self.state})

    def leave(self) -> None:
        """The object is as it was."""
        self.gone = True
        owner = self.owner()
        if owner is not None:
            self._strip(vars(owner))

    def _strip(self, own: dict[str, Any]) -> None:
        if own.get(_MARK) is self:
            del own[_MARK]
        if own.get("__getstate__") == self.state:
            del own["__getstate__"]
            own.update(self._before)

    def state(self) -> Any:
        """What a copy of the object is made of: a copy is not watched."""
        owner = self.owner()
        kind: Any = type(owner)
        state = (self._before.get("__getstate__") or functools.partial(kind.__getstate__, owner))()
        own = state[0] if isinstance(state, tuple) else state
        if isinstance(own, dict):
            own = dict(own)
            self._strip(own)
            return (own, *state[1:]) if isinstance(state, tuple) else own
        return state

    def forgotten(self) -> None:
        """The object was collected, or closed: what was not read of it will not be."""
        self.leave()
        self.capture.finish(CLOSED)

    def __del__(self) -> None:
        if not self.__dict__.get("gone", True):  # not there when it was only half made: nothing was begun
            with guard("forgotten"):
                self.forgotten()
