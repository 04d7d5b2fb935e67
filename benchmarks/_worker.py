"""One way of watching, in a process of its own: peers patch whole SDKs, so no two of them share one.

``python _worker.py <way>`` prints a line once it is ready. Then each line of stdin, ``<work> <calls>``, is answered
with a line of JSON: nanoseconds of CPU of the calling thread and of the process, and of the clock for each call.
A script, not a module: the official ``amplitude-ai`` has the import name of this package, and lives in another
environment. The transport is in memory, so that no network hides microseconds.
"""

import asyncio
import json
import os
import sys
import tempfile
import time

import httpx

URL = "https://api.openai.com/v1"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Fine. " * 40}}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 80, "total_tokens": 94},
}
CHUNKS = 200
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18"}
STREAM = [
    b"data: " + json.dumps({**HEAD, "choices": [{"index": 0, "delta": {"content": "word "}}]}).encode() + b"\n\n"
    for _ in range(CHUNKS)
]
STREAM += [
    b"data: "
    + json.dumps({**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}).encode()
    + b"\n\n",
    b"data: " + json.dumps({**HEAD, "choices": [], "usage": ANSWER["usage"]}).encode() + b"\n\n",
    b"data: [DONE]\n\n",
]
PLAIN = json.dumps(ANSWER).encode()
HELLO = [{"role": "user", "content": "Hello, how are you today?"}]
HISTORY = [{"role": ("user", "assistant")[i % 2], "content": "x" * 5000} for i in range(20)] + HELLO
IMAGE = "data:image/png;base64," + "A" * 10_000_000
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": IMAGE}}]}]


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A stream's chunks."""

    def __iter__(self):
        yield from STREAM

    async def __aiter__(self):
        for piece in STREAM:
            yield piece


class Memory(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers without a network."""

    def handle_request(self, request):
        if b'"stream":true' in request.content[-200:] or b'"stream":true' in request.content[:200]:
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces())
        return httpx.Response(200, headers={"content-type": "application/json"}, content=PLAIN)

    async def handle_async_request(self, request):
        await asyncio.sleep(0)
        return self.handle_request(request)


class Through(httpx.SyncByteStream):
    """What the least a watching stream can be."""

    def __init__(self, stream):
        self.stream = stream

    def __iter__(self):
        yield from self.stream

    def close(self):
        self.stream.close()


class PassThrough(Memory):
    """The floor of watching at the transport: a transport and a stream that do nothing."""

    def handle_request(self, request):
        response = Memory.handle_request(self, request)
        response.stream = Through(response.stream)
        return response


class Nowhere:
    """An Amplitude client that keeps nothing."""

    def track(self, event):
        pass


def openai_client(http_client, module=None):
    import openai

    maker = (module or openai).OpenAI
    return maker(api_key="sk-test", http_client=http_client, base_url=URL)


def _no_op_provider():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Nothing(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nothing()))
    return provider


def bare():
    return openai_client(httpx.Client(transport=Memory()))


def pass_through():
    return openai_client(httpx.Client(transport=PassThrough()))


def ours_explicit():
    import amplitude_ai

    return openai_client(
        amplitude_ai.instrumented_httpx("httpx", transport=Memory(), amplitude_client=Nowhere(), user_id="user123")
    )


def ours_global():
    import amplitude_ai

    client = openai_client(httpx.Client(transport=Memory()))
    amplitude_ai.install_transport(amplitude_client=Nowhere())
    return client


def ours_spool():
    """To an Amplitude that is away, so that each event is written and stays."""
    os.environ["AMPLITUDE_API_KEY"] = "bench"
    os.environ["AMPLITUDE_SERVER_URL"] = "http://127.0.0.1:9/2/httpapi"
    os.environ["AMPLITUDE_AI_SPOOL"] = os.path.join(tempfile.mkdtemp(), "spool.db")
    import logging

    import amplitude_ai

    logging.disable(logging.CRITICAL)
    return openai_client(amplitude_ai.instrumented_httpx("httpx", transport=Memory(), user_id="user123"))


def langfuse():
    os.environ.update(LANGFUSE_PUBLIC_KEY="pk", LANGFUSE_SECRET_KEY="sk", LANGFUSE_HOST="http://127.0.0.1:9")
    import logging

    from langfuse import openai as watched

    logging.disable(logging.CRITICAL)
    return openai_client(httpx.Client(transport=Memory()), watched)


def posthog():
    import logging

    from posthog import Posthog
    from posthog.ai.openai import OpenAI

    logging.disable(logging.CRITICAL)
    client = Posthog("phc_x", host="http://127.0.0.1:9")
    return OpenAI(api_key="sk-test", http_client=httpx.Client(transport=Memory()), base_url=URL, posthog_client=client)


def openinference():
    from openinference.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=_no_op_provider())
    return openai_client(httpx.Client(transport=Memory()))


def otel_httpx():
    """OpenTelemetry's httpx instrumentation: it reads no tokens."""
    from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

    http_client = httpx.Client(transport=Memory())
    HTTPXClientInstrumentor.instrument_client(http_client, tracer_provider=_no_op_provider())
    return openai_client(http_client)


def logfire():
    import logging

    import logfire as product

    logging.disable(logging.CRITICAL)
    product.configure(send_to_logfire=False, console=False)
    client = openai_client(httpx.Client(transport=Memory()))
    product.instrument_openai(client)
    return client


def traceloop():
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    OpenAIInstrumentor().instrument(tracer_provider=_no_op_provider())
    return openai_client(httpx.Client(transport=Memory()))


def official():
    """Amplitude's own ``amplitude-ai``."""
    import logging

    from amplitude import Amplitude, Config
    from amplitude_ai.providers.openai import OpenAI

    from amplitude_ai import AmplitudeAI

    logging.disable(logging.CRITICAL)
    inner = Amplitude("key", Config(server_url="http://127.0.0.1:9"))
    ai = AmplitudeAI(amplitude=inner)
    client = OpenAI(amplitude=ai, api_key="sk-test", http_client=httpx.Client(transport=Memory()), base_url=URL)
    agent = ai.agent("bench", user_id="user123")
    session = agent.session(session_id="s").__enter__()
    client._bench = (agent, session)
    return client


def call(client, work):
    """One piece of work; returns when the answer was read."""
    chat = client.chat.completions
    if work == "stream":
        options = {"stream_options": {"include_usage": True}}
        for _ in chat.create(model="gpt-4o-mini", messages=HELLO, stream=True, **options):
            pass
    else:
        messages = {"plain": HELLO, "history": HISTORY, "image": PICTURE}[work]
        chat.create(model="gpt-4o-mini", messages=messages)


def main():
    way = sys.argv[1]
    began = time.perf_counter()
    client = globals()[way]()
    print(json.dumps({"ready_ms": (time.perf_counter() - began) * 1000}), flush=True)
    for line in sys.stdin:
        work, calls = line.split()
        walls = []
        cpu, thread = time.process_time_ns(), time.thread_time_ns()
        for _ in range(int(calls)):
            at = time.perf_counter_ns()
            call(client, work)
            walls.append(time.perf_counter_ns() - at)
        thread = time.thread_time_ns() - thread
        if way.startswith("ours"):
            import amplitude_ai

            amplitude_ai.flush(0.0 if way == "ours_spool" else 10)
        time.sleep(0.2)  # what others do in the background, they may do now
        cpu = time.process_time_ns() - cpu
        print(json.dumps({"thread_ns": thread, "process_ns": cpu, "walls_ns": walls}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
