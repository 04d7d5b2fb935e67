"""What the package's facts are made of: msgspec's structs, which are made and copied in a tenth of a dataclass's time.

A call is passed on with something added several times, and `install_transport()` loads ninety classes.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, ClassVar

from msgspec import Struct


class _AsDataclass:
    """The fields as `dataclasses` knows them, made for a class when somebody asks."""

    def __init__(self) -> None:
        self._known: dict[type, dict[str, dataclasses.Field[Any]]] = {}

    def __get__(self, instance: object, owner: type[Struct]) -> dict[str, dataclasses.Field[Any]]:
        known = self._known.get(owner)
        if known is None:
            types: dict[str, Any] = {}
            for kind in reversed(owner.__mro__):
                types.update(inspect.get_annotations(kind))
            fields = [(name, types[name]) for name in owner.__struct_fields__]
            alike = dataclasses.make_dataclass(owner.__name__, fields)
            known = self._known[owner] = {each.name: each for each in dataclasses.fields(alike)}
        return known


class Fact(Struct, frozen=True):
    """A struct that others get to see: ``dataclasses.replace``, ``asdict`` and ``fields`` take it."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]] = _AsDataclass()  # type: ignore[assignment]
