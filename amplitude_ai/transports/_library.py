"""What a leaf says of its HTTP library, and nothing else: how it is entered, and how one client of it is watched."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from msgspec import Struct

from .._models import Binding
from ._watch import Everyone, Observer

#: An attribute to be replaced: the class or module that defines it, its name, ``(what stands there) -> what is to``.
Patch = tuple[Any, str, Callable[[Any], Any]]


class Library(Struct, frozen=True):
    """An HTTP library.

    Attributes:
        hooks: ``(a module, Everyone)`` -> where each client of it sends, and where it is closed. The module is the
            library's, or the one that defines what is hooked, of the first copy of the library or of any other.
        adopt: ``(client, observer, binding)`` -> whether ``client`` is one of the library's, and is watched now.
    """

    hooks: Callable[[ModuleType, Everyone], Iterable[Patch]]
    adopt: Callable[[Any, Observer, Binding], bool] = lambda client, observer, binding: False


def kind_of(value: Any, package: str, name: str) -> Any:
    """The class of that name among the classes of ``value``, ``None`` when there is none.

    By name: a library that is reloaded or imported once more has new classes, and objects of the old ones go on.
    """
    kind = type(value)
    seen = getattr(value, "__class__", kind)  # what it says it is, as ``isinstance`` asks
    return next((each for each in (*kind.__mro__, *seen.__mro__) if is_kind(each, package, name)), None)


def is_kind(kind: type, package: str, name: str) -> bool:
    """Whether a class is a library's of that name."""
    return kind.__qualname__ == name and kind.__module__.partition(".")[0] == package


def closing(everyone: Everyone) -> Callable[[Any], Any]:
    """Makes a close of a client: its automatic run ends, then it closes as it always did."""

    def make(original: Any) -> Any:
        @functools.wraps(original)
        def close(self: Any, *args: Any, **kwargs: Any) -> Any:
            everyone.client_closed(self)
            return original(self, *args, **kwargs)

        return close

    return make


def async_closing(everyone: Everyone) -> Callable[[Any], Any]:
    """The same in the other colour."""

    def make(original: Any) -> Any:
        @functools.wraps(original)
        async def aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
            everyone.client_closed(self)
            return await original(self, *args, **kwargs)

        return aclose

    return make
