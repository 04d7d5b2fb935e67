"""Celery: a task's model calls belong to whoever sent the task, on any worker, and to those of the tasks it sends.

``amplitude_ai.web.celery.install()`` once, where the Celery application is made: in what sends tasks and in workers.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from celery import signals

from .._guard import guard
from . import baggage

#: The name of the message header; ``baggage`` itself may be another library's.
HEADER = "amplitude_ai_baggage"
_entered: dict[str, AbstractContextManager[None]] = {}


def install() -> None:
    """Carry the context with every task. Idempotent."""
    signals.before_task_publish.connect(_publish, dispatch_uid="amplitude_ai")
    signals.task_prerun.connect(_begin, dispatch_uid="amplitude_ai")
    signals.task_postrun.connect(_end, dispatch_uid="amplitude_ai")


def uninstall() -> None:
    """Carry it no longer."""
    signals.before_task_publish.disconnect(dispatch_uid="amplitude_ai")
    signals.task_prerun.disconnect(dispatch_uid="amplitude_ai")
    signals.task_postrun.disconnect(dispatch_uid="amplitude_ai")


def _publish(headers: dict[str, Any] | None = None, **_: Any) -> None:
    with guard("celery"):
        carried = baggage.inject()
        if headers is not None and "baggage" in carried:
            headers[HEADER] = carried["baggage"]


def _begin(task_id: str | None = None, task: Any = None, **_: Any) -> None:
    with guard("celery"):
        value = getattr(task.request, HEADER, None) or (task.request.headers or {}).get(HEADER)
        if isinstance(value, str) and task_id is not None:
            scope = baggage.extract({"baggage": value})
            scope.__enter__()
            _entered[task_id] = scope


def _end(task_id: str | None = None, **_: Any) -> None:
    with guard("celery"):
        scope = _entered.pop(task_id or "", None)
        if scope is not None:
            scope.__exit__(None, None, None)
