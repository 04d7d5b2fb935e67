"""``python -m tests.neighbours.side_by_side NAME URL``: a program of `staged` by events and by spans."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def instrument(name: str, provider: Any) -> None:
    """Have OpenInference watch it too."""
    if name == "openai_agents":
        import agents
        from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

        OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
        agents.set_trace_processors = lambda processors: None  # the program's own wish for none
    else:
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument(tracer_provider=provider)


def main(name: str, url: str) -> None:
    """Run it; print what both have as a line of JSON."""
    os.environ.update(OPENAI_API_KEY="test", OPENAI_BASE_URL=f"{url}/v1")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    import amplitude_ai
    from amplitude_ai.testing import EventList

    events, exporter, provider = EventList(), InMemorySpanExporter(), TracerProvider()
    amplitude_ai.install_transport(amplitude_client=events)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrument(name, provider)
    with amplitude_ai.context(user_id="user-1"):
        importlib.import_module(f"tests.neighbours.staged.{name}").main(url)
    if not amplitude_ai.flush(30):
        raise RuntimeError("flush")
    spans = [
        {"name": one.name, "id": f"{one.context.span_id:016x}", "parent": one.parent and f"{one.parent.span_id:016x}"}
        | {key: value for key, value in one.attributes.items() if isinstance(value, str | int)}
        for one in exporter.get_finished_spans()
    ]
    told = [{"event": one.event_type, **one.event_properties} for one in events.events]
    print("\n" + json.dumps({"events": told, "spans": spans}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
