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
        hooks: ``(the module, Everyone)`` -> where each client of it sends, and where it is closed.
        adopt: ``(client, observer, binding)`` -> whether ``client`` is one of the library's, and is watched now.
    """

    hooks: Callable[[ModuleType, Everyone], Iterable[Patch]]
    adopt: Callable[[Any, Observer, Binding], bool] = lambda client, observer, binding: False


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
