"""The simulator, read by the real SDKs and without amplitude_ai: what they parse is what it says it sent."""

import json
import subprocess
import sys
import time

import anthropic
import httpx
import httpx2
import openai
import pytest
import requests
from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Hello there"}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris?"}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
TEXT = "You said «Hello there» — a simulated answer."


class City(BaseModel):
    """A structured answer."""

    name: str
    people: int


@pytest.fixture
def oai(simulator):
    """A bare OpenAI client."""
    with openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="test", max_retries=2) as client:
        yield client


@pytest.fixture
def claude(simulator):
    """A bare Anthropic client."""
    with anthropic.Anthropic(base_url=simulator.url, api_key="test", max_retries=2) as client:
        yield client


@pytest.fixture
def gemini(simulator):
    """A bare google-genai client."""
    return genai.Client(api_key="test", http_options=genai_types.HttpOptions(base_url=simulator.url))


def told(simulator):
    """The usage of the last answer."""
    return simulator.requests()[-1].told


def listens(url):
    """Whether a simulator answers."""
    try:
        return requests.get(f"{url}/_sim/requests", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_openai_chat(oai, simulator):
    """A plain chat answer: text and usage as the simulator says, input = words + 7."""
    answer = oai.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, len(TEXT.split()))
    assert (told(simulator).input, told(simulator).output) == (9, len(TEXT.split()))


@pytest.mark.parametrize("usage", [True, False])
def test_openai_chat_stream(oai, simulator, usage):
    """A streamed chat answer tells its usage only when asked, in a last chunk without choices."""
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = list(oai.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True, **options))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert (chunks[-1].choices == []) is usage
    assert (told(simulator) is not None) is usage


def test_openai_details(oai):
    """Cached tokens are part of the input, reasoning tokens part of the output."""
    answer = oai.chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": "Hi [sim:cached=100,reasoning=20,reply=one two]"}]
    )
    assert answer.usage.prompt_tokens_details.cached_tokens == 100
    assert answer.usage.prompt_tokens > 100
    assert answer.usage.completion_tokens == 22


@pytest.mark.parametrize("stream", [True, False])
def test_openai_tool_round(oai, stream):
    """A question about the weather calls the tool; its result is answered with text."""
    ask = {"model": "gpt-4o-mini", "tools": [CHAT_TOOL]}
    if stream:
        with oai.chat.completions.stream(messages=WEATHER, **ask) as events:
            call = events.get_final_completion().choices[0].message.tool_calls[0]
    else:
        call = oai.chat.completions.create(messages=WEATHER, **ask).choices[0].message.tool_calls[0]
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    back = [
        *WEATHER,
        {"role": "assistant", "tool_calls": [call.model_dump(include={"id", "type", "function"})]},
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"},
    ]
    assert oai.chat.completions.create(messages=back, **ask).choices[0].message.content == "The tool says: 18 degrees"


def test_openai_parse(oai):
    """Structured answers fit their schema, on both endpoints."""
    parsed = oai.chat.completions.parse(model="gpt-4o-mini", messages=HELLO, response_format=City)
    assert parsed.choices[0].message.parsed == City(name="Paris", people=3)
    assert (
        oai.responses.parse(model="gpt-4o-mini", input="Hi", text_format=City).output_parsed
        == parsed.choices[0].message.parsed
    )


def test_openai_responses(oai, simulator):
    """Responses, plain and streamed, with text and with a tool call."""
    plain = oai.responses.create(model="gpt-4o-mini", input="Hello there")
    assert (plain.output_text, plain.usage.output_tokens) == (TEXT, told(simulator).output)
    with oai.responses.stream(model="gpt-4o-mini", input="Hello there") as events:
        kinds = [event.type for event in events]
        assert events.get_final_response().output_text == TEXT
    assert kinds[-1] == "response.completed"
    tool = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}
    with oai.responses.stream(model="gpt-4o-mini", input="The weather?", tools=[tool]) as events:
        assert json.loads(events.get_final_response().output[0].arguments) == {"city": "Paris"}


