"""aiohttp: the same bytes and exceptions as without us, one record a call, whatever way it is read and ends."""

import asyncio
import gc
import inspect
import json
import re
import socket
from contextlib import closing

import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

aiohttp = pytest.importorskip("aiohttp")

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}]}
STREAM = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
VOLATILE = re.compile(rb'"(id|created|system_fingerprint)": ?("[^"]*"|\d+)')


async def by_read(response):
    """All at once."""
    return await response.read()


async def by_any(response):
    """As it comes."""
    return b"".join([piece async for piece in response.content.iter_any()])


async def by_size(response):
    """In small pieces."""
    return b"".join([piece async for piece in response.content.iter_chunked(150)])


async def by_chunk(response):
    """As it was chunked."""
    return b"".join([piece async for piece, _ in response.content.iter_chunks()])


async def by_line(response):
    """Line by line, as SSE readers do."""
    return b"".join([line async for line in response.content])


async def by_count(response):
    """More than there is, exactly."""
    try:
        return await response.content.readexactly(10**6)
    except asyncio.IncompleteReadError as exc:
        return exc.partial


WAYS = [by_read, by_any, by_size, by_chunk, by_line, by_count]


@pytest.fixture(params=["explicit", "global", "both"])
def watched(request):
    """(makes a watched session, its events)."""
    events = EventList()
    told = {"amplitude_client": events, "user_id": "ann"}
    if request.param != "explicit":
        amplitude_ai.install_transport(**told)

    def session(**options):
        made = aiohttp.ClientSession(**options)
        return made if request.param == "global" else amplitude_ai.instrument(made, **told)

    yield session, events
    amplitude_ai.uninstall_transport()


def one(events):
    """The one record."""
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    return record


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_every_way_of_reading(simulator, watched, way, encoding):
    """The bytes are those of an unwatched session, and one record has the server's tokens."""
    make, events = watched
    url, headers = f"{simulator.url}/v1/chat/completions", {"x-sim": f"encoding={encoding}" if encoding else "chunks=9"}
    bodies = []
    for session in (make(), aiohttp.ClientSession()):
        # The bare session is bare: no hook while it runs.
        async with session, session.post(url, json=STREAM, headers=headers) as response:
            bodies.append(VOLATILE.sub(b"", await way(response)))
        if len(bodies) == 1:
            amplitude_ai.uninstall_transport()
    assert bodies[0] == bodies[1]
    record, told = one(events), simulator.requests()[0].told
    assert (record["input_tokens"], record["output_tokens"]) == (told.input, told.output)
    assert record["is_streaming"] is True
    assert record["time_to_first_token_ms"] > 0
    assert record["success"] is True


async def test_a_plain_call(simulator, watched):
    """JSON in, JSON out; our header says whose it is and never reaches the server."""
    make, events = watched
    async with make() as session:
        headers = {"X-Amplitude-User-Id": "bob"}
        response = await session.post(f"{simulator.url}/v1/chat/completions", json=BODY, headers=headers)
        assert (await response.json())["usage"]
    assert one(events)["input_content"] == "Hello there"
    assert {event.user_id for event in events.events if event.event_type == "llm_message"} == {"bob"}
    (received,) = simulator.requests()
    assert not any(name.startswith("x-amplitude") for name in received.headers)


@pytest.mark.parametrize("data", [json.dumps(BODY), json.dumps(BODY).encode()], ids=["text", "bytes"])
async def test_other_bodies(simulator, watched, data):
    """Text and bytes are read as JSON bodies are."""
    make, events = watched
    url = f"{simulator.url}/v1/chat/completions"
    async with make(headers={"content-type": "application/json"}) as session, session.post(url, data=data) as response:
        await response.read()
    assert one(events)["requested_model"] == "gpt-4o-mini"


async def _error(session, url, headers, **options):
    try:
        async with session.post(url, json=BODY, headers=headers, **options) as response:
            await response.read()
    except Exception as exc:
        return type(exc), re.sub(r"port \d+|:\d+", "", str(exc))
    return None


@pytest.mark.parametrize(
    ("directive", "options", "expected"),
    [
        ("status=404", {}, {"http_status": 404, "error_type": "invalid_request_error"}),
        ("status=503", {"raise_for_status": True}, {"http_status": 503, "error_type": "http_503"}),
        ("cut_body", {}, {"http_status": 200, "error_type": "ClientPayloadError"}),
        ("delay_headers=2", {"timeout": aiohttp.ClientTimeout(total=0.2)}, {"error_type": "TimeoutError"}),
        (None, {}, {"error_type": "ClientConnectorError"}),
    ],
    ids=["404", "raise_for_status", "cut", "time-out", "refused"],
)
async def test_failures(simulator, watched, directive, options, expected):
    """The application's exception is the unwatched session's; the record says what went wrong."""
    make, events = watched
    url = f"{simulator.url}/v1/chat/completions"
    if directive is None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{probe.getsockname()[1]}/v1/chat/completions"
    headers = {"x-sim": directive} if directive else {}
    async with make() as session:
        seen = await _error(session, url, headers, **options)
    amplitude_ai.uninstall_transport()
    async with aiohttp.ClientSession() as session:
        assert await _error(session, url, headers, **options) == seen
    record = one(events)
    assert record["success"] is False
    assert {name: record.get(name) for name in expected} == expected


