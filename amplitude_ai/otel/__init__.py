"""OpenTelemetry: the same records as GenAI spans and metrics, through the application's own SDK and exporters.

``amplitude_ai.otel.enable()`` once, after the application has set up OpenTelemetry. Needs ``opentelemetry-api`` (the
extra ``otel``), and an SDK to have any effect.
"""

from __future__ import annotations

from typing import Any

from .._runtime import runtime
from ..sessions import _details

__all__ = ["disable", "enable"]

_NAME = "opentelemetry"


def enable(tracer_provider: Any = None, meter_provider: Any = None) -> None:
    """Make a span of every model call and tool, and metrics of tokens and durations, from now on. Idempotent.

    Args:
        tracer_provider: whose tracer to use; by default OpenTelemetry's global one.
        meter_provider: whose meter to use; by default OpenTelemetry's global one.

    Raises:
        ModuleNotFoundError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import metrics, trace
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "amplitude_ai.otel needs opentelemetry-api: pip install 'amplitude-ai-wire[otel]'", name=error.name
        ) from None
    from ._records import Records

    version = _version()
    tracer = (tracer_provider or trace.get_tracer_provider()).get_tracer("amplitude_ai", version)
    meter = (meter_provider or metrics.get_meter_provider()).get_meter("amplitude_ai", version)
    _details.want(_NAME, True)
    runtime.mirrors[_NAME] = Records(tracer, meter).take


def disable() -> None:
    """Make none any more."""
    runtime.mirrors.pop(_NAME, None)
    _details.want(_NAME, False)


def _version() -> str | None:
    from ..sessions import _events

    return _events.sdk_version()
