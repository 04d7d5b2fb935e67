"""Three plugins for any ``amplitude.Amplitude``, whoever tracked the event: complete and guard, filter, measure.

They touch the five AI events only. They run in the order they are added, so `AIObservabilityPlugin` comes first: the
other two then see costs and totals. An error in them is counted, and neither raised nor the end of the event. Importing
this module imports amplitude.
"""

from __future__ import annotations

from ._filter import AIEventFilterPlugin
from ._metrics import AIMetricsPlugin
from ._observability import AIObservabilityPlugin

__all__ = ["AIEventFilterPlugin", "AIMetricsPlugin", "AIObservabilityPlugin"]
