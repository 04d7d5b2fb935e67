"""Where the local store is: ``AMPLITUDE_AI_STORE``, else in the user's own data directory. Standard library only."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def default_path() -> Path:
    """The path of the store's file, which need not exist.

    ``AMPLITUDE_AI_STORE`` wins. Otherwise ``amplitude-ai/events.db`` in the data directory the system provides:
    ``XDG_DATA_HOME`` (``~/.local/share``), ``~/Library/Application Support`` on macOS, ``LOCALAPPDATA`` on Windows;
    in the current directory where the user has no home.
    """
    chosen = os.environ.get("AMPLITUDE_AI_STORE", "").strip()
    try:
        return Path(chosen).expanduser() if chosen else _data_directory() / "amplitude-ai" / "events.db"
    except RuntimeError:  # no home directory: a container running under a user id without an entry
        return Path(chosen or ".amplitude_ai/events.db")


def is_chosen() -> bool:
    """Whether the user said where the store should be."""
    return bool(os.environ.get("AMPLITUDE_AI_STORE", "").strip())


def _data_directory() -> Path:
    if sys.platform == "win32":
        return _directory("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    # https://specifications.freedesktop.org/basedir-spec/latest/: a relative path is invalid and ignored
    return _directory("XDG_DATA_HOME") or Path.home() / ".local" / "share"


def _directory(variable: str) -> Path | None:
    path = Path(os.environ.get(variable, ""))
    return path if path.is_absolute() else None
