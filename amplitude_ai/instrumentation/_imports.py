"""Told each time certain modules have been executed: imported, reloaded, imported once more. Knows nothing of HTTP.

One finder in front of ``sys.meta_path``, which finds nothing itself. A module's loader is never written to: it may be
shared (of a zip), read-only, or another tool's; a loader of ours stands before it until the module is loaded, and then
the module has its own again. (wrapt's post-import hooks do the same, but stay for good.)
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Collection, Sequence
from types import ModuleType
from typing import Any

from .._guard import report

#: ``(name, module)``: the module has just been executed.
Loaded = Callable[[str, ModuleType], None]

_finder: _Finder | None = None
#: What stands for a module that is executed when it is first looked at. No public name.
_Lazy: Any = getattr(importlib.util, "_LazyModule", ())
#: Names of modules that are being executed: by our loaders, and by ``reload()``.
_executing: set[str] = set()
_reloading: Any = getattr(importlib, "_RELOADING", ())


def watch(names: Collection[str], loaded: Loaded) -> None:
    """Have ``loaded`` called after each execution of a module of these names, until `unwatch`."""
    global _finder
    if _finder is None:
        _finder = _Finder(names, loaded)
        sys.meta_path.insert(0, _finder)


def complete(name: str) -> ModuleType | None:
    """The module of that name, if it is there and all of it is."""
    module = sys.modules.get(name)
    # A lazy one would be executed by a look at it.
    if module is None or isinstance(module, _Lazy) or name in _executing or name in _reloading:
        return None
    return None if getattr(_spec(module), "_initializing", False) else module


def _spec(module: ModuleType) -> Any:
    return getattr(module, "__spec__", None)


def unwatch() -> None:
    """``sys.meta_path`` is as it was."""
    global _finder
    if _finder is not None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
        _finder = None


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, names: Collection[str], loaded: Loaded) -> None:
        self._names = names
        self._loaded = loaded
        self._looking: set[str] = set()
        #: Each execution of a module has a spec of its own, which does not keep the module alive.
        self._told = {name: _spec(module) for name in names if (module := complete(name)) is not None}

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
        modules, told = sys.modules, self._told
        for name in self._names:
            found = modules.get(name)
            # At each import of anything, and nearly always there is nothing new. (A lazy module is of another type.)
            if found is None or (type(found) is ModuleType and found.__dict__.get("__spec__") is told.get(name)):
                continue
            module = complete(name)
            if module is not None and _spec(module) is not told.get(name):
                self.tell(name, module)

    def tell(self, name: str, module: ModuleType) -> None:
        """It has been executed."""
        if _finder is self:
            self._told[name] = _spec(module)
            self._loaded(name, module)


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
        name = module.__name__ if spec is None else spec.name
        _executing.add(name)
        try:
            self._loader.exec_module(module)
        finally:
            _executing.discard(name)
        self._finder.tell(name, module)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)
