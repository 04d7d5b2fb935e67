"""What all that stands for an object of a library's has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def class_of(its: Callable[[Any], Any]) -> Any:
    """The ``__class__`` of a stand-in: ``isinstance`` answers as it would without us.

    Args:
        its: what a stand-in stands for. There may be more than one copy of a library: that one's class is asked for.
    """

    def cannot_be_set(stand_in: Any, value: type) -> None:
        raise TypeError("the class of what is watched cannot be changed")

    return property(lambda stand_in: type(its(stand_in)), cannot_be_set)
