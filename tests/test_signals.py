"""What only the wire sees: substitution, cache breaks, loops, savings, speed."""

import asyncio
import json
import time
from dataclasses import replace

import httpx2
import pytest

import amplitude_ai
from amplitude_ai import _clock
from amplitude_ai._config import AIConfig
from amplitude_ai._models import Binding, Message, ToolCall, Usage
from amplitude_ai.sessions._runs import RunRegistry
from amplitude_ai.sessions._signals import is_substituted
from amplitude_ai.testing import EventList

from .records import call, exchange, only


@pytest.mark.parametrize(
    ("asked", "answered", "expected"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", False),
        ("gpt-4", "gpt-4-0613", False),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", False),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022", False),
        ("models/gemini-2.5-flash", "gemini-2.5-flash-preview-05-20", False),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022", False),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-20250514", False),
        ("openai/gpt-4o-mini", "gpt-4o-mini", False),
        ("meta-llama/llama-3.3-70b-instruct:free", "meta-llama/llama-3.3-70b-instruct", False),
        ("llama3", "llama3:latest", False),
        ("gpt-4o", "gpt-4o-mini-2024-07-18", True),
        ("deepseek-v3", "deepseek-v2", True),
        ("claude-opus-4-1", "claude-sonnet-4-5-20250929", True),
        ("llama3:8b", "llama3:70b", True),
        ("openrouter/auto", "anthropic/claude-3.5-sonnet", None),
        ("gpt-4-turbo-preview", "gpt-4-0125-preview", None),
        ("tgi", "meta-llama/Llama-3.1-8B-Instruct", None),
        ("gpt-4o", None, None),
    ],
)
def test_another_model(asked, answered, expected):
    """A dated snapshot is the model that was asked for; what names none cannot be substituted."""
    assert is_substituted(call("Hello", requested_model=asked, model=answered)) is expected


@pytest.mark.parametrize("provider", ["azure", "databricks", "sagemaker"])
def test_a_deployments_name_says_nothing(provider):
    """The users of Azure, and of Databricks' and SageMaker's endpoints, choose it."""
    assert is_substituted(call("Hello", requested_model="my-deployment", model="gpt-4o", provider=provider)) is None


@pytest.fixture
def told():
    """Records a call of one client, and gives its answer's properties."""
    book, binding = RunRegistry(), Binding()
    numbers = iter(range(0, 100_000, 1000))

    def record(*said, body=None, **changes):
        at = next(numbers)
        where = exchange(at, binding=binding, body=body or b"%d" % at, latency_ms=100)
        return only(book.record(call(*said, **changes), where), "llm_message")

    return record


TOOLS = ({"type": "function", "function": {"name": "a", "parameters": {}}}, {"name": "b", "input_schema": {}})
SYSTEM = Message("system", "Be brief.")
FINE = Message("assistant", "Fine.")


@pytest.mark.parametrize("part", ["-preview-12-2024", "-1234-12-2024", "-1234", ":v1:1", "-preview"])
def test_a_name_of_many_parts_takes_no_time(part):
    """Whoever answers may call themselves as they like; a name that long names none."""
    started = time.process_time()
    for many in (10, 16, 60, 60_000):
        name = f"gpt-4o{part * many}x"
        expected = None if len(name) > 256 or "preview" in part else True
        assert is_substituted(call("Hello", requested_model=name, model="gpt-4o")) is expected
    assert time.process_time() - started < 1


def test_why_a_cache_missed(told):
    """The first part that changed against the last request; none while requests only grow."""
    breaks = [
        told(SYSTEM, "One", tool_definitions=TOOLS).get("cache_break"),
        told(SYSTEM, "One", FINE, "Two", tool_definitions=TOOLS).get("cache_break"),
        told(SYSTEM, "One", FINE, "Other", tool_definitions=TOOLS).get("cache_break"),
        told(Message("system", "It is 12:01."), "One", FINE, "Other", tool_definitions=TOOLS).get("cache_break"),
        told(Message("system", "It is 12:01."), "One", FINE, "Other", tool_definitions=TOOLS[::-1]).get("cache_break"),
        told("One", FINE, "Other", requested_model="o3").get("cache_break"),
    ]
    assert breaks == [None, None, "message 2", "system", "tools", "model"]


