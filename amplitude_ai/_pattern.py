"""Patterns that are compiled when they are first used: the package has eighty, a call needs a dozen. Knows no room."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Later:
    """Looks like the `re.Pattern` it becomes: each of its methods is put here when it is first asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._written = pattern, flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(*self._written), name)
        setattr(self, name, value)
        return value


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, at the first use. Not for the functions of `re` themselves, which take no stand-in."""
    return cast("re.Pattern[AnyStr]", _Later(pattern, flags))