def test_openai_others(oai):
    """Completions, embeddings, images, audio, moderations and models are what the SDK expects."""
    assert oai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello there").choices[0].text == TEXT
    chunks = oai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Hello there", stream=True)
    assert "".join(chunk.choices[0].text for chunk in chunks) == TEXT
    embedded = oai.embeddings.create(model="text-embedding-3-small", input=["one two", "three"])
    assert [item.embedding for item in embedded.data] == [[0.25, -0.5, 0.125]] * 2
    assert embedded.usage.prompt_tokens == 10
    assert oai.images.generate(model="gpt-image-1", prompt="A cat").usage.total_tokens > 0
    speech = oai.audio.speech.create(model="tts-1", voice="alloy", input="Hi").read()
    assert speech[:3] == b"ID3"
    heard = oai.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.mp3", speech), prompt="Hi")
    assert heard.usage.type == "tokens"
    assert not oai.moderations.create(input="Hi").results[0].flagged
    assert oai.models.list().data[0].id == "gpt-4o-mini"


def test_azure(simulator):
    """Azure's paths and its first chunk without choices."""
    with openai.AzureOpenAI(azure_endpoint=simulator.url, api_key="test", api_version="2024-10-21") as client:
        chunks = list(client.chat.completions.create(model="my-gpt", messages=HELLO, stream=True))
        assert chunks[0].choices == []
        assert client.embeddings.create(model="my-ada", input="Hi").usage.total_tokens == 8
    assert simulator.requests()[0].path.startswith("/openai/deployments/my-gpt/chat/completions?api-version=")


def test_openai_failures(oai, simulator):
    """Errors carry OpenAI's body; the SDK's retry of ``fail_once`` succeeds; an in-stream error and a cut raise."""
    with pytest.raises(openai.RateLimitError) as limited:
        oai.with_options(max_retries=0).chat.completions.create(
            model="m", messages=HELLO, extra_headers={"x-sim": "status=429"}
        )
    assert (limited.value.code, limited.value.type) == ("rate_limit_exceeded", "rate_limit_error")
    oai.chat.completions.create(model="m", messages=HELLO, extra_headers={"x-sim": "fail_once=429"})
    assert [request.status for request in simulator.requests()] == [429, 429, 200]
    with pytest.raises(openai.APIError, match="server had an error"):
        list(
            oai.chat.completions.create(
                model="m", messages=HELLO, stream=True, extra_headers={"x-sim": "error_in_stream=2"}
            )
        )
    with pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
        list(
            oai.chat.completions.create(model="m", messages=HELLO, stream=True, extra_headers={"x-sim": "cut_stream=2"})
        )
    with pytest.raises(openai.APIConnectionError):
        oai.with_options(max_retries=0).chat.completions.create(
            model="m", messages=HELLO, extra_headers={"x-sim": "cut_body"}
        )
    assert [request.whole for request in simulator.requests()[-3:]] == [False, False, False]


def test_anthropic(claude, simulator):
    """Messages, plain, ``stream=True`` and the helper; input excludes the cache on the wire, not in what is told."""
    ask = {"model": "claude-haiku-4-5", "max_tokens": 100, "extra_headers": {"x-sim": "cached=50,cache_write=7"}}
    plain = claude.messages.create(messages=HELLO, **ask)
    assert (plain.content[0].text, plain.stop_reason) == (TEXT, "end_turn")
    assert (plain.usage.input_tokens, plain.usage.cache_read_input_tokens) == (9, 50)
    assert (told(simulator).input, told(simulator).cached) == (66, 50)
    kinds = [event.type for event in claude.messages.create(messages=HELLO, stream=True, **ask)]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    with claude.messages.stream(messages=HELLO, **ask) as helper:
        final = helper.get_final_message()
    assert (final.content[0].text, final.usage.output_tokens) == (TEXT, told(simulator).output)
    assert claude.messages.count_tokens(model="claude-haiku-4-5", messages=HELLO).input_tokens == 9
    assert claude.models.list().data[0].type == "model"