def test_what_a_prompt_is_made_of(told):
    """Hashes that are the same for the same parts; the names of tools in any format; the share that was sent before."""
    first = told(SYSTEM, "12345", tool_definitions=TOOLS)
    second = told(SYSTEM, "12345", Message("assistant", "123"), "12", tool_definitions=TOOLS)
    assert first["tool_names"] == "a, b"
    assert (first["system_prompt_hash"], first["tools_hash"]) == (second["system_prompt_hash"], second["tools_hash"])
    assert ("resent_share" in first, second["resent_share"]) == (False, 0.5)
    assert not {"system_prompt_hash", "tools_hash", "tool_names"} & told("Hello").keys()


def test_loops(told):
    """The same request, and the same tool with the same arguments, are counted."""
    assert [told("Go", body=b"same")["repeat_count"] for _ in range(3)] == [1, 2, 3]
    assert told("Go", body=b"other")["repeat_count"] == 1
    book, binding = RunRegistry(), Binding()
    asks = [ToolCall("search", f"c{n}", {"q": "x" if n < 2 else "y"}) for n in range(3)]
    events = book.record(call("Go", tool_calls=tuple(asks)), exchange(binding=binding))
    events += book.release_tools(0)
    assert [e.properties["repeat_count"] for e in events if e.event_type == "tool_called"] == [1, 2, 1]


def test_loops_of_tools_that_run_elsewhere():
    """A provider's own tools, and those that a framework ran, asked for or not."""
    book, binding = RunRegistry(), Binding()
    search = ToolCall("web_search", None, {"q": "x"}, executed=True)
    asked = ToolCall("look", "c1", {"q": "x"})
    events = book.record(call("Go", tool_calls=(search, search, asked)), exchange(binding=binding))
    events += book.record_tool(replace(asked, executed=True), exchange(200, binding=binding))
    events += book.record_tool(replace(search, id="c2"), exchange(400, binding=binding))
    counts = [
        (e.properties["tool_name"], e.properties["repeat_count"]) for e in events if e.event_type == "tool_called"
    ]
    assert counts == [("web_search", 1), ("web_search", 2), ("look", 1), ("web_search", 3)]


def test_a_system_prompt_is_told_once(told):
    """With the run's first call that has it; as privacy has it."""
    first, again = (told(Message("system", "Be brief."), text) for text in ("One", "Two"))
    other = told(Message("system", "Be kind."), "Three")
    assert (first["system_prompt"], other["system_prompt"]) == ("Be brief.", "Be kind.")
    assert "system_prompt" not in again
    assert again["system_prompt_hash"] == first["system_prompt_hash"] != other["system_prompt_hash"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (AIConfig(privacy_mode=True), None),
        (AIConfig(exclude_input=True), None),
        (AIConfig(max_content_length=8), "Be br..."),
        (AIConfig(redact=lambda text: text.upper()), "BE BRIEF."),
    ],
)
def test_a_system_prompt_is_content(config, expected):
    """It is left out, cut and redacted as a prompt is."""
    binding = Binding(config=config)
    said = only(
        RunRegistry().record(call(Message("system", "Be brief."), "Hi"), exchange(binding=binding)), "llm_message"
    )
    assert said.get("system_prompt") == expected


def test_what_a_cache_saved(told):
    """At the prices of the call: the difference to full input."""
    cached = told("Hello", usage=Usage(1000, 20, cached_input_tokens=800))
    plain = told("Hello again", usage=Usage(1000, 20))
    assert cached["cache_savings_usd"] == pytest.approx(plain["cost_usd"] - cached["cost_usd"])
    assert "cache_savings_usd" not in plain


def test_how_fast_it_wrote(told):
    """Tokens a second after the first; not of what was left early, nor of what came at once."""
    streamed = {"streaming": True, "time_to_first_token_ms": 50.0, "usage": Usage(10, 20)}
    assert told("Hello", **streamed)["output_tokens_per_second"] == 400
    assert "output_tokens_per_second" not in told("Hello", **streamed, complete=False)
    assert "output_tokens_per_second" not in told("Hello")


