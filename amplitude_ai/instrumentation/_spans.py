"""OpenTelemetry's spans know their parents by id alone. Hooked here, the way from a call up to its agent is known.

No span processor: one that is added to a provider is seen by whoever looks at it, and Phoenix's provider takes the
first that is added for the application's own choice, and drops its exporter.
"""

from __future__ import annotations

import functools
from typing import Any

from .._guard import report
from .._surroundings import remember_parent


def watched_start_span(original: Any, current_span: Any) -> Any:
    """``Tracer.start_span``, which remembers what the span it starts is under.

    Args:
        original: the method.
        current_span: ``opentelemetry.trace.get_current_span``.
    """

    @functools.wraps(original)
    def start_span(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = original(self, *args, **kwargs)
        try:
            if span.is_recording():
                parent = current_span(args[1] if len(args) > 1 else kwargs.get("context"))
                if parent.is_recording():
                    remember_parent(span, parent)
        except Exception as exc:
            report("spans", exc)
        return span

    return start_span
