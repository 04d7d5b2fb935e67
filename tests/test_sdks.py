"""Real SDKs and bare HTTP clients over real sockets: each call is one record, with the tokens the server sent.

Every case is written once, for both colours (`settled`, `items`), and runs by an explicit transport, by the global
hook, and by both at once.
"""

import asyncio
import inspect

import httpx
import httpx2
import pytest
import requests

import amplitude_ai
from amplitude_ai.testing import EventList

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")
genai = pytest.importorskip("google.genai")
pydantic = pytest.importorskip("pydantic")
#: The major that moved to httpx2.
MOVED = {openai: 3, anthropic: 1, genai: 3}

HELLO = [{"role": "user", "content": "Hello there, how are you?"}]
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": HELLO}


async def settled(value):
    """What a call gives, awaited where the client is async."""
    return await value if inspect.isawaitable(value) else value


async def items(stream):
    """The items of a stream of either colour."""
    if hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


async def inside(manager, use):
    """``use(value)`` within a context manager of either colour."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            return await settled(use(value))
    with manager as value:
        return await settled(use(value))


class City(pydantic.BaseModel):
    """A structured answer."""

    city: str


async def chat(client):
    """A plain chat."""
    await settled(client.chat.completions.create(**CHAT))


async def chat_stream(client):
    """A stream that tells no usage."""
    await items(await settled(client.chat.completions.create(**CHAT, stream=True)))


async def chat_stream_usage(client):
    """A stream that tells its usage in a last chunk."""
    await items(
        await settled(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    )


async def chat_parse(client):
    """The parse helper."""
    await settled(client.chat.completions.parse(**CHAT, response_format=City))


async def chat_raw(client):
    """The raw response, parsed by hand."""
    raw = await settled(client.chat.completions.with_raw_response.create(**CHAT))
    assert (await settled(raw.parse())).usage


async def chat_streaming_response(client):
    """The response as a stream of bytes."""
    manager = client.chat.completions.with_streaming_response.create(**CHAT)
    assert await inside(manager, lambda response: response.read())


async def responses(client):
    """A plain response."""
    await settled(client.responses.create(model="gpt-5-mini", input="Hello"))


async def responses_stream(client):
    """A streamed response."""
    await items(await settled(client.responses.create(model="gpt-5-mini", input="Hello", stream=True)))


async def responses_parse(client):
    """The parse helper of responses."""
    await settled(client.responses.parse(model="gpt-5-mini", input="Hello", text_format=City))


async def messages(client):
    """A plain message."""
    await settled(client.messages.create(**MESSAGE))


async def messages_stream(client):
    """A raw stream of events."""
    await items(await settled(client.messages.create(**MESSAGE, stream=True)))


async def messages_helper(client):
    """The streaming helper and its final message."""
    assert (await inside(client.messages.stream(**MESSAGE), lambda stream: stream.get_final_message())).usage


async def messages_raw(client):
    """The raw response."""
    raw = await settled(client.messages.with_raw_response.create(**MESSAGE))
    assert (await settled(raw.parse())).usage


async def gemini(client):
    """A plain answer."""
    await settled(client.models.generate_content(model="gemini-2.5-flash", contents="Hello"))


async def gemini_stream(client):
    """A streamed answer."""
    made = client.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello")
    await items(await settled(made))


OPENAI = [
    *(chat, chat_stream, chat_stream_usage, chat_parse, chat_raw, chat_streaming_response),
    *(responses, responses_stream, responses_parse),
]
ANTHROPIC = [messages, messages_stream, messages_helper, messages_raw]
GEMINI = [gemini, gemini_stream]
STREAMED = (chat_stream, chat_stream_usage, responses_stream, messages_stream, messages_helper, gemini_stream)


def library_of(sdk):
    """The HTTP library that this version of an SDK runs on."""
    return "httpx2" if int(sdk.__version__.partition(".")[0]) >= MOVED[sdk] else "httpx"


def openai_client(url, colour, http):
    """An OpenAI client of the simulator."""
    http = http(colour, library_of(openai))
    made = openai.OpenAI if colour == "sync" else openai.AsyncOpenAI
    return made(base_url=f"{url}/v1", api_key="test", max_retries=0, http_client=http)


def anthropic_client(url, colour, http):
    """An Anthropic client of the simulator."""
    http = http(colour, library_of(anthropic))
    made = anthropic.Anthropic if colour == "sync" else anthropic.AsyncAnthropic
    return made(base_url=url, api_key="test", max_retries=0, http_client=http)


def genai_client(url, colour, http):
    """A google-genai client of the simulator, of one colour."""
    library = library_of(genai)
    http = http(colour, library)
    if http is None and colour == "async":  # else it may choose aiohttp
        http = {"httpx2": httpx2, "httpx": httpx}[library].AsyncClient()
    given = {"httpx_client": http} if colour == "sync" else {"httpx_async_client": http}
    client = genai.Client(api_key="test", http_options=genai.types.HttpOptions(base_url=url, **given))
    return client if colour == "sync" else client.aio


CASES = [
    pytest.param(make, colour, case, id=f"{case.__name__}-{colour}")
    for make, cases in ((openai_client, OPENAI), (anthropic_client, ANTHROPIC), (genai_client, GEMINI))
    for colour in ("sync", "async")
    for case in cases
]


@pytest.fixture(params=["explicit", "global", "both"])
def way(request):
    """How the client is watched, and the events that come of it."""
    events = EventList()
    if request.param != "explicit":
        amplitude_ai.install_transport(amplitude_client=events, user_id="someone")

    def http(colour, library):
        if request.param == "global":
            return None
        make = amplitude_ai.instrumented_httpx if colour == "sync" else amplitude_ai.instrumented_async_httpx
        return make(library, amplitude_client=events, user_id="someone")

    yield http, events
    amplitude_ai.uninstall_transport()


def check(simulator, events):
    """One record of the one request, with what the simulator says it told."""
    assert amplitude_ai.flush()
    (received,) = simulator.requests()
    (record,) = events.of_type("llm_message")
    told = received.told
    assert record["success"] is True
    assert record["model_name"] == received.model
    assert record.get("input_tokens") == (told.input if told else None)
    assert record.get("output_tokens") == (told.output if told else None)
    assert record.get("cached_input_tokens", 0) == (told.cached if told else 0)
    return record


@pytest.mark.parametrize(("make", "colour", "case"), CASES)
def test_each_call_is_one_record(simulator, way, make, colour, case):
    """Whatever the SDK's form of the call, it is one record, equal to the server's books."""
    http, events = way

    async def drive():
        client = make(simulator.url, colour, http)
        await case(client)

    asyncio.run(drive())
    record = check(simulator, events)
    assert record["is_streaming"] is (case in STREAMED)
    assert ("time_to_first_token_ms" in record) is (case in STREAMED)


def _post(make):
    def case(url):
        with make() as client:
            return client.post(f"{url}/v1/chat/completions", json=CHAT)

    return case


async def _post_async(client, url):
    async with client:
        return await client.post(f"{url}/v1/chat/completions", json=CHAT)


BARE = {
    "httpx2": (amplitude_ai.instrumented_httpx, httpx2.Client, "httpx2"),
    "httpx": (amplitude_ai.instrumented_httpx, httpx.Client, "httpx"),
    "httpx2-async": (amplitude_ai.instrumented_async_httpx, httpx2.AsyncClient, "httpx2"),
    "httpx-async": (amplitude_ai.instrumented_async_httpx, httpx.AsyncClient, "httpx"),
    "requests": (amplitude_ai.instrumented_requests, requests.Session, None),
}


@pytest.mark.parametrize("name", BARE)
@pytest.mark.parametrize("how", ["explicit", "global", "both", "instrument"])
def test_bare_clients(simulator, name, how):
    """A hand-written request is one record, however the client came to be watched."""
    instrumented, plain, library = BARE[name]
    events = EventList()
    told = {"amplitude_client": events, "user_id": "someone"}
    if how in ("global", "both"):
        amplitude_ai.install_transport(**told)
    try:
        if how in ("explicit", "both"):
            client = instrumented(**({"library": library} if library else {}), **told)
        else:
            client = plain()
        if how == "instrument":
            amplitude_ai.instrument(client, **told)
        if "async" in name:
            answer = asyncio.run(_post_async(client, simulator.url))
        else:
            answer = _post(lambda: client)(simulator.url)
    finally:
        amplitude_ai.uninstall_transport()
    assert answer.json()["usage"]
    check(simulator, events)


def test_a_retry_is_a_record_of_its_own(simulator):
    """Each attempt that crossed the wire is told, with its number; the run counts one message."""
    events = EventList()
    http = amplitude_ai.instrumented_httpx(library_of(openai), amplitude_client=events)
    client = openai.OpenAI(base_url=f"{simulator.url}/v1", api_key="test", max_retries=1, http_client=http)
    client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi [sim:fail_once=500]"}]
    )
    http.close()
    assert amplitude_ai.flush()
    told = [(one["attempt"], one["success"], one["http_status"]) for one in events.of_type("llm_message")]
    assert told == [(0, False, 500), (1, True, 200)]
    (finished,) = events.of_type("llm_run_finished")
    assert (finished["total_messages"], finished["total_errors"]) == (1, 1)