def test_anthropic_tools(claude):
    """A streamed tool call, and the text after its result."""
    ask = {
        "model": "claude-haiku-4-5",
        "max_tokens": 100,
        "tools": [{"name": "get_weather", "input_schema": PARAMETERS}],
    }
    with claude.messages.stream(messages=WEATHER, **ask) as helper:
        called = helper.get_final_message()
    use = called.content[0]
    assert (called.stop_reason, use.name, use.input) == ("tool_use", "get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "18 degrees"}
    back = [*WEATHER, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    assert claude.messages.create(messages=back, **ask).content[0].text == "The tool says: 18 degrees"


def test_anthropic_failures(claude, simulator):
    """Errors carry Anthropic's body, before and after HTTP 200; a retry succeeds."""
    ask = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": HELLO}
    with pytest.raises(anthropic.InternalServerError) as failed:
        claude.with_options(max_retries=0).messages.create(**ask, extra_headers={"x-sim": "status=529"})
    assert failed.value.body["error"]["type"] == "overloaded_error"
    assert claude.messages.create(**ask, extra_headers={"x-sim": "fail_once=429"}).content
    with pytest.raises(anthropic.APIStatusError, match="overloaded"):
        list(claude.messages.create(**ask, stream=True, extra_headers={"x-sim": "error_in_stream=3"}))
    assert [request.status for request in simulator.requests()] == [529, 429, 200, 200]


def test_gemini(gemini, simulator):
    """Gemini, plain and streamed; thoughts are outside the candidates on the wire."""
    ask = {"model": "gemini-2.5-flash", "contents": "Hello there"}
    plain = gemini.models.generate_content(**ask)
    assert (plain.text, plain.usage_metadata.prompt_token_count) == (TEXT, 9)
    assert "".join(part.text for part in gemini.models.generate_content_stream(**ask)) == TEXT
    thinking = gemini.models.generate_content(model="gemini-2.5-flash", contents="[sim:reasoning=5,reply=yes]")
    assert (thinking.usage_metadata.candidates_token_count, thinking.usage_metadata.thoughts_token_count) == (1, 5)
    assert (told(simulator).output, told(simulator).reasoning) == (6, 5)
    assert gemini.models.count_tokens(**ask).total_tokens == 9
    assert gemini.models.embed_content(model="gemini-embedding-001", contents="Hi").embeddings[0].values
    structured = gemini.models.generate_content(
        **ask, config={"response_mime_type": "application/json", "response_schema": City}
    )
    assert structured.parsed == City(name="Paris", people=3)


async def test_gemini_async(gemini):
    """The async client (aiohttp where it is installed) reads the stream too."""
    stream = await gemini.aio.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello there")
    assert "".join([part.text async for part in stream]) == TEXT
    await gemini.aio.aclose()


def test_gemini_tools_and_failures(gemini, simulator):
    """google-genai runs the tool itself and sends its result back; errors carry Google's body."""
    asked = []

    def get_weather(city: str) -> str:
        """The weather of a city."""
        asked.append(city)
        return "18 degrees"

    answer = gemini.models.generate_content(
        model="gemini-2.5-flash", contents="The weather?", config={"tools": [get_weather]}
    )
    assert (asked, answer.text) == (["Paris"], "The tool says: 18 degrees")
    with pytest.raises(genai_errors.ClientError) as failed:
        gemini.models.generate_content(model="gemini-2.5-flash", contents="[sim:status=429]")
    assert (failed.value.code, failed.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(genai_errors.APIError):
        list(gemini.models.generate_content_stream(model="gemini-2.5-flash", contents="[sim:error_in_stream=2]"))
    retrying = genai.Client(
        api_key="test",
        http_options=genai_types.HttpOptions(
            base_url=simulator.url, retry_options=genai_types.HttpRetryOptions(attempts=2, initial_delay=0.01)
        ),
    )
    assert retrying.models.generate_content(model="gemini-2.5-flash", contents="[sim:fail_once=503]").text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("library", [httpx, httpx2, requests])
def test_encodings(simulator, encoding, stream, library):
    """Every content-encoding is read by every HTTP library, plain and streamed, cut into 5-byte pieces."""
    body = {"model": "m", "messages": HELLO, "stream": stream}
    headers = {"x-sim": f"encoding={encoding}" + (",split=5" if stream else "")}
    answer = library.post(f"{simulator.url}/v1/chat/completions", json=body, headers=headers)
    assert answer.headers["content-encoding"] == encoding
    assert "simulated" in answer.text
    assert ("[DONE]" in answer.text) is stream


def test_gemini_array(simulator):
    """Without ``alt=sse`` the stream is one JSON array."""
    url = f"{simulator.url}/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    elements = requests.post(url, json={"contents": [{"parts": [{"text": "Hello there"}]}]}).json()
    assert "".join(element["candidates"][0]["content"]["parts"][0]["text"] for element in elements) == TEXT


def test_slow_and_long(simulator):
    """``delay_headers``, ``slow`` and ``chunks``: the time and the length asked for."""
    ask = {"model": "m", "messages": HELLO, "stream": True}
    answer = httpx2.post(
        f"{simulator.url}/v1/chat/completions", json=ask, headers={"x-sim": "delay_headers=0.05,slow=0.01,chunks=4"}
    )
    assert answer.elapsed.total_seconds() >= 0.05 + 6 * 0.01
    assert answer.text.count("data: ") == 4 + 3


def test_keep_alive(simulator):
    """One connection carries plain answers, errors and streams one after the other."""
    with httpx2.Client(limits=httpx2.Limits(max_connections=1)) as client:
        for stream, how in [(False, ""), (False, "status=500"), (True, ""), (True, "error_in_stream=1"), (False, "")]:
            ask = {"model": "m", "messages": HELLO, "stream": stream}
            client.post(f"{simulator.url}/v1/chat/completions", json=ask, headers={"x-sim": how})
        pool = client._transport._pool
        assert len(pool.connections) == 1
    assert len(simulator.requests()) == 5


def test_bad_directive(oai):
    """A typo in a directive fails loudly."""
    with pytest.raises(openai.BadRequestError, match="unknown directive 'replly'"):
        oai.chat.completions.create(model="m", messages=[{"role": "user", "content": "[sim:replly=x]"}])


def test_standard_library_only():
    """The simulator's process loads nothing but the standard library."""
    # -S: a .pth file of an environment may load more before the first line runs.
    code = "import sys, tests.simulator.server; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    foreign = {name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert foreign <= {"tests"}


def test_google_generativeai(simulator):
    """The older SDK, over REST: enums are numbers, and a stream is one JSON array."""
    old = pytest.importorskip("google.generativeai")
    old.configure(api_key="test", transport="rest", client_options={"api_endpoint": simulator.url})

    def get_weather(city: str):
        """The weather of a city."""

    model = old.GenerativeModel("gemini-2.5-flash", tools=[get_weather])
    stream = model.generate_content("Hello there", stream=True)
    assert "".join(chunk.text for chunk in stream) == TEXT
    assert stream.usage_metadata.candidates_token_count == told(simulator).output
    assert model.generate_content("The weather?").parts[0].function_call.args["city"] == "Paris"
    assert all("alt=sse" not in request.path for request in simulator.requests())


def test_dies_with_its_parent():
    """Killing the process that started it, without a chance to clean up, ends the simulator too."""
    code = "from tests.simulator import Simulator; print(Simulator().start().url, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        url = parent.stdout.readline().strip()
        assert requests.get(f"{url}/_sim/requests", timeout=5).json() == []
        parent.kill()
    deadline = time.monotonic() + 5
    while listens(url):
        assert time.monotonic() < deadline