@pytest.mark.parametrize("how", ["break", "cancel", "drop"])
async def test_a_stream_that_is_left(simulator, watched, how):
    """Left, cancelled, or dropped without a word: one record that says so."""
    make, events = watched
    session = make()
    reached = asyncio.Event()

    async def read():
        headers = {"x-sim": "slow=0.02,chunks=40"}
        response = await session.post(f"{simulator.url}/v1/chat/completions", json=STREAM, headers=headers)
        if how == "drop":
            await response.content.readany()
            return
        async with response:
            async for _ in response.content.iter_any():
                reached.set()
                if how == "break":
                    break

    task = asyncio.ensure_future(read())
    if how == "cancel":
        await reached.wait()
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    del task
    await session.close()
    await asyncio.sleep(0.05)  # until the loop lets go of the connection, which holds the response
    gc.collect()
    record = one(events)
    assert record["stream_aborted"] is True
    assert record["success"] is (how != "cancel")
    assert record.get("error_type") == ("CancelledError" if how == "cancel" else None)


async def test_other_traffic_is_left_alone(simulator, watched):
    """No stand-in where there is nothing to watch."""
    make, events = watched
    async with make() as session, session.get(f"{simulator.url}/v1/models") as response:
        assert type(response.content) is aiohttp.StreamReader
        await response.read()
    assert amplitude_ai.flush()
    assert events.of_type("llm_message") == []


def test_uninstalling_leaves_nothing_behind():
    """The classes have the attributes they had, object for object."""
    owners = [aiohttp.ClientSession, aiohttp.ClientRequest]
    before = [{name: id(value) for name, value in vars(owner).items()} for owner in owners]
    amplitude_ai.install_transport()
    amplitude_ai.uninstall_transport()
    assert [{name: id(value) for name, value in vars(owner).items()} for owner in owners] == before


def test_the_signature_stays(watched):
    """google-genai passes only the options that ``_request`` names."""
    assert watched
    names = set(inspect.signature(aiohttp.ClientSession._request).parameters)
    assert {"timeout", "ssl", "proxy", "data", "headers"} <= names


async def test_google_genai_over_aiohttp(simulator, watched):
    """Its async client, which sends by aiohttp where that is installed, is one record a call under the hook."""
    genai = pytest.importorskip("google.genai")
    _, events = watched
    client = genai.Client(api_key="test", http_options={"base_url": simulator.url})
    asked = {"model": "gemini-2.5-flash", "contents": "Hello"}
    await client.aio.models.generate_content(**asked)
    async for _ in await client.aio.models.generate_content_stream(**asked):
        pass
    await client.aio.aclose()
    assert amplitude_ai.flush()
    records = events.of_type("llm_message")
    if not records:
        pytest.skip("explicit sessions alone: google-genai makes its own")
    told = [received.told for received in simulator.requests()]
    assert [(one["input_tokens"], one["output_tokens"]) for one in records] == [(t.input, t.output) for t in told]


@pytest.mark.parametrize("when", ["before", "after", "twice"])
async def test_a_middleware_that_calls_the_session(simulator, watched, when):
    """A token or an embedding asked for on the way, or a second try: each call is its own record, nothing is mixed."""
    if "middlewares" not in inspect.signature(aiohttp.ClientSession).parameters:
        pytest.skip("this aiohttp has no middlewares")
    make, events = watched
    own = {"model": "text-embedding-3-small", "input": "Hello"}

    async def middleware(request, handler):
        if request.url.path.endswith("embeddings"):
            return await handler(request)

        async def ask():
            async with session.post(f"{simulator.url}/v1/embeddings", json=own) as response:
                return await response.read()

        if when == "before":
            await ask()
        response = await handler(request)
        if when == "twice":
            await response.read()
            response = await handler(request)
        if when == "after":
            await ask()
        return response

    async with make(middlewares=(middleware,)) as session:
        response = await session.post(f"{simulator.url}/v1/chat/completions", json=BODY)
        answer = await response.json()
    assert amplitude_ai.flush()
    records = {one["requested_model"]: one for one in events.of_type("llm_message")}
    assert len(events.of_type("llm_message")) == (1 if when == "twice" else 2)
    assert records["gpt-4o-mini"]["input_tokens"] == answer["usage"]["prompt_tokens"]
    assert records["gpt-4o-mini"]["output_content"] == answer["choices"][0]["message"]["content"]
    assert when == "twice" or records["text-embedding-3-small"]["endpoint"].endswith("embeddings")


async def test_what_is_put_on_the_class_later_is_used(simulator, watched, monkeypatch):
    """A mock or another instrumentation that replaces ``ClientSession._request`` after us sees the call."""
    make, events = watched
    seen = []
    async with make() as session:
        original = aiohttp.ClientSession._request

        async def mocked(self, method, url, **options):
            seen.append(url)
            return await original(self, method, url, **options)

        monkeypatch.setattr(aiohttp.ClientSession, "_request", mocked)
        async with session.post(f"{simulator.url}/v1/chat/completions", json=BODY) as response:
            await response.read()
    assert len(seen) == 1
    assert one(events)["success"] is True


async def test_our_headers_reach_no_server(watched, bare_server):
    """Not on calls that are no model calls either."""
    make, _ = watched
    async with make() as session:
        for path in ("/v1/chat/completions", "/anything"):
            async with session.post(
                bare_server.url + path, json=BODY, headers={"X-Amplitude-User-Id": "ann"}
            ) as response:
                await response.read()
    assert len(bare_server.got) == 2
    assert not [name for got in bare_server.got for name, _ in got if name.lower().startswith("x-amplitude")]
