"""``flush``, ``shutdown`` and ``stats``: the functions about the process as a whole."""

from __future__ import annotations

from typing import Any

from ._runtime import runtime, seconds


def flush(timeout: float = 5.0) -> bool:
    """Deliver everything captured before this call; tool calls still waiting for their result go without it.

    Args:
        timeout: how long to wait at the most, in seconds.

    Returns:
        True when all of it was delivered: acknowledged by Amplitude, or written to the local store.

    Raises:
        ValueError: ``timeout`` is negative or no number.
    """
    return runtime.flush(seconds(timeout))


def shutdown(timeout: float = 5.0) -> bool:
    """End every open run, then deliver as `flush` does. Recording goes on if more calls are made.

    Args:
        timeout: how long to wait at the most, in seconds.

    Returns:
        True when everything was delivered in time.

    Raises:
        ValueError: ``timeout`` is negative or no number.
    """
    return runtime.shutdown(seconds(timeout))


def stats() -> dict[str, int]:
    """Counters of this process since its start.

    Returns:
        ``captured`` exchanges, ``recorded`` calls, ``emitted`` events, ``ignored`` exchanges (no model calls),
        ``parse_errors`` and ``internal_errors`` (each also by kind), ``dropped_*`` by reason, and what waits now:
        ``queue_items``, ``queue_bytes``. Where calls that go on as in the last minute use up a provider's rate limit
        before it is full again, also ``ratelimit_exhausted_in_ms:<host>:<model>:<requests or tokens>``; 0: it is.
    """
    return runtime.stats()


def make_client() -> Any:
    """Make an ``amplitude.Amplitude`` like the one that is used where none is given, to add plugins to.

    With ``AMPLITUDE_API_KEY`` in the environment it sends to Amplitude, without it keeps events in the local store.
    Pass it as ``amplitude_client=``; it is flushed and ended with the process.
    """
    from .delivery._sender import make_default_client

    return make_default_client()
