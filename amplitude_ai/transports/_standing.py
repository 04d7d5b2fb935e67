"""Methods of ours that stand on one object of a library for a while, and go without a trace. Knows no HTTP library.

The object's class stays what it is, for everybody; what others have put on this one object, or later put on its class,
is called as it would be.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Collection
from typing import Any

from .._guard import guard
from ._capture import Capture


class Standing:
    """Base of what watches one object until it has seen enough.

    Args:
        owner: the object; it is not kept alive.
        capture: told when the object is collected before `leave`.
        names: of its methods that ours, of the same names, stand in for.
    """

    def __init__(self, owner: Any, capture: Capture, names: Collection[str]) -> None:
        self.owner: Any = weakref.ref(owner)  # no cycle: it must go when the application lets it go
        self.capture = capture
        self.gone = False
        own = vars(owner)
        #: Names of methods, and which of ours stand there. (Not these themselves: that would be a cycle.)
        self._ours = {"__getstate__": "state", **{name: name for name in names}}
        #: What others have put on the object itself.
        self._before = {name: own[name] for name in self._ours if name in own}
        own.update({name: getattr(self, ours) for name, ours in self._ours.items()})

    def theirs(self, name: str) -> Callable[..., Any]:
        """The method as it would be without us."""
        before: Callable[..., Any] | None = self._before.get(name)
        if before is not None:
            return before
        owner = self.owner()
        # A finalizer may come so late that the object is none any more: nothing is left to be done.
        return _nothing if owner is None else functools.partial(getattr(type(owner), name), owner)

    def leave(self) -> None:
        """The object is as it was. Who has kept a method of ours goes on to the object's own by it."""
        self.gone = True
        owner = self.owner()
        if owner is not None:
            self._strip(vars(owner))

    def _strip(self, own: dict[str, Any]) -> None:
        for name, ours in self._ours.items():
            if own.get(name) == getattr(self, ours):
                if name in self._before:
                    own[name] = self._before[name]
                else:
                    del own[name]

    def state(self) -> Any:
        """What a copy of the object is made of: a copy is not watched."""
        state = self.theirs("__getstate__")()
        own = state[0] if isinstance(state, tuple) else state
        if isinstance(own, dict):
            own = dict(own)
            self._strip(own)
            return (own, *state[1:]) if isinstance(state, tuple) else own
        return state

    def forgotten(self) -> None:
        """The object was collected."""
        raise NotImplementedError

    def __del__(self) -> None:
        if not self.__dict__.get("gone", True):  # not there when it was only half made: nothing was begun
            with guard("forgotten"):
                self.forgotten()


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None
