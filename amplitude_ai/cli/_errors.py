"""Errors as a line on stderr and an exit code; what is none of these is a bug, and raised."""

from __future__ import annotations

import sqlite3
import sys

from ..look._reader import StoreMissingError, StoreUnreadableError
from ..look._text import harmless
from . import NO_STORE, NOT_FOUND, USAGE

_NEXT = (
    "nothing was recorded here yet. Without AMPLITUDE_API_KEY, amplitude_ai.install_transport() records to this file; "
    "AMPLITUDE_AI_STORE or --store name another; `amplitude-ai-wire demo` makes one to look at."
)


class Failure(Exception):
    """A command cannot do what was asked; its message says why and what to do."""

    def __init__(self, message: str, code: int = NOT_FOUND) -> None:
        super().__init__(message)
        self.code = code


def explain(exc: Exception) -> int:
    """Say what went wrong; returns the exit code.

    Raises:
        Exception: ``exc`` itself, where it is a bug.
    """
    if isinstance(exc, Failure):
        return _say(str(exc), exc.code)
    if isinstance(exc, StoreMissingError):
        return _say(f"{exc}: {_NEXT}", NO_STORE)
    if isinstance(exc, StoreUnreadableError):
        return _say(str(exc), NO_STORE)
    if isinstance(exc, sqlite3.Error):
        damaged = getattr(exc, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return _say(f"the store could not be read: {exc}", NO_STORE if damaged else NOT_FOUND)
    if isinstance(exc, OSError):
        return _say(str(exc), NOT_FOUND)
    if isinstance(exc, ValueError):
        return _say(str(exc), USAGE)
    raise exc


def _say(message: str, code: int) -> int:
    print(f"amplitude-ai-wire: {harmless(message, 2000)}", file=sys.stderr)  # noqa: T201
    return code
