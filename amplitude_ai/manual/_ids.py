"""The session id of the current context: each task and each thread has its own, none sees another's."""

from __future__ import annotations

from msgspec.structs import replace

from .._scope import ambient, check_ids, set_ambient


def get_current_session_id() -> str | None:
    """The session that calls and events of this context belong to; ``None`` when none was set.

    Set by `set_session_id`, by ``context(session_id=...)``, or by the ``llm_session`` around this code. Sessions that
    are made automatically, one per client, are not set here.
    """
    return ambient().with_request().session_id


def set_session_id(session_id: str | None) -> None:
    """Make the calls and events of this context, from here on, belong to ``session_id``; ``None`` to undo it.

    Tasks started from here inherit it; tasks and threads that already run do not see it.

    Args:
        session_id: the run's id.

    Raises:
        TypeError: ``session_id`` is neither a string nor ``None``.
        ValueError: it is empty.
    """
    check_ids(session_id=session_id)
    # Whoever names a session takes the calls out of the llm_session around them, and out of its totals.
    set_ambient(replace(ambient(), session_id=session_id, managed_session=False, totals=None))


def create_session_id() -> str:
    """A new session id that nobody else has. It is not set: pass it to `set_session_id`, or use it as an argument."""
    from ..sessions._runs import new_session_id

    return new_session_id()
