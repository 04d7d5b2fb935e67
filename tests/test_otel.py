"""The same records as OpenTelemetry's GenAI spans and metrics, through the application's own SDK."""

import json

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import otel
from amplitude_ai._models import Event
from amplitude_ai.testing import EventList

pytest.importorskip("opentelemetry.sdk")

from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from amplitude_ai.otel._records import Records

CALL = {"id": "call-1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
TOOL = {"type": "function", "function": {"name": "weather", "description": "w", "parameters": {"type": "object"}}}


def answer(message, finish, usage, status=200):
    body = {
        "id": "c-1",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": usage,
    }
    return httpx2.Response(status, json=body)


ASKS = answer(
    {"content": None, "tool_calls": [CALL]},
    "tool_calls",
    {
        "prompt_tokens": 50,
        "completion_tokens": 10,
        "total_tokens": 60,
        "prompt_tokens_details": {"cached_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 6},
    },
)
SUNNY = answer({"content": "Sunny."}, "stop", {"prompt_tokens": 70, "completion_tokens": 3, "total_tokens": 73})
ERROR = httpx2.Response(429, json={"error": {"message": "Slow down.", "type": "rate_limit_error"}})
FIRST = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather in Paris?"}]
SECOND = [
    *FIRST,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call-1", "content": "sunny"},
]


class Program:
    """One that has set up OpenTelemetry, and calls a model."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("the application")
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader])
        self.seen = EventList()

    def run(self, *exchanges, config=None, path="/v1/chat/completions", session_id="s-1"):
        """Make calls: (messages or body, response)."""
        answers = [response for _, response in exchanges]
        transport = httpx2.MockTransport(lambda request: answers.pop(0))
        with amplitude_ai.instrumented_httpx(
            transport=transport, amplitude_client=self.seen, ai_config=config, session_id=session_id, user_id="ann-1"
        ) as client:
            for said, _ in exchanges:
                body = said if isinstance(said, dict) else {"model": "gpt-4o-mini", "messages": said, "tools": [TOOL]}
                client.post("https://api.openai.com" + path, json=body)
        amplitude_ai.flush()
        return self.spans()

    def spans(self):
        return [span for span in self.exporter.get_finished_spans() if span.name != "around"]

    def metrics(self):
        """{name: [(attributes, count, sum)]}"""
        found = {}
        data = self.reader.get_metrics_data()
        for metric in (m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics):
            found[metric.name] = [(dict(p.attributes), p.count, p.sum) for p in metric.data.data_points]
        return found


@pytest.fixture
def program():
    made = Program()
    otel.enable(made.provider, made.meters)
    yield made
    otel.disable()


def test_one_span_per_call_and_tool(program):
    """A conversation with a tool is three spans; the tool's is a child of the call that asked for it."""
    asks, tool, sunny = program.run((FIRST, ASKS), (SECOND, SUNNY))
    assert [span.name for span in (asks, tool, sunny)] == [
        "chat gpt-4o-mini",
        "execute_tool weather",
        "chat gpt-4o-mini",
    ]
    assert (asks.kind, tool.kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)
    assert tool.parent.span_id == asks.context.span_id
    assert asks.end_time > asks.start_time


def test_attributes_of_a_call(program):
    """Every attribute, by the conventions' current names; what the provider did not tell is absent."""
    span, *_ = program.run((FIRST, ASKS))
    attributes = dict(span.attributes)
    assert json.loads(attributes.pop("gen_ai.input.messages")) == [
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}
    ]
    assert json.loads(attributes.pop("gen_ai.output.messages")) == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "call-1", "name": "weather", "arguments": {"city": "Paris"}}],
            "finish_reason": "tool_calls",
        }
    ]
    assert json.loads(attributes.pop("gen_ai.system_instructions")) == [{"type": "text", "content": "Be brief."}]
    assert json.loads(attributes.pop("gen_ai.tool.definitions"))[0]["name"] == "weather"
    assert attributes.pop("gen_ai.usage.cost") > 0
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.conversation.id": "s-1",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "c-1",
        "gen_ai.response.finish_reasons": ("tool_calls",),
        "gen_ai.request.stream": False,
        "gen_ai.usage.input_tokens": 50,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 6,
        "http.response.status_code": 200,
        "http.request.resend_count": 0,
        "server.address": "api.openai.com",
        "enduser.id": "ann-1",
        "user.id": "ann-1",
    }


def test_attributes_of_a_tool(program):
    """Name, id, arguments and result, where content may be kept."""
    _, tool, _ = program.run((FIRST, ASKS), (SECOND, SUNNY))
    assert {name: value for name, value in tool.attributes.items() if name.startswith("gen_ai.tool")} == {
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call-1",
        "gen_ai.tool.call.arguments": '{"city":"Paris"}',
        "gen_ai.tool.call.result": "sunny",
    }
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"


def test_a_failed_call_is_an_error(program):
    """Status, ``error.type`` and the provider's words; no tokens, which nobody told."""
    (span,) = program.run((FIRST, ERROR))
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "Slow down.")
    assert span.attributes["error.type"] == "rate_limit_error"
    assert not [name for name in span.attributes if "usage" in name or "finish" in name]


