"""get_openai() and get_azure_openai(), with the installed openai (1, 2 or 3) against the simulator."""

import asyncio
import gc
import inspect
import sys
import unittest.mock

import pytest

import amplitude_ai
from amplitude_ai.clients.openai import get_azure_openai, get_openai
from amplitude_ai.testing import EventList

from .clients_common import http_library

openai = pytest.importorskip("openai")
ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def make(simulator, seen):
    """Makes a client of the simulator; everything it makes is closed at the end."""
    made = []

    def make(cls=None, **options):
        client = (cls or get_openai()[0])(
            api_key="test", base_url=f"{simulator.url}/v1", **{"max_retries": 0} | options
        )
        made.append(client)
        return client

    yield make
    for client in made:
        if not inspect.iscoroutinefunction(client.close):
            client.close()


def test_subclasses(make):
    """The classes are openai's own, by isinstance and by name, and are made once."""
    OpenAI, AsyncOpenAI = get_openai()
    assert get_openai() == (OpenAI, AsyncOpenAI)
    assert issubclass(OpenAI, openai.OpenAI)
    assert issubclass(AsyncOpenAI, openai.AsyncOpenAI)
    client = make()
    assert isinstance(client, openai.OpenAI)
    assert isinstance(client.chat.completions, openai.resources.chat.Completions)
    assert type(client).__name__ == "OpenAI"


def test_keywords_of_a_request(make, seen, simulator):
    """The four keywords reach the record, and nothing of them the wire."""
    client = make(amplitude_user_id="default-user", amplitude_session_id="default-session")
    client.chat.completions.create(**ASK)
    assert (seen.last.user_id, seen.last.session_id, seen.last.privacy_mode) == (
        "default-user",
        "default-session",
        None,
    )
    client.chat.completions.create(
        **ASK,
        extra_headers={"x-mine": "1"},
        amplitude_user_id="ユーザー",
        amplitude_session_id="s1",
        amplitude_privacy_mode=True,
        amplitude_properties={"tier": "pro"},
    )
    said = seen.last
    assert (said.user_id, said.session_id, said.privacy_mode) == ("ユーザー", "s1", True)
    assert said.properties == {"tier": "pro"}
    assert len(seen.captures) == 2
    for received in simulator.requests():
        assert not [name for name in received.headers if "amplitude" in name]
        assert "amplitude" not in str(received.json)
    assert simulator.requests()[1].headers["x-mine"] == "1"


def test_none_says_nothing(make, seen):
    """A keyword given as None leaves the client's own setting."""
    make(amplitude_user_id="someone").chat.completions.create(**ASK, amplitude_user_id=None)
    assert seen.last.user_id == "someone"


@pytest.mark.parametrize(
    ("said", "error", "names"),
    [
        ({"amplitude_usr_id": "x"}, TypeError, ["amplitude_usr_id", "amplitude_user_id", "amplitude_properties"]),
        ({"amplitude_user_id": 5}, TypeError, ["amplitude_user_id"]),
        ({"amplitude_user_id": ""}, ValueError, ["amplitude_user_id"]),
        ({"amplitude_privacy_mode": "yes"}, TypeError, ["amplitude_privacy_mode"]),
        ({"amplitude_properties": [1]}, TypeError, ["amplitude_properties"]),
    ],
)
def test_wrong_keywords(make, simulator, said, error, names):
    """A wrong keyword is an error that names it, before anything is sent."""
    client = make()
    for method in (client.chat.completions.create, client.embeddings.create, client.models.list):
        with pytest.raises(error) as caught:
            method(**said)
        assert all(name in str(caught.value) for name in names)
    assert simulator.requests() == []


def test_wrong_setting(make):
    """A constructor's wrong keyword is an error that names it and the right ones."""
    with pytest.raises(TypeError, match=r"'amplitude_user'.*amplitude_user_id"):
        make(amplitude_user="x")
    with pytest.raises(TypeError, match="track"):
        make(amplitude_client=object())


