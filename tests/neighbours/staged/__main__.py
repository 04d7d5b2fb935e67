"""``python -m tests.neighbours.staged NAME URL [traced]``: run one, print its events as a line of JSON.

``traced``: with a tracer provider that sends nothing, and OpenInference's instrumentation where it is needed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def trace(name: str) -> None:
    """As the framework's page says; no exporter is needed."""
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace import TracerProvider

    os.environ["SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS"] = "true"
    api.set_tracer_provider(TracerProvider())
    if name == "agno":
        importlib.import_module("openinference.instrumentation.agno").AgnoInstrumentor().instrument()


def main(name: str, url: str, *how: str) -> None:
    """Run it."""
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1", GOOGLE_API_KEY="test")
    import amplitude_ai
    from amplitude_ai import _guard
    from amplitude_ai.testing import EventList

    events = EventList()
    _guard.on_internal_error = lambda stage, exc: print(f"swallowed at {stage}: {exc!r}", file=sys.stderr)
    amplitude_ai.install_transport(amplitude_client=events)
    if how:
        trace(name)
    with amplitude_ai.context(user_id="user-1"):
        importlib.import_module(f"{__package__}.{name}").main(url)
    if not amplitude_ai.flush(30):
        raise RuntimeError("flush")
    told = [{"event": one.event_type, **one.event_properties} for one in events.events]
    print("\n" + json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
