"""The neighbours of the matrix: how each is switched on and off, and how many requests it has seen.

Each is a class of its own because each has an API of its own; knows nothing of `amplitude_ai`.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from typing import Any

from ._calls import CHAT

ANSWER = '{"model": "gpt-4o", "choices": [{"message": {"content": "Mocked"}}], "usage": {"prompt_tokens": 3}}'
ALL = ("httpx", "httpx-async", "requests", "urllib3", "aiohttp", "http-client", "httplib2")


class Neighbour:
    """One other package that reaches into the HTTP libraries.

    Attributes:
        environment: that has it (`_environments`).
        needs: modules that must be there.
        libraries: it knows of.
        answers: requests are answered here, none reaches the server.
        replaces: libraries whose method it replaces: when it comes after us, nobody below sees the call.
        restores: libraries whose method it sets back to what it had found, whoever came in between.
        stays: libraries where it cannot be switched off while somebody who came later is there.
    """

    environment = "instrumentations"
    needs: tuple[str, ...]
    libraries: tuple[str, ...]
    answers = False
    replaces: tuple[str, ...] = ()
    restores: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()

    def __init__(self, url: str) -> None:
        self.url = url

    def on(self) -> None:
        """Switch on."""
        raise NotImplementedError

    def off(self) -> None:
        """Switch off, where the package can be."""

    def seen(self) -> int:
        """How many requests (spans, calls, episodes) it has seen."""
        raise NotImplementedError


class OpenTelemetry(Neighbour):
    """The four instrumentors of opentelemetry-python-contrib."""

    library, instrumentor = "", ""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        module = importlib.import_module(self.needs[0])
        self.made = getattr(module, self.instrumentor)()

    def on(self) -> None:
        self.made.instrument(tracer_provider=self.provider)

    def off(self) -> None:
        self.made.uninstrument()

    def seen(self) -> int:
        return len(self.exporter.get_finished_spans())


class OpenTelemetryHttpx(OpenTelemetry):
    needs = ("opentelemetry.instrumentation.httpx",)
    instrumentor = "HTTPXClientInstrumentor"
    libraries = ("httpx", "httpx-async")


class OpenTelemetryRequests(OpenTelemetry):
    needs = ("opentelemetry.instrumentation.requests",)
    instrumentor = "RequestsInstrumentor"
    libraries = ("requests",)


class OpenTelemetryUrllib3(OpenTelemetry):
    needs = ("opentelemetry.instrumentation.urllib3",)
    instrumentor = "URLLib3Instrumentor"
    libraries = ("urllib3", "requests")
    stays = ("urllib3", "requests")


class OpenTelemetryUrllib(OpenTelemetry):
    needs = ("opentelemetry.instrumentation.urllib",)
    instrumentor = "URLLibInstrumentor"
    libraries = ("http-client",)


class OpenTelemetryAiohttp(OpenTelemetry):
    needs = ("opentelemetry.instrumentation.aiohttp_client",)
    instrumentor = "AioHttpClientInstrumentor"
    libraries = ("aiohttp",)


class Sentry(Neighbour):
    """sentry-sdk with the integrations it switches on by itself; it has no way off."""

    needs = ("sentry_sdk",)
    libraries = (*ALL, "httpx2")
    transaction: Any = None

    def on(self) -> None:
        import sentry_sdk

        if self.transaction is None:
            sentry_sdk.init(
                dsn="http://key@127.0.0.1:9/1", traces_sample_rate=1.0, transport=_Nowhere, shutdown_timeout=0
            )
            self.transaction = sentry_sdk.start_transaction(name="matrix", op="test")
            self.transaction.__enter__()

    def seen(self) -> int:
        return 0 if self.transaction is None else len(self.transaction._span_recorder.spans)


def _Nowhere(*args: Any, **kwargs: Any) -> None:
    """Where Sentry's events go."""


class Ddtrace(Neighbour):
    """ddtrace's patches of the libraries."""

    needs = ("ddtrace",)
    libraries = ALL
    names = ("httpx", "requests", "urllib3", "aiohttp", "httplib")

    def __init__(self, url: str) -> None:
        super().__init__(url)
        os.environ.update(
            DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
            DD_REMOTE_CONFIGURATION_ENABLED="false",
            DD_TRACE_STARTUP_LOGS="false",
            DD_TRACE_AGENT_URL="http://127.0.0.1:9",
        )
        from ddtrace.trace import TraceFilter, tracer

        self.spans = 0
        outer = self

        class Count(TraceFilter):
            def process_trace(self, trace: Any) -> None:
                outer.spans += len(trace)

        tracer.configure(trace_processors=[Count()])

    def on(self) -> None:
        import ddtrace

        ddtrace.patch(raise_errors=True, **dict.fromkeys(self.names, True))

    def off(self) -> None:
        for name in self.names:
            importlib.import_module(f"ddtrace.contrib.internal.{name}.patch").unpatch()

    def seen(self) -> int:
        return self.spans


class Logfire(Neighbour):
    """Pydantic Logfire's ``instrument_*``; switched off by OpenTelemetry's instrumentors, on which it stands."""

    needs = ("logfire",)
    libraries = ("httpx", "httpx-async", "requests", "aiohttp")

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import logfire
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        logfire.configure(
            send_to_logfire=False,
            console=False,
            metrics=False,
            additional_span_processors=[SimpleSpanProcessor(self.exporter)],
        )

    def on(self) -> None:
        import logfire

        logfire.instrument_httpx()
        logfire.instrument_requests()
        logfire.instrument_aiohttp_client()

    def off(self) -> None:
        from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
        from opentelemetry.instrumentation.requests import RequestsInstrumentor

        for made in (HTTPXClientInstrumentor(), RequestsInstrumentor(), AioHttpClientInstrumentor()):
            made.uninstrument()

    def seen(self) -> int:
        return len(self.exporter.get_finished_spans())


