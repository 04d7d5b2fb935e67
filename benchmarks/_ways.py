"""The ways of watching. Each function makes what it watches, as its documentation says; see `Way`."""

import logging
import os
import tempfile

import httpx
import httpx2
from _memory import transports

MEMORY, PASS_THROUGH = transports(httpx)
MEMORY2, PASS_THROUGH2 = transports(httpx2)
KEYS = {"api_key": "sk-test", "max_retries": 0}


class Nowhere:
    """An Amplitude client that keeps nothing."""

    def track(self, event):
        pass


class Way:
    """The clients of one way of watching; what a way does not have is ``None``.

    Args:
        openai: makes ``OpenAI``.
        async_openai: makes ``AsyncOpenAI``.
        anthropic: makes ``Anthropic``.
        other: a plain ``httpx.Client``, for what is no model call; only where the way watches the whole process.
        flush: waits for what is done in the background.
    """

    def __init__(self, openai, async_openai, anthropic=None, other=None, flush=lambda: None):
        self.openai = openai
        self.async_openai = async_openai
        self.anthropic = anthropic
        self.other = other
        self.flush = flush


def _sdks(memory=MEMORY, memory2=MEMORY2, wrap=lambda client: client):
    import anthropic
    import openai

    return (
        wrap(openai.OpenAI(http_client=httpx.Client(transport=memory), **KEYS)),
        wrap(openai.AsyncOpenAI(http_client=httpx.AsyncClient(transport=memory), **KEYS)),
        wrap(anthropic.Anthropic(http_client=httpx2.Client(transport=memory2), **KEYS)),
    )


def bare():
    return Way(*_sdks(), other=httpx.Client(transport=MEMORY))


def pass_through():
    return Way(*_sdks(PASS_THROUGH, PASS_THROUGH2), other=httpx.Client(transport=PASS_THROUGH))


def ours_explicit():
    import anthropic
    import openai

    import amplitude_ai

    to = {"amplitude_client": Nowhere(), "user_id": "user123"}
    clients = (
        amplitude_ai.instrumented_httpx("httpx", transport=MEMORY, **to),
        amplitude_ai.instrumented_async_httpx("httpx", transport=MEMORY, **to),
        amplitude_ai.instrumented_httpx("httpx2", transport=MEMORY2, **to),
    )
    return Way(
        openai.OpenAI(http_client=clients[0], **KEYS),
        openai.AsyncOpenAI(http_client=clients[1], **KEYS),
        anthropic.Anthropic(http_client=clients[2], **KEYS),
        flush=lambda: amplitude_ai.flush(10),
    )


def ours_global():
    import amplitude_ai

    amplitude_ai.install_transport(amplitude_client=Nowhere())
    return Way(*_sdks(), other=httpx.Client(transport=MEMORY), flush=lambda: amplitude_ai.flush(10))


def ours_spool():
    """To an Amplitude that is away, so that each event is written and stays."""
    os.environ["AMPLITUDE_API_KEY"] = "bench"
    os.environ["AMPLITUDE_SERVER_URL"] = "http://127.0.0.1:9/2/httpapi"
    os.environ["AMPLITUDE_AI_SPOOL"] = os.path.join(tempfile.mkdtemp(), "spool.db")
    import amplitude_ai

    logging.disable(logging.CRITICAL)
    amplitude_ai.install_transport()
    return Way(*_sdks(), other=httpx.Client(transport=MEMORY), flush=lambda: amplitude_ai.flush(0.3))


def langfuse():
    """It has no wrapper for anthropic; it says to use OpenTelemetry's."""
    os.environ.update(LANGFUSE_PUBLIC_KEY="pk", LANGFUSE_SECRET_KEY="sk", LANGFUSE_HOST="http://127.0.0.1:9")
    from langfuse import openai as watched

    logging.disable(logging.CRITICAL)
    return Way(
        watched.OpenAI(http_client=httpx.Client(transport=MEMORY), **KEYS),
        watched.AsyncOpenAI(http_client=httpx.AsyncClient(transport=MEMORY), **KEYS),
    )


def posthog():
    from posthog import Posthog
    from posthog.ai.anthropic import Anthropic
    from posthog.ai.openai import AsyncOpenAI, OpenAI

    logging.disable(logging.CRITICAL)
    to = {"posthog_client": Posthog("phc_x", host="http://127.0.0.1:9"), **KEYS}
    return Way(
        OpenAI(http_client=httpx.Client(transport=MEMORY), **to),
        AsyncOpenAI(http_client=httpx.AsyncClient(transport=MEMORY), **to),
        Anthropic(http_client=httpx2.Client(transport=MEMORY2), **to),
    )


def _no_op_provider():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nothing(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nothing()))
    return provider


def otel_httpx():
    """It reads no tokens. httpx only: anthropic's httpx2 it does not know."""
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

    HTTPXClientInstrumentor().instrument(tracer_provider=_no_op_provider())
    clients = _sdks()[:2]
    other = httpx.Client(transport=MEMORY)
    return Way(*clients, other=other)


def openinference():
    from openinference.instrumentation.anthropic import AnthropicInstrumentor
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=_no_op_provider())
    AnthropicInstrumentor().instrument(tracer_provider=_no_op_provider())
    return Way(*_sdks())


def traceloop():
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=_no_op_provider())
    AnthropicInstrumentor().instrument(tracer_provider=_no_op_provider())
    return Way(*_sdks())


def logfire():
    import logfire as product

    logging.disable(logging.CRITICAL)
    product.configure(send_to_logfire=False, console=False)
    clients = _sdks()
    for client in clients[:2]:
        product.instrument_openai(client)
    product.instrument_anthropic(clients[2])
    return Way(*clients)


def official():
    """Amplitude's own ``amplitude-ai``; its Anthropic takes the client that it is to watch."""
    from amplitude import Amplitude, Config
    from amplitude_ai.providers.anthropic import Anthropic
    from amplitude_ai.providers.openai import AsyncOpenAI, OpenAI

    from amplitude_ai import AmplitudeAI

    logging.disable(logging.CRITICAL)
    ai = AmplitudeAI(amplitude=Amplitude("key", Config(server_url="http://127.0.0.1:9")))
    global session  # it is a context manager, and ends when nobody holds it
    session = ai.agent("bench", user_id="user123").session(session_id="s")
    session.__enter__()
    return Way(
        OpenAI(amplitude=ai, http_client=httpx.Client(transport=MEMORY), **KEYS),
        AsyncOpenAI(amplitude=ai, http_client=httpx.AsyncClient(transport=MEMORY), **KEYS),
        Anthropic(amplitude=ai, http_client=httpx2.Client(transport=MEMORY2), **KEYS),
    )
