"""Events told by hand: sessions, single events, ids and a stopwatch, beside what the wire tells by itself.

In: what the application says, checked where it says it, so that a mistake surfaces as an error naming the argument.
Out: the same five events that captured calls cause, by the same rules (privacy, truncation, prices, flags), made on
the worker's thread and in order with the captured ones.
"""

from __future__ import annotations

from ._emit import (
    emit_llm_message,
    emit_llm_run_finished,
    emit_llm_run_started,
    emit_tool_called,
    emit_user_message,
    quick_track_message,
)
from ._facts import MessageFacts
from ._feedback import feedback
from ._ids import create_session_id, get_current_session_id, set_session_id
from ._timer import MessageTimer
from ._tracker import LLMSessionTracker, llm_session

__all__ = [
    "LLMSessionTracker",
    "MessageFacts",
    "MessageTimer",
    "create_session_id",
    "emit_llm_message",
    "emit_llm_run_finished",
    "emit_llm_run_started",
    "emit_tool_called",
    "emit_user_message",
    "feedback",
    "get_current_session_id",
    "llm_session",
    "quick_track_message",
    "set_session_id",
]
