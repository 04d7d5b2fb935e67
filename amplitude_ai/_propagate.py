"""The context across threads: by hand, for an executor, or for every thread of the process.

A new thread starts with no ContextVar set. Only what `context` says is taken along, nothing of anybody else's.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ._models import Scope
from ._scope import ambient, set_ambient

T = TypeVar("T")
_NOTHING = Scope()
#: What threads that were started, but do not run yet, are to take along.
_started: weakref.WeakKeyDictionary[Any, Scope] = weakref.WeakKeyDictionary()


def propagate_context(target: T) -> T:
    """Take what `context` says here along to another thread, which would start with nothing.

    ``Thread(target=propagate_context(work))``, ``executor.submit(propagate_context(work), ...)``. An executor itself
    may be given: all that it is given to do later takes along the context of whoever gives it.
    ``install_transport(propagate_threads=True)`` does the same for every thread.

    Args:
        target: a function, or an executor (anything with ``submit``).

    Returns:
        A function that does the same in the context of now; or the executor.

    Raises:
        TypeError: it is neither.
    """
    submit = getattr(target, "submit", None)
    if callable(submit):
        if not hasattr(submit, "_amplitude_ai"):
            vars(target)["submit"] = propagating_submit(submit)
        return target
    if not callable(target):
        raise TypeError(f"propagate_context takes a function or an executor, not {type(target).__name__}")
    return cast(T, carried(target))


def propagating_submit(submit: Callable[..., Any]) -> Callable[..., Any]:
    """``submit`` of an executor, which takes the context along."""

    @functools.wraps(submit)
    def propagating(*args: Any, **kwargs: Any) -> Any:
        at = next((at for at, each in enumerate(args[:2]) if callable(each)), None)  # the executor itself may be first
        if at is not None:
            args = (*args[:at], carried(args[at]), *args[at + 1 :])
        return submit(*args, **kwargs)

    propagating._amplitude_ai = True  # type: ignore[attr-defined]
    return propagating


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` in the context of now, whichever thread runs it: one of a pool may be in that of an earlier task."""
    around = ambient()

    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        before = ambient()
        set_ambient(around)
        try:
            return function(*args, **kwargs)
        finally:
            set_ambient(before)

    return inner


def propagating_start(start: Callable[..., None]) -> Callable[..., None]:
    """``Thread.start``, which remembers the context of whoever starts it."""

    @functools.wraps(start)
    def propagating(self: Any) -> None:
        around = ambient()
        if around != _NOTHING:
            _started[self] = around
        start(self)

    return propagating


def propagating_bootstrap(bootstrap: Callable[..., None]) -> Callable[..., None]:
    """What a thread does first, in that context."""

    @functools.wraps(bootstrap)
    def propagating(self: Any) -> None:
        around = _started.pop(self, None)
        if around is not None:
            set_ambient(around)
        bootstrap(self)

    return propagating
