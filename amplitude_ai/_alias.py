"""``amplitude.ai`` is this package under a second name; amplitude-analytics' own files stay as they are.

An installation puts one line into the environment (``packaging/amplitude_ai_alias.pth``) that asks `find_spec` when
somebody imports the name, and does nothing until then. Where no such line was read (``pip install --target``, a zip on
``PYTHONPATH``), importing ``amplitude_ai`` first has the same effect.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_ALIAS = "amplitude.ai"
_PACKAGE = "amplitude_ai"
#: The class name of the finder that the installed line makes; two finders would do no harm, one is tidier.
_FINDER = "AmplitudeAIFinder"


class _SameModule(Loader):
    """Gives the module of the real name, so that both names are one module with one state."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(_PACKAGE + spec.name[len(_ALIAS) :])
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just given the module the alias' spec; it was executed under its own.
        module.__spec__ = self._own_spec


def find_spec(name: str) -> ModuleSpec | None:
    """The spec of ``amplitude.ai`` or a module below it; ``None`` for every other name, and for what does not exist."""
    if name != _ALIAS and not name.startswith(_ALIAS + "."):
        return None
    real = importlib.util.find_spec(_PACKAGE + name[len(_ALIAS) :])
    if real is None:
        return None
    return ModuleSpec(name, _SameModule(), is_package=real.submodule_search_locations is not None)


class AmplitudeAIFinder(MetaPathFinder):
    """The finder for environments without the installed line."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See the function of the same name."""
        return find_spec(fullname)


def install() -> None:
    """Make ``amplitude.ai`` importable in this process. Idempotent."""
    if not any(type(finder).__name__ == _FINDER for finder in sys.meta_path):
        sys.meta_path.append(AmplitudeAIFinder())
