"""Told when certain modules have been imported. Knows nothing of HTTP.

One finder in front of ``sys.meta_path``, which finds nothing itself. A module's loader is never written to: it may be
shared (of a zip), read-only, or another tool's; a loader of ours stands before it until the module is loaded, and then
the module has its own again. (wrapt's post-import hooks do the same, but stay for good.)
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Collection, Sequence
from types import ModuleType
from typing import Any

from .._guard import report

_finder: _Finder | None = None


def watch(names: Collection[str], loaded: Callable[[str], None]) -> None:
    """Have ``loaded(name)`` called after each import of a module of these names, until `unwatch`."""
    global _finder
    if _finder is None:
        _finder = _Finder(names, loaded)
        sys.meta_path.insert(0, _finder)


def unwatch() -> None:
    """``sys.meta_path`` is as it was."""
    global _finder
    if _finder is not None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
        _finder = None


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, names: Collection[str], loaded: Callable[[str], None]) -> None:
        self._names = names
        self._loaded = loaded
        self._looking: set[str] = set()
        self._told = {name for name in names if name in sys.modules}

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        self._tell_late()
        # Another finder like this one may ask all finders in its turn.
        if fullname not in self._names or fullname in self._looking:
            return None
        self._looking.add(fullname)
        try:
            return self._found(fullname, path, target)
        finally:
            self._looking.discard(fullname)

    def _found(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> Any:
        for finder in list(sys.meta_path):
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader, self)
                return spec
        return None

    def _tell_late(self) -> None:
        """Modules that a finder before this one has found: told at the next import of anything."""
        for name in self._names:
            if name not in self._told and (module := sys.modules.get(name)) is not None:
                spec = getattr(module, "__spec__", None)
                if not getattr(spec, "_initializing", False):
                    self.tell(name)

    def tell(self, name: str) -> None:
        if _finder is self and name not in self._told:
            self._told.add(name)
            self._loaded(name)


class _Loader(importlib.abc.Loader):
    """Stands before another loader. Whatever else is asked of it is that one's."""

    def __init__(self, loader: Any, finder: _Finder) -> None:
        self._loader = loader
        self._finder = finder

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As the module's own loader does."""
        create = getattr(self._loader, "create_module", None)
        made: ModuleType | None = None if create is None else create(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own loader back, run it, and tell."""
        spec = module.__spec__
        try:
            if spec is not None and spec.loader is self:
                spec.loader = self._loader
            if getattr(module, "__loader__", None) is self:
                module.__loader__ = self._loader
        except Exception as exc:
            report("import", exc)
        self._loader.exec_module(module)
        self._finder.tell(module.__name__)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)
