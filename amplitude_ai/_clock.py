"""The clocks of this package: true whatever an application's tests do to theirs. Standard library only.

freezegun puts its own functions in the place of ``time``'s, in that module and wherever they were imported to; it looks
for them by identity. So ours are those of a copy of the built-in module, which nobody else can reach (`_native`).
time-machine changes the C functions themselves, of every instance, those of wall time; it says what the time really is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import cast

from ._native import copy_of

_own = copy_of("time")
#: Nanoseconds of a clock that only goes forward. (Not ``monotonic``, which time-machine moves.)
perf_ns = _own.perf_counter_ns
#: Seconds of the same clock: for deadlines.
monotonic_s = _own.perf_counter
#: Sleeps, this thread alone, whatever was made of ``time.sleep``.
sleep = _own.sleep
_time: Callable[[], float] = _own.time


def wall_s() -> float:
    """Seconds since 1970."""
    return _time() if "time_machine" not in sys.modules else _beside_time_machine()


def _beside_time_machine() -> float:
    hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    if hatch is not None:
        try:
            return cast(float, hatch.time.time())
        except ValueError:  # nobody travels at the moment
            pass
    return _time()


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return int(wall_s() * 1000)
