"""`MessageTimer`: a stopwatch on the monotonic clock, for latencies that are told by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class MessageTimer:
    """Measures how long a call took, in ms. Can be used again and again; each use measures anew.

    ``start()`` and ``stop()``, or ``with timer.time():``; the result is ``duration_ms``.
    """

    __slots__ = ("_duration_ms", "_started_ns")

    def __init__(self) -> None:
        self._started_ns: int | None = None
        self._duration_ms: float | None = None

    def start(self) -> None:
        """Start measuring."""
        self._duration_ms = None
        self._started_ns = time.perf_counter_ns()

    def stop(self) -> float:
        """Stop measuring.

        Returns:
            ms since `start`; stopped again, the same.

        Raises:
            RuntimeError: it was never started.
        """
        if self._started_ns is not None:
            self._duration_ms = _since(self._started_ns)
            self._started_ns = None
        if self._duration_ms is None:
            raise RuntimeError("MessageTimer.stop() without a start(): call start() before the request")
        return self._duration_ms

    @contextmanager
    def time(self) -> Iterator[MessageTimer]:
        """Measure the block, also when it raises."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    @property
    def duration_ms(self) -> float | None:
        """What was measured last, in ms; so far, while it runs; ``None`` before the first start."""
        return self._duration_ms if self._started_ns is None else _since(self._started_ns)


def _since(started_ns: int) -> float:
    return round((time.perf_counter_ns() - started_ns) / 1e6, 3)
