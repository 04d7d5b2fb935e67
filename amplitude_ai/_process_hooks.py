"""The ends of a process that Python's own hooks do not see, and the moment of a fork.

Servers that catch SIGTERM to stop in good order, and then die of it after all so that their parent may see why (uvicorn
does: ``Server.capture_signals``), raise it with the default action restored: the process is gone with no exit hook run.
So it is after ``os._exit``, by which forked children end that shall not run their parent's hooks (rq's jobs, tests of
pytest-forked, Airflow's tasks), and after ``os.exec…``, by which reloaders begin anew (tornado's, CherryPy's).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ._guard import guard

_FATAL = (signal.SIGTERM, signal.SIGINT)


def before_own_death(action: Callable[[], None]) -> None:
    """Have ``action`` run when the process raises a fatal signal against itself. A second call changes nothing."""
    _before(
        signal, "raise_signal", action, lambda number: number in _FATAL and signal.getsignal(number) is signal.SIG_DFL
    )


def before_own_exit(action: Callable[[], None]) -> None:
    """Have ``action`` run when the process ends itself by ``os._exit``, or becomes another program by ``os.exec…``.

    A second call changes nothing.
    """
    _before(os, "_exit", action, lambda *_, **__: True)
    for name in ("execv", "execve"):  # the others of the family call these
        if hasattr(os, name):
            _before(os, name, action, _is_program)


def _is_program(*args: Any, **kwargs: Any) -> bool:
    """Whether to execute this can succeed. ``execvp`` tries each directory of the path, and the process goes on."""
    path = args[0] if args else kwargs.get("path")
    return isinstance(path, int | str | bytes | os.PathLike) and os.path.isfile(path) and os.access(path, os.X_OK)


def _before(module: ModuleType, name: str, action: Callable[[], None], ends: Callable[..., bool]) -> None:
    """Have ``action`` run before a function of the standard library's, where it ends the process with its argument."""
    original = getattr(module, name)
    if hasattr(original, "_amplitude_ai"):
        return

    def ending(*args: Any, **kwargs: Any) -> None:
        with guard("exit"):
            if ends(*args, **kwargs):
                action()
        original(*args, **kwargs)

    ending.__name__ = ending.__qualname__ = name
    ending.__doc__ = original.__doc__
    ending._amplitude_ai = True  # type: ignore[attr-defined]
    setattr(module, name, ending)
    if original in os.supports_fd:  # who asks whether a file's number may be given to it asks for what stands there
        os.supports_fd.add(ending)


def at_fork(before: Callable[[], None], in_parent: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Register what is to be done around forks, where there are any."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
