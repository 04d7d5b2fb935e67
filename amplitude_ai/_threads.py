"""Threads, locks and events of the operating system, whatever an application has put in their place, and when.

``gevent.monkey.patch_all()`` and eventlet's ``monkey_patch()`` turn threads and locks into green ones, of which some
were real when this package was imported. A worker that is half of each hangs. So ours are made from a copy of
``_thread`` (`_native`) and are always real. What an application's own thread waits for here (`Event.wait`, `take`) lets
its other greenlets run meanwhile; a plain ``with`` is for what is held for a moment, and across nothing that switches.
A thread of ours that waits is not among ``threading.enumerate()``: applications join all they find there, or wait until
there is but one. Knows no other room but `_native`, the clock (`_clock`) and the fence (`_guard`).
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from . import _clock
from ._guard import report
from ._native import copy_of

_thread = copy_of("_thread")

#: A real lock, and one that a thread may take again.
Lock: Callable[[], Any] = _thread.allocate_lock
RLock: Callable[[], Any] = _thread.RLock
#: The real thread's number.
get_ident: Callable[[], int] = _thread.get_ident
#: What ``threading`` makes for threads that it did not start, which knows what is to become of it in a forked child.
_StandIn: Any = getattr(threading, "_DummyThread", threading.Thread)
#: How often a greenlet that waits looks, in seconds: a real lock cannot wake its hub.
_LOOK_SECONDS = 0.005
#: Where Linux lists the threads of this process; how often a thread that has ended is looked for there, in seconds.
_TASKS, _TASK_SECONDS = "/proc/self/task", 0.0001
#: The longest wait there is, in seconds: the operating system's locks take no infinity.
_LONGEST = 1e8
#: Threads of ours, by number, and what ``threading.current_thread()`` is on each.
_ours: dict[int, _Shown | None] = {}


def can_start() -> bool:
    """Whether a thread can be started: from Python 3.12 on an interpreter that is ending starts none."""
    try:
        _thread.start_new_thread(bool, ())
    except RuntimeError:
        return False
    return True


def is_main_interpreter() -> bool:
    """Whether this is the process's own, and not one of several in it (mod_wsgi has one for each application)."""
    told = getattr(_thread, "_is_main_interpreter", None)  # from Python 3.12 on
    if told is not None:
        return bool(told())
    try:
        interpreters: Any = importlib.import_module("_xxsubinterpreters")
    except ImportError:
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


class _Shown(_StandIn):  # type: ignore[misc]  # one of threading's own
    """What stands for a thread of ours while it works: a name for logs and debuggers, and nothing to wait for."""

    def __init__(self, name: str) -> None:
        # Not threading's own way: it would take a number, and the application's next thread the one after.
        threading.Thread.__init__(self, name=name, daemon=True)
        self._started.set()
        self._set_ident()
        handle = getattr(threading, "_make_thread_handle", None)  # from Python 3.13 on: what a fork looks at
        if handle is not None:
            self._handle = handle(self.ident)

    def show(self) -> None:
        """Have ``threading`` know it, which would make a stand-in of its own otherwise."""
        threading._active[self.ident] = self  # type: ignore[attr-defined]

    def hide(self) -> None:
        """Have ``threading`` not know of this thread."""
        threading._active.pop(self.ident, None)  # type: ignore[attr-defined]

    def is_alive(self) -> bool:
        return True

    def join(self, timeout: float | None = None) -> None:
        """Nothing of the application's runs here."""


class Started:
    """A thread that `start` has started."""

    __slots__ = ("gone", "native_id")

    def __init__(self) -> None:
        self.gone = Lock()
        self.gone.acquire()
        self.native_id: int | None = None

    def ends(self, timeout: float) -> bool:
        """Wait until the operating system has it no more, so that it cannot be counted either.

        The calling thread waits, with all its greenlets: for moments in which nothing else may run.

        Args:
            timeout: seconds; the most it takes.

        Returns:
            False when the time was not enough.
        """
        deadline = _clock.monotonic_s() + timeout
        if not self.gone.acquire(timeout=max(timeout, 0)):
            return False
        self.gone.release()
        # What is left to it is some instructions of the interpreter's.
        task = f"{_TASKS}/{self.native_id}"
        while os.path.exists(task):
            if _clock.monotonic_s() >= deadline:
                return False
            _clock.sleep(_TASK_SECONDS)
        return True