def test_every_resource_method_takes_them(make):
    """No resource of the SDK, however deep, has a request method without the keywords."""
    visited = {}
    waiting = [("client", make())]
    while waiting:
        path, owner = waiting.pop()
        for name in [name for name in dir(type(owner)) if not name.startswith("_") and "with_" not in name]:
            value = getattr(owner, name, None)
            bases = {base.__name__ for base in type(value).__mro__}
            if "SyncAPIResource" in bases:
                waiting.append((f"{path}.{name}", value))
            elif path != "client" and inspect.ismethod(value):
                visited[f"{path}.{name}"] = "amplitude_user_id" in inspect.signature(value).parameters
    assert len(visited) > 80
    assert [path for path, takes in visited.items() if not takes] == []


def test_signatures_survive(make):
    """Completion still shows the SDK's own parameters, and ours behind them."""
    client = make()
    create = inspect.signature(client.chat.completions.create).parameters
    assert {"messages", "temperature", "extra_headers", "amplitude_user_id", "amplitude_properties"} <= set(create)
    constructor = inspect.signature(get_openai()[0]).parameters
    assert {"api_key", "http_client", "amplitude_client", "ai_config", "auto_start_session"} <= set(constructor)
    assert constructor["auto_start_session"].default is True
    assert {"timeout", "amplitude_user_id"} <= set(inspect.signature(client.with_options).parameters)
    assert client.chat.completions.create.__doc__ == openai.resources.chat.Completions.create.__doc__


def test_raw_and_streaming_response(make, seen):
    """with_raw_response and with_streaming_response, on the resource and on the client, keep working and take them."""
    client = make()
    raw = client.chat.completions.with_raw_response.create(**ASK, amplitude_user_id="raw01")
    assert raw.status_code == 200
    assert raw.parse().choices[0].message.content
    assert client.with_raw_response.chat.completions.create(**ASK, amplitude_user_id="raw02").status_code == 200
    with client.chat.completions.with_streaming_response.create(**ASK, amplitude_user_id="raw03") as response:
        assert b"choices" in response.read()
    assert seen.users == ["raw01", "raw02", "raw03"]


def test_streams(make, seen):
    """stream=True and the lazily sent .stream() manager belong to the user they were asked for."""
    client = make()
    text = "".join(
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(**ASK, stream=True, amplitude_user_id="user-a")
        if chunk.choices
    )
    assert text
    completions = (
        client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    )
    manager = completions.stream(**ASK, amplitude_user_id="user-b")
    with amplitude_ai.context(user_id="somebody-else"), manager as stream:
        assert stream.get_final_completion().choices[0].message.content
    assert seen.users == ["user-a", "user-b"]


def test_parse(make, seen):
    """.parse() keeps working."""
    completions = make().chat.completions
    completions = completions if hasattr(completions, "parse") else make().beta.chat.completions
    assert completions.parse(**ASK, amplitude_user_id="parse").choices[0].message.content
    assert seen.users == ["parse"]


def test_responses_and_embeddings(make, seen):
    """Other resources record and take the keywords as well."""
    client = make()
    client.responses.create(model="gpt-4o-mini", input="Hello", amplitude_user_id="response")
    client.embeddings.create(model="text-embedding-3-small", input="Hello", amplitude_user_id="embedding")
    assert seen.users == ["response", "embedding"]


@pytest.mark.parametrize("method", ["copy", "with_options"])
def test_copies(make, seen, method):
    """A copy keeps what its original was told, shares its run and makes no second record."""
    client = make(amplitude_user_id="original")
    copy = getattr(client, method)(timeout=7)
    assert isinstance(copy, type(client))
    assert copy.timeout == 7
    client.chat.completions.create(**ASK)
    copy.chat.completions.create(**ASK)
    copy.chat.completions.create(**ASK, amplitude_user_id="other")
    assert seen.users == ["original", "original", "other"]
    assert len({capture.context.binding.key for capture in seen.captures}) == 1


