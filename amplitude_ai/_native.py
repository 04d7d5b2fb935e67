"""Built-in modules as the interpreter made them, whatever an application has put in their place since.

freezegun, gevent, eventlet and test suites replace functions of ``time`` and ``_thread``, before or after this package
is imported; freezegun does so wherever a module holds one of them, under any name. A second copy of a built-in module
has functions of its own, which nobody knows and nobody replaces. It is not in ``sys.modules``.
Knows no other room.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import BuiltinImporter
from types import ModuleType
from typing import Any


def copy_of(name: str) -> Any:
    """A copy of a built-in module of ours alone; the shared one where it is no built-in (another implementation)."""
    shared = sys.modules.get(name) or importlib.import_module(name)
    spec = BuiltinImporter.find_spec(name)
    if spec is None or spec.loader is None:
        return shared
    copy: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy
