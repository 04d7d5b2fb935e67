"""The one fence between this library and the program it lives in, and the counters behind ``stats()``.

Everything that runs on the caller's thread or on the worker runs inside `guard`: an error of ours is counted and
logged once per stage, and never reaches the user's call. Standard library only.
"""

from __future__ import annotations

import itertools
import logging
import signal
from collections.abc import Callable, Iterator
from opcode import opmap
from types import CodeType, TracebackType
from typing import Any

from ._harmless import harmless_record

#: The logger of the whole package; the name is the specification's.
logger = logging.getLogger("amplitude.ai")
logger.addFilter(harmless_record)

_counters: dict[str, itertools.count[int]] = {}
#: Of those that somebody keeps: where they stood when everything was forgotten.
_kept: dict[str, int] = {}
_logged: set[str] = set()

_SIGNALS = signal.valid_signals()
_RAISES = (opmap["RAISE_VARARGS"], opmap["RERAISE"])

#: Set by the test suite to see what the fence swallowed.
on_internal_error: Callable[[str, BaseException], None] | None = None


def count(name: str) -> None:
    """Add one to a counter. Safe from any thread and any finalizer: ``next`` on a C counter is atomic."""
    counter = _counters.get(name)
    if counter is None:
        counter = _counters.setdefault(name, itertools.count())
    next(counter)


def counter(name: str) -> itertools.count[int]:
    """A counter to keep, for what is counted with each call: ``next`` adds one, in a third of the time of `count`."""
    _kept.setdefault(name, 0)
    return _counters.setdefault(name, itertools.count())


def counted(name: str) -> int:
    """The value of a counter; 0 when nothing was counted."""
    counter = _counters.get(name)
    # The repr is the only way to read an itertools.count without advancing it on every Python: "count(3)".
    return 0 if counter is None else int(repr(counter)[6:-1]) - _kept.get(name, 0)


def counters() -> dict[str, int]:
    """All counters that were ever touched."""
    return {name: value for name in sorted(_counters) if (value := counted(name))}


def reset() -> None:
    """Forget every counter, and what was logged once: for tests, each of which counts from zero."""
    for name in [*_counters]:
        if name in _kept:
            _kept[name] += counted(name)
        else:
            del _counters[name]
    _logged.clear()


def log_once(key: str, level: int, message: str, *args: object) -> None:
    """Log one line per ``key`` and process."""
    if key not in _logged:
        _logged.add(key)
        logger.log(level, message, *args)


class guard:
    """Swallow and count any `Exception` of a stage. ``BaseException`` (cancellation, interrupts) passes.

    Afterwards `failed` tells whether something was swallowed.
    """

    __slots__ = ("failed", "stage")

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.failed = False

    def __enter__(self) -> guard:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> bool:
        if exc is None or not self._swallows(exc):
            return False
        self.failed = True
        self._report(exc)
        return True

    def _report(self, exc: BaseException) -> None:
        report(self.stage, exc)

    @staticmethod
    def _swallows(exc: BaseException) -> bool:
        return isinstance(exc, Exception)


class fence(guard):
    """A `guard` for threads of ours: it swallows SystemExit and the like too, which would end the thread for good."""

    __slots__ = ()

    @staticmethod
    def _swallows(exc: BaseException) -> bool:
        return True

    def _report(self, exc: BaseException) -> None:
        if _is_of_a_signal(exc):  # on the main thread, working for us inline
            raise exc
        _count_error(self.stage, exc)


#: Libraries whose timeouts and kills are thrown into whatever runs, and meant for who called it.
_THROWERS = ("gevent", "eventlet", "greenlet")


class shield(guard):
    """A `guard` around hooks of the user's that we run on the application's thread, where they may raise SystemExit.

    What was thrown into the thread from outside goes through: interrupts, cancellations, the timeouts of greenlets.
    """

    __slots__ = ()

    @staticmethod
    def _swallows(exc: BaseException) -> bool:
        if isinstance(exc, KeyboardInterrupt | GeneratorExit) or type(exc).__name__ == "CancelledError":
            return False
        return isinstance(exc, Exception) or type(exc).__module__.partition(".")[0] not in _THROWERS


def report(stage: str, exc: BaseException) -> None:
    """Count an error of our own. Its type is logged once per stage, its text never (it may hold content).

    Raises:
        BaseException: ``exc`` itself, where a signal handler or another thread of the application's threw it while we
            ran (Celery's soft limits, rq's time-outs, stopit's): it is meant for whoever made the call.
    """
    let_pass(exc)
    _count_error(stage, exc)


def let_pass(exc: BaseException) -> None:
    """Raise ``exc`` where it was thrown into us and is meant for the application; see `report`."""
    if _is_of_a_signal(exc) or _is_of_a_thread(exc):
        raise exc


def _count_error(stage: str, exc: BaseException) -> None:
    count("internal_errors")
    count(f"internal_errors_{stage}")
    log_once(
        f"internal:{stage}:{type(exc).__name__}",
        logging.WARNING,
        "amplitude_ai could not finish '%s' (%s); the application's call is not affected",
        stage,
        type(exc).__name__,
    )
    if on_internal_error is not None:
        on_internal_error(stage, exc)


def _is_of_a_signal(exc: BaseException) -> bool:
    """Whether a signal's handler is among the frames that it came through."""
    codes = {*_handlers()}
    at = exc.__traceback__
    while at is not None:
        if at.tb_frame.f_code in codes:
            return True
        at = at.tb_next
    return False


def _is_of_a_thread(exc: BaseException) -> bool:
    """Whether another thread threw it into this one, by ``PyThreadState_SetAsyncExc``.

    It is given as a class, so it has no arguments, and comes between two instructions: none of Python's raised it, and
    what C raises without a word is Python's own (of which only this one is thrown).
    """
    kind, at = type(exc), exc.__traceback__
    if exc.args or at is None or (kind.__module__ == "builtins" and kind is not TimeoutError):
        return False
    while at.tb_next is not None:
        at = at.tb_next
    code = at.tb_frame.f_code.co_code
    return 0 <= at.tb_lasti < len(code) and code[at.tb_lasti] not in _RAISES  # a frame of Cython's stands at none


def _handlers() -> Iterator[CodeType]:
    for number in _SIGNALS:
        handler: Any = signal.getsignal(number)
        while hasattr(handler, "func"):  # a partial
            handler = handler.func
        code = getattr(handler, "__code__", None) or getattr(type(handler).__call__, "__code__", None)
        if code is not None:
            yield code
