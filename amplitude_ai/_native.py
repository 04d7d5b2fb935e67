"""Threads and locks of the operating system, whatever gevent or eventlet have put in their place, and whenever.

The worker shares its queue with every thread of the application. A lock of the operating system in one hand and a
greenlet's in the other stop the whole process: the greenlet that waits is the thread that should go on. So the worker
has nothing but the operating system's own, taken when this module is imported, or asked for where that was too late.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable
from typing import Any


def _original(module: str, name: str) -> Any:
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return getattr(eventlet.original(module), name)
    return getattr(importlib.import_module(module), name)


allocate_lock: Callable[[], Any] = _original("_thread", "allocate_lock")
get_ident: Callable[[], int] = _original("_thread", "get_ident")
sleep: Callable[[float], None] = _original("time", "sleep")
_start_new_thread: Callable[..., int] = _original("_thread", "start_new_thread")
RLock: Callable[[], Any] = _original("_thread", "RLock")


class Event:
    """As ``threading.Event``, on one lock: for one waiter at a time."""

    __slots__ = ("_lock", "_set")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()
        self._set = False

    def set(self) -> None:
        """Let who waits go on."""
        self._set = True
        with contextlib.suppress(RuntimeError):  # it was set already
            self._lock.release()

    def clear(self) -> None:
        """From now on `wait` waits again."""
        self._set = False
        self._lock.acquire(blocking=False)

    def wait(self, timeout: float) -> bool:
        """Wait for so many seconds at the most; whether it is set."""
        if not self._set and self._lock.acquire(timeout=timeout):
            self.set()
        return self._set


class Thread:
    """A daemon thread of the operating system, where ``threading.Thread`` would make a greenlet."""

    def __init__(self, target: Callable[[], None]) -> None:
        self._target = target
        self._alive = False

    def start(self) -> None:
        """Start it.

        Raises:
            RuntimeError: the interpreter is ending.
        """
        self._alive = True
        try:
            _start_new_thread(self._run, ())
        except BaseException:
            self._alive = False
            raise

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._alive = False

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._alive


def greenlets_about() -> bool:
    """Whether ``threading`` may make greenlets of threads."""
    return "gevent.monkey" in sys.modules or "eventlet.patcher" in sys.modules
