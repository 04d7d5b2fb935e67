"""For PyInstaller, which sees no import that is made by name: ours of a library's leaf, and of what is used first.

It finds this by the entry point ``pyinstaller40``, and reads the hook beside this file when it packs an application.
"""

from __future__ import annotations

from pathlib import Path


def hook_dirs() -> list[str]:
    """Where the hook is."""
    return [str(Path(__file__).parent)]