def test_the_span_around_is_the_parent(program):
    """The span that is current when the call is made is the parent, in its trace; events carry the same ids."""
    with trace.use_span(program.tracer.start_span("around"), end_on_exit=True) as around:
        asks, tool, sunny = program.run((FIRST, ASKS), (SECOND, SUNNY))
    context = around.get_span_context()
    assert asks.parent.span_id == sunny.parent.span_id == context.span_id
    assert {span.context.trace_id for span in (asks, tool, sunny)} == {context.trace_id}
    said = [event.event_properties for event in program.seen.events]
    assert {one["trace_id"] for one in said} == {f"{context.trace_id:032x}"}
    assert {one["span_id"] for one in said} == {f"{context.span_id:016x}"}


def test_without_a_span_around_a_call_is_a_root(program):
    """Nothing that happens to be current on the worker's thread becomes a parent."""
    span, *_ = program.run((FIRST, SUNNY))
    assert span.parent is None
    records = Records(program.tracer, program.meters.get_meter("x"))
    with trace.use_span(program.tracer.start_span("around"), end_on_exit=True):
        records.take(Event("llm_message", 1, "id", {"model_name": "m"}))
    assert program.spans()[-1].parent is None


def test_no_content_where_there_is_to_be_none(program):
    """With privacy no text of anyone is in any attribute."""
    spans = program.run((FIRST, ASKS), (SECOND, SUNNY), (FIRST, ERROR), config=amplitude_ai.AIConfig(privacy_mode=True))
    assert len(spans) == 4
    told = json.dumps([(dict(span.attributes), span.status.description) for span in spans])
    for text in ("Weather", "Be brief", "Paris", "sunny", "Sunny", "Slow", "object"):
        assert text not in told, text


def test_metrics(program):
    """Tokens by kind and durations, in the conventions' units, with attributes that have few values."""
    program.run((FIRST, SUNNY), (FIRST, ERROR))
    metrics = program.metrics()
    tokens = {attributes["gen_ai.token.type"]: total for attributes, _, total in metrics["gen_ai.client.token.usage"]}
    assert tokens == {"input": 70, "output": 3}
    durations = metrics["gen_ai.client.operation.duration"]
    assert sorted(attributes.get("error.type", "") for attributes, _, _ in durations) == ["", "rate_limit_error"]
    assert all(0 < total < 60 for _, _, total in durations)
    names = {name for points in metrics.values() for attributes, _, _ in points for name in attributes}
    assert not names & {"user.id", "enduser.id", "gen_ai.conversation.id", "gen_ai.response.id"}


def test_a_stream_has_its_first_chunk(program):
    """Time to the first token is an attribute and a metric, in seconds."""
    frames = [
        {"choices": [{"delta": {"content": "Hi"}, "finish_reason": None}], "model": "gpt-4o-mini"},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "model": "gpt-4o-mini"},
    ]
    body = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames) + "data: [DONE]\n\n"
    streamed = httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=body)
    (span,) = program.run(({"model": "gpt-4o-mini", "messages": FIRST, "stream": True}, streamed))
    assert span.attributes["gen_ai.request.stream"] is True
    assert 0 < span.attributes["gen_ai.response.time_to_first_chunk"] < 60
    ((_, count, total),) = program.metrics()["gen_ai.client.operation.time_to_first_chunk"]
    assert count == 1
    assert 0 < total < 60


def test_other_operations(program):
    """An embedding is an ``embeddings`` span."""
    response = httpx2.Response(
        200, json={"data": [], "model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    )
    (span,) = program.run(({"model": "text-embedding-3-small", "input": "x"}, response), path="/v1/embeddings")
    assert span.name == "embeddings text-embedding-3-small"
    assert span.attributes["gen_ai.usage.input_tokens"] == 4


def test_told_by_hand(program):
    """What is told by hand is a span as well, that ends when it was told."""
    amplitude_ai.emit_llm_message(
        program.seen, model_provider="mistral", model_name="m", output_content="Hi", input_tokens=3, latency_ms=250.0
    )
    amplitude_ai.flush()
    (span,) = program.spans()
    assert span.attributes["gen_ai.provider.name"] == "mistral_ai"
    assert (span.end_time - span.start_time) == 250_000_000


@pytest.mark.swallows
def test_a_broken_exporter_costs_nothing(program):
    """An exporter or processor that raises, or exits, loses its span; the event arrives all the same."""

    class Broken(SpanExporter):
        def export(self, spans):
            raise SystemExit

        def shutdown(self):
            return SpanExportResult.SUCCESS

    program.provider.add_span_processor(SimpleSpanProcessor(Broken()))
    program.run((FIRST, SUNNY))
    assert [event.event_type for event in program.seen.events if event.event_type == "llm_message"] == ["llm_message"]


def test_disabled_is_off(program):
    """After `disable` nothing is made; enabling twice makes each span once."""
    otel.enable(program.provider, program.meters)
    assert len(program.run((FIRST, SUNNY))) == 1
    otel.disable()
    assert len(program.run((FIRST, SUNNY))) == 1