def test_copy_told_otherwise(make, seen):
    """A copy may be told otherwise, though it shares the HTTP client with its original."""
    client = make(amplitude_user_id="original", amplitude_client=EventList())
    copy = client.with_options(amplitude_user_id="changed")
    copy.chat.completions.create(**ASK)
    client.chat.completions.create(**ASK)
    assert seen.users == ["changed", "original"]
    first, second = (capture.context.binding for capture in seen.captures)
    assert first.amplitude_client is second.amplitude_client
    assert first.key != second.key


def test_copy_with_another_http_client(make, seen):
    """The HTTP client that a copy is given is watched too."""
    client = make(amplitude_user_id="original")
    other = http_library(client).Client()
    client.with_options(http_client=other).chat.completions.create(**ASK)
    assert seen.users == ["original"]
    other.close()


def test_own_http_client(make, seen):
    """A user's http_client stays the user's; two SDK clients that share it are told apart."""
    http_client = http_library(make()).Client()
    first = make(http_client=http_client, amplitude_user_id="first")
    second = make(http_client=http_client, amplitude_user_id="second")
    third = make(http_client=http_client)
    assert first._client is second._client is http_client
    for client in (second, first, third):
        client.chat.completions.create(**ASK)
    assert seen.users == ["second", "first", None]
    assert len({capture.context.binding.key for capture in seen.captures}) == 3


def test_instrumented_http_client(make, seen):
    """One made by instrumented_httpx() records once, and keeps what it was told where the SDK client was not."""
    events = EventList()
    library = http_library(make()).__name__
    http_client = amplitude_ai.instrumented_httpx(library, amplitude_client=events, user_id="transport")
    plain = make(http_client=http_client)
    told = make(http_client=http_client, amplitude_user_id="client")
    plain.chat.completions.create(**ASK)
    told.chat.completions.create(**ASK)
    assert seen.users == ["transport", "client"]
    assert all(capture.context.binding.amplitude_client is events for capture in seen.captures)


def test_with_global_install(make, seen):
    """A factory's client beside install_transport() records each call once."""
    amplitude_ai.install_transport()
    try:
        make(amplitude_user_id="factory").chat.completions.create(**ASK)
    finally:
        amplitude_ai.uninstall_transport()
    assert seen.users == ["factory"]


def test_run_ends(make, seen):
    """close() ends the client's run; so does dropping the last of a client and its copies, but not the first."""
    client = make()
    key = client._amplitude.binding.key
    client.close()
    assert key in seen.closed

    http_client = http_library(client).Client()  # shared, so that only our own end can be seen
    OpenAI = get_openai()[0]
    original = OpenAI(api_key="test", http_client=http_client)
    copy = original.with_options(timeout=1)
    key = copy._amplitude.binding.key
    del original
    gc.collect()
    assert key not in seen.closed
    del copy
    gc.collect()
    assert key in seen.closed


def test_close_of_a_shared_http_client(make, seen):
    """Closing an SDK client ends its own run, also where the transport is bound to another's."""
    http_client = http_library(make()).Client()
    _first, second = make(http_client=http_client), make(http_client=http_client)
    second.close()
    assert second._amplitude.binding.key in seen.closed


def test_users_own_subclass(make, seen):
    """A subclass of ours works as one of openai's does, copies included."""

    class Mine(get_openai()[0]):
        def shout(self):
            return self.chat.completions.create(**ASK, amplitude_user_id="shout")

    client = make(Mine, amplitude_user_id="mine!")
    copy = client.with_options(timeout=3)
    assert type(copy) is Mine
    copy.shout()
    copy.chat.completions.create(**ASK)
    assert seen.users == ["shout", "mine!"]


def test_errors_pass(make, seen):
    """The SDK's exceptions and retries are as they were; each attempt is one record."""
    with pytest.raises(openai.RateLimitError):
        make().chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "[sim:status=429]"}], amplitude_user_id="failed"
        )
    assert seen.users == ["failed"]
    assert seen.captures[0].exchange().status == 429
    make(max_retries=1).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "[sim:fail_once=500]"}], amplitude_user_id="retried"
    )
    assert seen.users == ["failed", "retried", "retried"]