def start(run: Callable[[], object], name: str) -> Started:
    """Run on a real thread that keeps no process from ending. Nothing it raises gets out.

    Raises:
        RuntimeError: the interpreter is shutting down, or the system has no threads left.
    """
    started = Started()

    def body() -> None:
        _ours[get_ident()] = None
        try:
            started.native_id = _thread.get_native_id() if hasattr(_thread, "get_native_id") else None
            if green_sleep() is None:
                _show(name)
            run()
        except BaseException as exc:  # there is nobody above
            report(name, exc)
        finally:
            shown = _ours.pop(get_ident(), None)
            if shown is not None:
                shown.hide()
            started.gone.release()

    _thread.start_new_thread(body, ())
    return started


def _show(name: str) -> None:
    with contextlib.suppress(AttributeError, RuntimeError):  # another threading; an interpreter without daemons
        shown = _Shown(name)
        shown.show()
        _ours[get_ident()] = shown


def green_sleep() -> Callable[[float], None] | None:
    """How this thread sleeps so that its other greenlets run; ``None`` where threads are threads."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        return getattr(sys.modules.get("gevent"), "sleep", None)
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        return getattr(sys.modules.get("eventlet"), "sleep", None)
    return None


class Event:
    """As ``threading.Event``. `set` takes no lock, so that finalizers may call it."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: deque[Any] = deque()

    def set(self) -> None:
        """It happened: wake all who wait."""
        self._is_set = True
        while self._waiters:
            try:
                waiter = self._waiters.popleft()
            except IndexError:  # another was quicker
                return
            waiter.release()

    def clear(self) -> None:
        """It is still to happen."""
        self._is_set = False

    def wait(self, timeout: float) -> bool:
        """Wait, ``timeout`` seconds at the most; whether it happened."""
        if self._is_set or timeout <= 0:
            return self._is_set
        timeout = min(timeout, _LONGEST)
        pause = None if is_ours() else green_sleep()
        if pause is not None:
            deadline = _clock.monotonic_s() + timeout
            while not self._is_set and _clock.monotonic_s() < deadline:
                pause(_LOOK_SECONDS)
            return self._is_set
        waiter = Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        shown = _ours.get(get_ident())
        if shown is not None:
            shown.hide()
        if not self._is_set:  # between the look above and the appending
            waiter.acquire(timeout=timeout)
        if shown is not None:
            shown.show()
        with contextlib.suppress(ValueError):  # it was set
            self._waiters.remove(waiter)
        return self._is_set


def take(lock: Any, timeout: float = -1) -> bool:
    """Acquire a real lock; this thread's other greenlets run meanwhile.

    Args:
        lock: of `Lock` or `RLock`.
        timeout: seconds; -1 for as long as it takes.

    Returns:
        False when the time was not enough.
    """
    if lock.acquire(blocking=False):
        return True
    pause = None if is_ours() else green_sleep()
    if pause is None:
        return bool(lock.acquire(timeout=timeout))
    deadline = _clock.monotonic_s() + timeout
    while not lock.acquire(blocking=False):
        if timeout >= 0 and deadline <= _clock.monotonic_s():
            return False
        pause(_LOOK_SECONDS)
    return True


def is_ours() -> bool:
    """Whether this is a thread that `start` has started (and not the application's, working for us inline)."""
    return get_ident() in _ours


def pause(seconds: float) -> None:
    """Sleep, on whichever thread, so that nobody else has to wait for it."""
    green = None if is_ours() else green_sleep()
    (green or _clock.sleep)(seconds)


def after_fork() -> None:
    """In a forked child: the threads stayed in the parent."""
    _ours.clear()
