"""The ends of a process that Python's own hooks do not see, and the moment of a fork.

Servers that catch SIGTERM to stop in good order, and then die of it after all so that their parent may see why (uvicorn
does: ``Server.capture_signals``), raise it with the default action restored: the process is gone with no exit hook run.
So it is after ``os._exit``, by which forked children end that shall not run their parent's hooks (rq's jobs, tests of
pytest-forked, Airflow's tasks).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import ModuleType

from ._guard import guard

_FATAL = (signal.SIGTERM, signal.SIGINT)


def before_own_death(action: Callable[[], None]) -> None:
    """Have ``action`` run when the process raises a fatal signal against itself. A second call changes nothing."""
    _before(
        signal, "raise_signal", action, lambda number: number in _FATAL and signal.getsignal(number) is signal.SIG_DFL
    )


def before_own_exit(action: Callable[[], None]) -> None:
    """Have ``action`` run when the process ends itself by ``os._exit``. A second call changes nothing."""
    _before(os, "_exit", action, lambda status: True)


def _before(module: ModuleType, name: str, action: Callable[[], None], ends: Callable[..., bool]) -> None:
    """Have ``action`` run before a function of the standard library's, where it ends the process with its argument."""
    original = getattr(module, name)
    if hasattr(original, "_amplitude_ai"):
        return

    def ending(*args: int, **kwargs: int) -> None:
        if ends(*args, **kwargs):
            with guard("exit"):
                action()
        original(*args, **kwargs)

    ending.__name__ = ending.__qualname__ = name
    ending.__doc__ = original.__doc__
    ending._amplitude_ai = True  # type: ignore[attr-defined]
    setattr(module, name, ending)


def at_fork(before: Callable[[], None], in_parent: Callable[[], None], in_child: Callable[[], None]) -> None:
    """Register what is to be done around forks, where there are any."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)
