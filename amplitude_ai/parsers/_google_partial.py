"""A function's arguments that Gemini streams value by value (``streamFunctionCallArguments``) put together.

Types: google-genai ``types.py`` (``FunctionCall.partial_args``, ``PartialArg``). The first part has the name, the next
ones ``partialArgs``, each a JSON path (RFC 9535) and a value; a text may come in pieces, while its ``willContinue``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from msgspec import Struct, field

from .._pattern import lazy_pattern
from ._google import pick
from ._json import as_dict, as_str, dicts

#: Steps of a path that are followed; a model's arguments are nested less deeply.
_MAX_DEPTH = 64
_STEP = lazy_pattern(r"""\.([^.\[\]]+)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_VALUES = ("numberValue", "boolValue")


class PartialCall(Struct, eq=False):
    """One call under construction."""

    call: dict[str, Any]
    args: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)  # by path: the texts that are not at their end

    def add(self, piece: Mapping[str, Any]) -> None:
        """Take the values of another ``functionCall``."""
        for one in dicts(pick(piece, "partialArgs")):
            path = as_str(pick(one, "jsonPath"))
            if path is None:
                continue
            text = pick(one, "stringValue")
            if isinstance(text, str):
                pieces = self.texts.setdefault(path, [])
                pieces.append(text)
                if pick(one, "willContinue") is not True:
                    _set(self.args, path, "".join(self.texts.pop(path)))
            else:
                _set(self.args, path, next((value for name in _VALUES if (value := pick(one, name)) is not None), None))

    def part(self) -> dict[str, Any]:
        """The part as it would have come whole."""
        for path, pieces in self.texts.items():  # the stream was cut
            _set(self.args, path, "".join(pieces))
        self.texts.clear()
        return {"functionCall": {**self.call, "args": self.args}}


def started(call: Mapping[str, Any]) -> PartialCall | None:
    """The call that this ``functionCall`` begins, ``None`` when it is whole."""
    if pick(call, "willContinue") is not True and not pick(call, "partialArgs"):
        return None
    made = PartialCall({name: call[name] for name in ("id", "name") if name in call}, dict(as_dict(call.get("args"))))
    made.add(call)
    return made


def _set(root: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where the path says; a path that leads nowhere is passed over."""
    steps = list(_steps(path))
    place: Any = root
    for step, following in zip_longest(steps, steps[1:]):
        fresh = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, str) and isinstance(place, dict):
            place[step] = fresh if following is None else place.get(step, fresh)
        elif isinstance(step, int) and isinstance(place, list) and step <= len(place):
            if step == len(place):
                place.append(fresh)
            elif following is None:
                place[step] = fresh
        else:
            return
        place = place[step]


def _steps(path: str) -> Iterator[str | int]:
    found = _STEP.finditer(path.removeprefix("$"))
    for _, match in zip(range(_MAX_DEPTH), found, strict=False):
        name, index, single, double = match.groups()
        quoted = single if single is not None else double
        yield int(index) if index is not None else name if name is not None else re.sub(r"\\(.)", r"\1", quoted)
