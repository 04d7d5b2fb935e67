"""What `doctor` looks for: distributions by name, and what is known of each. Data only."""

from __future__ import annotations

#: SDKs of providers whose calls go by HTTP libraries that are watched.
SDKS = (
    *("openai", "anthropic", "google-genai", "google-generativeai", "mistralai", "cohere", "groq", "ollama", "boto3"),
    *("huggingface-hub", "together", "replicate", "fireworks-ai", "cerebras-cloud-sdk", "xai-sdk", "voyageai"),
    *("litellm", "openrouter", "perplexityai", "azure-ai-inference"),
)
FRAMEWORKS = (
    *("langchain-core", "langgraph", "llama-index-core", "pydantic-ai-slim", "pydantic-ai", "openai-agents", "crewai"),
    *("ag2", "autogen-core", "smolagents", "dspy", "haystack-ai", "semantic-kernel", "instructor", "google-adk"),
    *("strands-agents", "agno", "mem0ai", "guidance"),
)
#: Ways past us, and why.
UNSEEN = {
    "grpcio": "gRPC: google-generativeai and Vertex AI use it unless told transport='rest', xai-sdk always",
    "websockets": "WebSockets: realtime and live APIs",
    "claude-agent-sdk": "a program of its own that makes the calls",
    "curl-cffi": "an HTTP library of its own",
    "pycurl": "an HTTP library of its own",
    "tornado": "its own HTTP client",
    "treq": "Twisted's HTTP client",
    "vllm": "models in this process: no call is made",
    "llama-cpp-python": "models in this process: no call is made",
    "transformers": "models in this process: no call is made",
}
#: Others who record the same calls. Nothing breaks, but dashboards that add both count twice.
INSTRUMENTATION = (
    *("langfuse", "langsmith", "ddtrace", "traceloop-sdk", "logfire", "agentops", "arize-phoenix", "helicone", "weave"),
    *("mlflow", "newrelic", "elastic-apm", "sentry-sdk", "braintrust", "openlit", "posthog"),
    *("opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-openai-v2"),
    *("opentelemetry-instrumentation-anthropic", "opentelemetry-instrumentation-httpx"),
    *("opentelemetry-instrumentation-requests", "opentelemetry-instrumentation-urllib3"),
    *("openinference-instrumentation-openai", "openinference-instrumentation-anthropic"),
    *("openinference-instrumentation-langchain",),
)
#: Variables that turn some of them on, with the values that do not.
SWITCHES = {
    "LANGSMITH_TRACING": "langsmith",
    "LANGCHAIN_TRACING_V2": "langsmith",
    "DD_TRACE_ENABLED": "ddtrace",
    "DD_LLMOBS_ENABLED": "ddtrace",
    "OTEL_PYTHON_DISTRO": "opentelemetry-instrument",
    "NEW_RELIC_CONFIG_FILE": "newrelic",
    "LANGFUSE_SECRET_KEY": "langfuse",
}
#: Modules that are loaded before any program's own where a process is started by their launchers.
LAUNCHED = {
    "ddtrace": "ddtrace-run",
    "opentelemetry.instrumentation": "opentelemetry-instrument",
    "newrelic": "newrelic-admin",
}
