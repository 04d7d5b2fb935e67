"""The clocks of this package: true whatever an application's tests do to theirs. Standard library only.

freezegun puts its own functions in the place of ``time``'s, in that module and wherever they were imported to; it looks
for them by identity. So ours are those of a second instance of the built-in module, which nobody else can reach.
time-machine changes the C functions themselves, of every instance, those of wall time; it says what the time really is.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from typing import Any, cast


def _own_time() -> Any:
    spec = importlib.machinery.BuiltinImporter.find_spec("time")
    assert spec is not None  # built into every CPython
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_own = _own_time()
#: Nanoseconds of a clock that only goes forward. (Not ``monotonic``, which time-machine moves.)
perf_ns = _own.perf_counter_ns
#: Seconds of the same clock: for deadlines.
monotonic_s = _own.perf_counter


def wall_s() -> float:
    """Seconds since 1970."""
    machine = sys.modules.get("time_machine")
    if machine is not None and (hatch := getattr(machine, "escape_hatch", None)) is not None:
        try:
            return cast(float, hatch.time.time())
        except ValueError:  # nobody travels at the moment
            pass
    return cast(float, _own.time())


def wall_ms() -> int:
    """Milliseconds since 1970."""
    return int(wall_s() * 1000)