def test_failing_constructor(seen, monkeypatch):
    """A constructor that fails fails with the SDK's own exception."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(openai.OpenAIError):
        get_openai()[0]()


def test_signed_before_sent(make, seen, simulator):
    """An SDK class that signs its requests never signs a header of ours, which would not arrive."""
    from amplitude_ai.clients._sdk import instrumented_class

    signed = []

    class Signing(openai.OpenAI):
        def _prepare_request(self, request):
            signed.extend(request.headers)
            super()._prepare_request(request)

    client = make(instrumented_class(Signing))
    client.chat.completions.create(**ASK, amplitude_user_id="signed")
    assert signed
    assert not [name for name in signed if "amplitude" in name]
    assert seen.users == ["signed"]


async def test_async(simulator, seen):
    """The async client: calls, streams, raw responses, copies and close."""
    AsyncOpenAI = get_openai()[1]
    options = {"api_key": "test", "base_url": f"{simulator.url}/v1"}
    async with AsyncOpenAI(**options, amplitude_user_id="async") as client:
        assert isinstance(client, openai.AsyncOpenAI)
        assert inspect.iscoroutinefunction(client.chat.completions.create) == inspect.iscoroutinefunction(
            openai.AsyncOpenAI(api_key="test").chat.completions.create
        )
        await client.chat.completions.create(**ASK)
        async for _ in await client.chat.completions.create(**ASK, stream=True, amplitude_user_id="stream"):
            pass
        await client.with_options(timeout=3).chat.completions.create(**ASK, amplitude_user_id="copied")
        raw = await client.chat.completions.with_raw_response.create(**ASK, amplitude_user_id="asraw")
        assert raw.status_code == 200
        names = [f"user-{number}" for number in range(8)]
        await asyncio.gather(*(client.chat.completions.create(**ASK, amplitude_user_id=name) for name in names))
        with pytest.raises(TypeError, match="amplitude_foo"):
            await client.chat.completions.create(**ASK, amplitude_foo=1)
        key = client._amplitude.binding.key
    assert seen.users[:4] == ["async", "stream", "copied", "asraw"]
    assert sorted(seen.users[4:]) == names
    assert key in seen.closed


def test_azure(simulator, seen):
    """Azure's client takes the same, copies included."""
    AzureOpenAI, AsyncAzureOpenAI = get_azure_openai()
    assert issubclass(AsyncAzureOpenAI, openai.AsyncAzureOpenAI)
    with AzureOpenAI(
        api_key="test", azure_endpoint=simulator.url, api_version="2024-10-21", amplitude_user_id="azure"
    ) as client:
        assert isinstance(client, openai.AzureOpenAI)
        client.chat.completions.create(**ASK)
        client.with_options(timeout=5).chat.completions.create(**ASK, amplitude_user_id="copy!")
    assert seen.users == ["azure", "copy!"]
    assert "/openai/deployments/gpt-4o-mini/" in str(seen.captures[0].exchange().url)


def test_replaced_methods(make):
    """A method that a test or another tool replaces on the SDK's own class is replaced for ours too."""
    client = make()
    assert client.chat.completions
    with unittest.mock.patch.object(openai.resources.chat.Completions, "create", return_value="mocked"):
        assert client.chat.completions.create(**ASK, amplitude_user_id="mocked") == "mocked"


def test_missing_sdk(monkeypatch):
    """Without the SDK, the error names the package to install."""
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ImportError, match="pip install openai"):
        get_openai()


def test_missing_class(monkeypatch):
    """An SDK too old for a class says so."""
    monkeypatch.delattr(openai, "AzureOpenAI")
    with pytest.raises(ImportError, match=r"openai .* has no AzureOpenAI: pip install --upgrade openai"):
        get_azure_openai()