def test_how_long_it_paused(monkeypatch):
    """From the chunks of a stream, by a clock that goes on while it is read; plain answers have no pauses."""
    clock, events = [0], EventList()
    monkeypatch.setattr(_clock, "perf_ns", lambda: clock[0] * 1_000_000)

    class Slow(httpx2.SyncByteStream):
        def __iter__(self):
            for number in range(100):
                clock[0] += 2500 if number == 90 else 10
                piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}
                yield f"data: {json.dumps(piece)}\n\n".encode()
            yield b"data: [DONE]\n\n"

    def answer(request):
        streams = b'"stream"' in request.content
        plain = {"id": "d", "model": "m", "choices": [{"message": {"role": "assistant", "content": "a"}}]}
        kind = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=kind, stream=Slow()) if streams else httpx2.Response(200, json=plain)

    with amplitude_ai.instrumented_httpx(
        transport=httpx2.MockTransport(answer), amplitude_client=events, session_id="s"
    ) as client:
        for more in ({"stream": True}, {}):
            body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **more}
            client.post("https://api.openai.com/v1/chat/completions", json=body)
    assert amplitude_ai.flush()
    streamed, plain = events.of_type("llm_message")
    assert (streamed["max_gap_ms"], streamed["stall_count"]) == (2500, 1)
    assert not {"max_gap_ms", "stall_count"} & plain.keys()


def test_agents_have_prompts_of_their_own():
    """Two agents of one run take turns: neither breaks the other's cache."""
    book, binding = RunRegistry(), Binding()
    found = []
    for number, agent in enumerate(["a", "b", "a", "b"]):
        where = exchange(number * 1000, binding=binding, body=b"%d" % number)
        where = replace(where, context=replace(where.context, properties={"agent": agent}))
        found.append(only(book.record(call(Message("system", agent), "Hello"), where), "llm_message"))
    assert [one.get("cache_break") for one in found] == [None] * 4


class Paced(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """Four pieces; the server takes 100 ms for each."""

    def __init__(self, clock):
        self.clock = clock

    def pieces(self):
        for number in range(4):
            self.clock[0] += 100
            piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": f"{number}"}}]}
            yield f"data: {json.dumps(piece)}\n\n".encode()

    def __iter__(self):
        return self.pieces()

    async def __aiter__(self):
        for piece in self.pieces():
            yield piece


def read_slowly(clock, events, *, is_async, stop_after):
    """Its reader takes 3 s with each piece."""
    headers = {"content-type": "text/event-stream", "openai-processing-ms": "30"}

    def answer(request):
        clock[0] += 50
        return httpx2.Response(200, headers=headers, stream=Paced(clock))

    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    told = {"transport": httpx2.MockTransport(answer), "amplitude_client": events}

    def seen(number):
        clock[0] += 3000
        return number == stop_after

    async def read():
        async with (
            amplitude_ai.instrumented_async_httpx(**told) as client,
            client.stream("POST", "https://api.openai.com/v1/chat/completions", json=body) as response,
        ):
            number = 0
            async for _ in response.aiter_raw():
                number += 1
                if seen(number):
                    break

    if is_async:
        asyncio.run(read())
    else:
        with (
            amplitude_ai.instrumented_httpx(**told) as client,
            client.stream("POST", "https://api.openai.com/v1/chat/completions", json=body) as response,
        ):
            for number, _ in enumerate(response.iter_raw(), 1):
                if seen(number):
                    break
    assert amplitude_ai.flush()
    return events.of_type("llm_message")[0]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("stop_after", "pieces"), [(None, 4), (2, 2)])
def test_a_slow_reader_is_told_from_a_slow_server(monkeypatch, is_async, stop_after, pieces):
    """Its own time apart, also with the piece at which it let go; the stream has not stalled."""
    clock = [0.0]
    monkeypatch.setattr(_clock, "perf_ns", lambda: round(clock[0] * 1e6))
    said = read_slowly(clock, EventList(), is_async=is_async, stop_after=stop_after)
    assert said["read_after_ms"] == 3000 * pieces
    assert said["latency_ms"] == 50 + 3100 * pieces
    assert (said["max_gap_ms"], said["stall_count"]) == (100, 0)
    assert (said["time_to_headers_ms"], said["provider_processing_ms"]) == (50, 30)
