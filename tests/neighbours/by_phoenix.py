"""``python -m tests.neighbours.by_phoenix NAME PHOENIX PROJECT``: a program of `second`, told to Phoenix too.

OpenInference's instrumentations send their spans there, by OTLP; events go to the local store, whose views are printed.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from tests.neighbours.second import __main__ as second

#: Instrumentors by program: of the framework, and of the SDK where the framework's counts no tokens.
INSTRUMENTORS = {
    "openai_agents": (("openai_agents", "OpenAIAgentsInstrumentor"), ("openai", "OpenAIInstrumentor")),
    "langgraph": (("langchain", "LangChainInstrumentor"),),
}


def instrument(name: str, provider: Any) -> None:
    """As Phoenix's page says."""
    if name == "openai_agents":
        import agents

        agents.set_trace_processors = lambda processors: None  # the program's own wish for none
    for module, instrumentor in INSTRUMENTORS[name]:
        found = getattr(importlib.import_module(f"openinference.instrumentation.{module}"), instrumentor)
        found().instrument(tracer_provider=provider)


def main(name: str, phoenix: str, project: str) -> None:
    """Run it."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"openinference.project.name": project}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{phoenix}/v1/traces")))
    second.main(name, lambda: instrument(name, provider))
    provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
