"""Checks of what the application says: on its own thread, so that a mistake is raised where it was made.

Each check takes the argument's name and value and returns the value as the events hold it. ``None`` is *not known*, and
so is ``...``, which the documentation's examples write where a value is left to the reader. All raise ``TypeError`` or
``ValueError`` naming the argument and the remedy.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from types import EllipsisType
from typing import Any

from ._safe import safe_properties

_MAX_DEPTH = 40  # Amplitude's own limit on nested values


def absent(value: object) -> bool:
    """Whether nothing was said."""
    return value is None or isinstance(value, EllipsisType)


def text(name: str, value: object) -> str | None:
    """A short text: a name, an id, a reason."""
    if absent(value):
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {_kind(value)}: pass {name}=str(...), or leave it out")
    return value or None


def content(name: str, value: object) -> str | None:
    """What was said to the model or by it; objects and lists become JSON text."""
    if absent(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(copied(value), ensure_ascii=False)
    raise TypeError(
        f"{name} must be the text itself, not {_kind(value)}: pass what was said, "
        "such as response.choices[0].message.content"
    )


def whole(name: str, value: object) -> int | None:
    """A count: 0 or more."""
    if absent(value):
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {_kind(value)}: pass {name}=int(...), or leave it out")
    number = operator.index(value)
    if number < 0:
        raise ValueError(f"{name} must be 0 or more, got {number}: leave it out when it is not known")
    return number


def amount(name: str, value: object) -> float | None:
    """A measure, in ms or USD: finite, 0 or more."""
    if absent(value):
        return None
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise TypeError(f"{name} must be a number, not {_kind(value)}: pass {name}=float(...), or leave it out")
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name} must be a finite number, 0 or more, got {value}: leave it out when it is not known")
    return number


def flag(name: str, value: object) -> bool | None:
    """Yes or no."""
    if absent(value):
        return None
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {_kind(value)}: pass {name}=bool(...), or leave it out")
    return value


def properties(name: str, value: object) -> dict[str, Any]:
    """Custom event properties; a copy, so that what the application does to its dict later changes nothing."""
    if absent(value):
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping of property names to values, not {_kind(value)}")
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{name} has the key {key!r}, but a property's name must be a string: pass str(...)")
    return safe_properties(value)


def copied(value: object, depth: int = 0) -> Any:
    """``value`` with its containers copied and foreign objects as text: it is read later, on another thread."""
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    if depth >= _MAX_DEPTH:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {str(key): copied(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [copied(item, depth + 1) for item in value]
    return str(value)


def _kind(value: object) -> str:
    return type(value).__name__