class Elastic(Neighbour):
    """Elastic APM's agent."""

    needs = ("elasticapm",)
    libraries = ALL
    restores = ("requests", "urllib3", "aiohttp")

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import elasticapm

        self.spans = 0
        self.client = elasticapm.Client(
            service_name="matrix", server_url="http://127.0.0.1:9", disable_send=True, metrics_interval="0ms"
        )
        self.client.queue = self._queue

    def _queue(self, kind: str, data: Any, flush: bool = False) -> None:
        self.spans += kind == "span"

    def on(self) -> None:
        import elasticapm

        elasticapm.instrument()
        self.client.begin_transaction("test")

    def off(self) -> None:
        import elasticapm

        elasticapm.uninstrument()
        self.client.end_transaction("matrix", "done")

    def seen(self) -> int:
        return self.spans


class Vcr(Neighbour):
    """vcrpy, recording."""

    needs = ("vcr",)
    libraries = ALL
    restores = ("aiohttp",)
    mode = "all"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.cassettes: list[Any] = []
        self.folder = tempfile.mkdtemp()

    def on(self) -> None:
        import vcr

        place = os.path.join(self.folder, f"{len(self.cassettes)}.yaml")
        self.entered = vcr.use_cassette(place, record_mode=self.mode)
        self.cassettes.append(self.entered.__enter__())

    def off(self) -> None:
        self.entered.__exit__(None, None, None)

    def seen(self) -> int:
        return sum(len(cassette.data) for cassette in self.cassettes)


class Respx(Neighbour):
    """respx, in the way its ``mock`` works by default."""

    needs = ("respx",)
    libraries = ("httpx", "httpx-async")
    answers = True
    using = "httpcore"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import httpx
        import respx

        self.router = respx.MockRouter(assert_all_called=False, using=self.using)
        self.router.post(url + CHAT).mock(
            return_value=httpx.Response(200, text=ANSWER, headers={"content-type": "application/json"})
        )
        self.router.post(url + "/other").mock(return_value=httpx.Response(404, text="no"))

    def on(self) -> None:
        self.router.start()

    def off(self) -> None:
        self.router.stop(clear=False, reset=False)

    def seen(self) -> int:
        return int(self.router.calls.call_count)


class RespxHttpx(Respx):
    using = "httpx"


class Responses(Neighbour):
    """responses."""

    needs = ("responses",)
    libraries = ("requests",)
    answers = True

    def __init__(self, url: str) -> None:
        super().__init__(url)
        import responses

        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.count = 0

    def on(self) -> None:
        self.mock.start()
        self.mock.add("POST", self.url + CHAT, body=ANSWER, content_type="application/json")
        self.mock.add("POST", self.url + "/other", body="no", status=404)

    def off(self) -> None:
        self.count += len(self.mock.calls)
        self.mock.stop()
        self.mock.reset()

    def seen(self) -> int:
        return self.count + len(self.mock.calls)


class Pook(Neighbour):
    """pook, which replaces methods of all the libraries at once; its answers to aiohttp have a body without end."""

    needs = ("pook",)
    libraries = ("httpx", "httpx-async", "requests", "urllib3")
    answers = True
    replaces = restores = ("urllib3",)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.mocks: list[Any] = []

    def on(self) -> None:
        import pook

        pook.on()
        self.mocks += [
            pook.post(self.url + CHAT, reply=200, response_type="json", response_body=ANSWER, persist=True),
            pook.post(self.url + "/other", reply=404, response_body="no", persist=True),
        ]

    def off(self) -> None:
        import pook

        pook.off()

    def seen(self) -> int:
        return sum(mock.calls for mock in self.mocks)


class Aioresponses(Neighbour):
    """aioresponses, which replaces ``ClientSession._request``; its newest cannot make responses of aiohttp 3.14."""

    environment = "aiohttp-mocks"
    needs = ("aioresponses",)
    libraries = ("aiohttp",)
    answers = True
    replaces = restores = ("aiohttp",)

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.count = 0
        self.mock: Any = None

    def on(self) -> None:
        from aioresponses import aioresponses

        self.mock = aioresponses()
        self.mock.start()
        self.mock.post(self.url + CHAT, body=ANSWER, content_type="application/json", repeat=True)
        self.mock.post(self.url + "/other", body="no", status=404, repeat=True)

    def off(self) -> None:
        self.count = self.seen()
        self.mock.stop()
        self.mock = None

    def seen(self) -> int:
        return self.count + (sum(map(len, self.mock.requests.values())) if self.mock else 0)


NEIGHBOURS: dict[str, type[Neighbour]] = {
    "opentelemetry-httpx": OpenTelemetryHttpx,
    "opentelemetry-requests": OpenTelemetryRequests,
    "opentelemetry-urllib3": OpenTelemetryUrllib3,
    "opentelemetry-urllib": OpenTelemetryUrllib,
    "opentelemetry-aiohttp": OpenTelemetryAiohttp,
    "sentry": Sentry,
    "ddtrace": Ddtrace,
    "logfire": Logfire,
    "elastic": Elastic,
    "vcrpy": Vcr,
    "respx": Respx,
    "respx-httpx": RespxHttpx,
    "responses": Responses,
    "pook": Pook,
    "aioresponses": Aioresponses,
}
