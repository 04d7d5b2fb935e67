"""The command line ``amplitude-ai-wire``: the local store, without an account. Extra ``cli`` (typer and rich).

Thin: what is asked of the store is in `look`, what is said of it on a terminal in `_output`.
"""

from __future__ import annotations

import os
import sys

#: Exit codes. 2 is what every command line uses for wrong arguments.
OK, NOT_FOUND, USAGE, NO_STORE = 0, 1, 2, 3


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        from ._app import app
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] not in ("typer", "rich"):
            raise
        print(f"{exc.name} is missing: pip install 'amplitude-ai-wire[cli]'", file=sys.stderr)  # noqa: T201
        return USAGE
    try:
        app(prog_name="amplitude-ai-wire")
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else OK
    except KeyboardInterrupt:
        return 130
    except Exception as exc:
        from ._errors import explain
        from ._output import ReaderGoneError

        if isinstance(exc, ReaderGoneError | BrokenPipeError):
            # Nothing is to be written when the interpreter ends, either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        return explain(exc)
    return OK
