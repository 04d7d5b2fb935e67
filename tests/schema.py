"""Random values that a type allows, as JSON: pydantic models, unions, literals, lists and what is in them.

The types are those the providers' SDKs publish, so that every field there is occurs, also such as no recording has.
"""

from __future__ import annotations

import collections.abc
import datetime
import enum
import json
import random
import types
import typing
from typing import Annotated, Any, Literal, Union

import pydantic
import typing_extensions

TEXTS = [
    "",
    "a",
    "Hello",
    "héllo wörld",
    "😀",
    "line\nline",
    '"quoted" \\',
    "data: x\n\n",
    "[DONE]",
    " ",
    "{}",
    "\u2028",
    "x" * 300,
]


class Builder:
    """Builds values with one source of chance; a model's field is built by ``overrides`` where its name is in there."""

    def __init__(self, dice: random.Random, overrides: dict[str, Any] | None = None, depth: int = 6) -> None:
        self.dice = dice
        self.overrides = overrides or {}
        self.depth = depth

    def build(self, kind: Any, depth: int = 0) -> Any:
        """A JSON value of this type."""
        kind = _bare(kind)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is Literal:
            return self.dice.choice(inner)
        if origin in (Union, types.UnionType):
            return self._one_of(inner, depth)
        if origin in (list, collections.abc.Sequence, collections.abc.Iterable, tuple):
            count = self.dice.choice((0, 1, 1, 2, 3)) if depth < self.depth else 0
            return [self.build(inner[0] if inner else Any, depth + 1) for _ in range(count)]
        if origin in (dict, collections.abc.Mapping):
            return {f"k{n}": self.build(inner[1], depth + 1) for n in range(self.dice.choice((0, 1, 2)))}
        if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
            return self.model(kind, depth)
        if typing_extensions.is_typeddict(kind):  # before 3.12 not the same as typing's
            return self.params(kind, depth)
        return self._plain(kind)

    def params(self, kind: Any, depth: int = 0) -> dict[str, Any]:
        """A body of a typed dictionary, as the SDKs' requests are: what is required, and of the rest some."""
        made = {}
        for name, hint in typing.get_type_hints(kind, include_extras=True).items():
            is_required = name in kind.__required_keys__ or typing.get_origin(hint) is typing.Required
            if name in self.overrides:
                value = self.overrides[name](self, depth)
            elif not is_required and (depth >= self.depth or self.dice.random() < 0.5):
                value = None
            else:
                value = self.build(hint, depth + 1)
            if value is not None or is_required:
                made[name] = value
        return made

    def model(self, kind: type[pydantic.BaseModel], depth: int = 0) -> dict[str, Any]:
        """A body of a model: what is required, and of the rest some; ``None`` is sent or left out."""
        made = {}
        for name, field in kind.model_fields.items():
            wire = _alias(name, field)
            if name in self.overrides:
                value = self.overrides[name](self, depth)
            elif not field.is_required() and (depth >= self.depth or self.dice.random() < 0.4):
                value = field.default if _is_constant(field.annotation) else None
            else:
                value = self.build(field.annotation, depth + 1)
            if value is None and not field.is_required() and self.dice.random() < 0.5:
                continue
            made[wire] = value
        return made

    def _one_of(self, inner: tuple[Any, ...], depth: int) -> Any:
        rest = [
            one for one in inner if one is not type(None) and getattr(one, "__name__", "") != "Unset"
        ]  # mistral's word
        if len(rest) < len(inner) and self.dice.random() < 0.3:
            return None
        return self.build(self.dice.choice(rest), depth)

    def _plain(self, kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self.dice.choice([one.value for one in kind])
        if kind is bool:
            return self.dice.random() < 0.5
        if kind is int:
            return self.dice.choice((0, 1, 2, 7, 100, 4096, 1_000_000))
        if kind is float:
            return self.dice.choice((0.0, 0.5, 1.0, 123.25))
        if kind is datetime.datetime:
            return "2026-01-01T00:00:00Z"
        if kind is bytes:
            return "AAAA"
        if kind is str:
            return self.text()
        return self.dice.choice((None, 1, "a", {"q": 1}, [1]))

    def text(self) -> str:
        """Some text."""
        return self.dice.choice(TEXTS)

    def arguments(self) -> str:
        """A tool's arguments, as JSON text."""
        return json.dumps(self.dice.choice(({}, {"q": 1}, {"a": {"b": ["{", "}", '"']}}, {"é": "😀"})))

    def pieces(self, text: str) -> list[str]:
        """A text cut into deltas."""
        found = []
        while text:
            size = self.dice.choice((1, 2, 5, 50))
            found.append(text[:size])
            text = text[size:]
        return found


def _bare(kind: Any) -> Any:
    """A type without its marks and other names."""
    while True:
        if type(kind).__name__ == "TypeAliasType":
            kind = kind.__value__
        elif type(typing.get_origin(kind)).__name__ == "TypeAliasType":
            kind = typing.get_origin(kind).__value__[typing.get_args(kind)]
        elif typing.get_origin(kind) in (Annotated, typing.ClassVar, typing.Final, typing.Required, typing.NotRequired):
            kind = typing.get_args(kind)[0]
        elif isinstance(kind, typing.TypeVar):
            kind = kind.__bound__ or Any
        else:
            return kind


def _alias(name: str, field: Any) -> str:
    for part in field.metadata:
        if type(part).__name__ == "FieldMetadata":  # cohere
            return part.alias
    return field.serialization_alias or field.alias or name


def _is_constant(hint: Any) -> bool:
    """Whether a type has one value: a union's mark, always sent."""
    bare = _bare(hint)
    return typing.get_origin(bare) is Literal and len(typing.get_args(bare)) == 1
