"""The tools that a request offers: what they are known by, and their names.

In: definitions as the request holds them. Out: a hash of them and their names. A program offers the same tools with
every call, and they are most of a request: so they are read once. No definition is kept, only what comes out.
"""

from __future__ import annotations

import marshal
from collections import OrderedDict
from hashlib import blake2b
from typing import NamedTuple

from .._models import JSON
from ._bounded import remember
from ._conversation import canonical, digest
from ._details import tool_names

#: Sets of tools that are remembered, of a process; and characters of the names of one that is.
_MAX_SETS, _MAX_NAMES = 64, 4096


class Offered(NamedTuple):
    """A set of tools."""

    hash: bytes = b""
    names: str | None = None


NOTHING = Offered()
_known: OrderedDict[bytes, Offered] = OrderedDict()


def offered(definitions: tuple[JSON, ...]) -> Offered:
    """What ``definitions`` are known by."""
    if not definitions:
        return NOTHING
    try:
        # Version 2 has no references, so that equal values are equal bytes, and others never: 1 is not True here.
        key = blake2b(marshal.dumps(definitions, 2), digest_size=16).digest()
    except ValueError:  # nested too deeply
        return _read(definitions)
    found = _known.get(key)
    if found is None:
        found = _read(definitions)
        if found.names is not None and len(found.names) > _MAX_NAMES:
            return found
    remember(_known, key, found, _MAX_SETS)
    return found


def _read(definitions: tuple[JSON, ...]) -> Offered:
    return Offered(digest(canonical(list(definitions))), ", ".join(tool_names(definitions)) or None)
