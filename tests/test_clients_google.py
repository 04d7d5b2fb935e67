"""get_google() and get_google_genai(), with the installed SDKs against the simulator."""

import asyncio
import importlib.util
import inspect
import sys

import pytest

import amplitude_ai
from amplitude_ai.clients import google as factories
from amplitude_ai.clients.google import get_google, get_google_genai

genai = pytest.importorskip("google.genai")
MODEL = "gemini-2.5-flash"
HAS_OLD = importlib.util.find_spec("google.generativeai") is not None
MAJOR = int(genai.__version__.partition(".")[0])


@pytest.fixture
def client(simulator, seen):
    """A google-genai client of the simulator."""
    with get_google_genai()(
        api_key="test", http_options={"base_url": simulator.url}, amplitude_user_id="owner"
    ) as client:
        yield client


@pytest.fixture(params=["google-generativeai", "google-genai"])
def model(request, simulator, seen, monkeypatch):
    """A GoogleGenerativeAI over either SDK."""
    if request.param == "google-genai":
        monkeypatch.setattr(factories, "_installed", lambda module: False)
    elif not HAS_OLD:
        pytest.skip("google-generativeai is not installed")
    model = get_google()(
        api_key="test",
        model_name=MODEL,
        client_options={"api_endpoint": simulator.url},
        amplitude_user_id="owner",
    )
    yield model
    model.close()


def test_client_is_googles(client):
    """The class is google-genai's own, by isinstance, and so are its resources."""
    assert get_google_genai() is get_google_genai()
    assert isinstance(client, genai.Client)
    assert isinstance(client.models, genai.models.Models)
    assert isinstance(client.aio.chats, genai.chats.AsyncChats)
    assert {"api_key", "http_options", "amplitude_client"} <= set(inspect.signature(get_google_genai()).parameters)
    assert {"model", "amplitude_user_id"} <= set(inspect.signature(client.models.generate_content).parameters)


def test_client(client, seen, simulator):
    """Calls, streams and chats belong to the user they were made for, though streams are sent when first read."""
    assert client.models.generate_content(model=MODEL, contents="Hello").text
    client.models.generate_content(
        model=MODEL, contents="Hello", amplitude_user_id="plain", amplitude_privacy_mode=True
    )
    stream = client.models.generate_content_stream(model=MODEL, contents="Hello", amplitude_user_id="stream")
    with amplitude_ai.context(user_id="somebody-else"):
        assert "".join(chunk.text or "" for chunk in stream)
    chat = client.chats.create(model=MODEL)
    assert chat.send_message("Hello", amplitude_user_id="chat1").text
    assert list(chat.send_message_stream("Again", amplitude_user_id="chat2"))
    assert len(chat.get_history()) >= 4
    assert seen.users == ["owner", "plain", "stream", "chat1", "chat2"]
    assert seen.captures[1].context.privacy_mode is True
    assert not [name for received in simulator.requests() for name in received.headers if "amplitude" in name]
    with pytest.raises(TypeError, match=r"amplitude_foo.*amplitude_user_id"):
        client.models.generate_content(model=MODEL, contents="Hello", amplitude_foo=1)


def test_reader_of_a_stream_keeps_its_own_context(client, seen):
    """Between two parts of a stream the context is the reader's, and a stream that is dropped leaves nothing."""
    stream = client.models.generate_content_stream(model=MODEL, contents="Hello", amplitude_user_id="stream")
    next(stream)
    client.models.generate_content(model=MODEL, contents="Hello")
    stream.close()
    client.models.generate_content(model=MODEL, contents="Hello")
    assert sorted(seen.users) == ["owner", "owner", "stream"]


def test_client_async(client, seen):
    """The same in the other colour, whether aiohttp is installed or not, in one event loop after another."""

    async def talk():
        models = client.aio.models
        assert (await models.generate_content(model=MODEL, contents="Hello", amplitude_user_id="plain")).text
        async for _ in await models.generate_content_stream(model=MODEL, contents="Hi", amplitude_user_id="stream"):
            pass
        chat = client.aio.chats.create(model=MODEL)
        await chat.send_message("Hello", amplitude_user_id="chat1")
        async for _ in await chat.send_message_stream("Again", amplitude_user_id="chat2"):
            pass

    asyncio.run(talk())
    assert seen.users == ["plain", "stream", "chat1", "chat2"]
    if MAJOR >= 3:  # before, a client belonged to one event loop
        asyncio.run(talk())
        assert seen.users == 2 * ["plain", "stream", "chat1", "chat2"]


def test_own_http_client(simulator, seen):
    """A user's own HTTP client stays the user's, and open."""
    import httpx

    http_client = httpx.Client()
    Client = get_google_genai()
    with Client(
        api_key="test", http_options={"base_url": simulator.url, "httpx_client": http_client}, amplitude_user_id="owner"
    ) as client:
        client.models.generate_content(model=MODEL, contents="Hello")
        key = client._amplitude.binding.key
    assert not http_client.is_closed
    assert seen.users == ["owner"]
    assert key in seen.closed


def test_model(model, seen, simulator):
    """generate_content, streams and chats answer and belong to the user they were made for."""
    assert model.generate_content("What is AI?").text
    model.generate_content("What is AI?", amplitude_user_id="plain", amplitude_properties={"tier": "pro"})
    assert seen.last.properties == {"tier": "pro"}
    assert "".join(chunk.text for chunk in model.generate_content("Hi", stream=True, amplitude_user_id="stream"))
    chat = model.start_chat()
    assert chat.send_message("Hello", amplitude_user_id="chat1").text
    assert list(chat.send_message("Again", stream=True, amplitude_user_id="chat2"))
    assert [content.role for content in chat.history] == ["user", "model", "user", "model"]
    assert seen.users == ["owner", "plain", "stream", "chat1", "chat2"]
    contents = simulator.requests()[-1].json["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    assert not [name for received in simulator.requests() for name in received.headers if "amplitude" in name]


async def test_model_async(model, seen):
    """The same in the other colour."""
    assert (await model.generate_content_async("What is AI?", amplitude_user_id="plain")).text
    async for _ in await model.generate_content_async("Hi", stream=True, amplitude_user_id="stream"):
        pass
    chat = model.start_chat()
    await chat.send_message_async("Hello", amplitude_user_id="chat1")
    async for _ in await chat.send_message_async("Again", stream=True, amplitude_user_id="chat2"):
        pass
    assert len(chat.history) == 4
    assert seen.users == ["plain", "stream", "chat1", "chat2"]


def test_model_options(model, simulator):
    """What GenerativeModel takes arrives: generation config, safety settings, a system instruction."""
    told = type(model)(
        api_key="test",
        model_name=MODEL,
        client_options={"api_endpoint": simulator.url},
        system_instruction="Be brief.",
        generation_config={"temperature": 0.5},
        safety_settings={"HARM_CATEGORY_HARASSMENT": "BLOCK_NONE"},
    )
    told.generate_content("Hello", generation_config={"max_output_tokens": 7}, request_options={"timeout": 20})
    body = simulator.requests()[0].json
    assert body["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 7}
    assert body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert len(body["safetySettings"]) == 1
    told.close()


def test_model_calls_no_tools_by_itself(simulator, seen):
    """Over google-genai too, a function given as a tool is called only by a chat that was started so."""
    from amplitude_ai.clients._google_model import GoogleGenerativeAI

    called = []

    def get_weather(city: str) -> str:
        """The weather of a city."""
        called.append(city)
        return "sunny"

    options = {"api_key": "test", "model_name": MODEL, "client_options": {"api_endpoint": simulator.url}}
    model = GoogleGenerativeAI(**options, tools=[get_weather])
    model.generate_content("What is the weather?")
    assert called == []
    chat = model.start_chat(enable_automatic_function_calling=True)
    chat.send_message("What is the weather?", amplitude_user_id="chat!")
    assert len(called) == 1
    assert seen.users == [None, "chat!", "chat!"]
    assert [content.role for content in chat.history] == ["user", "model", "user", "model"]
    model.close()


def test_model_wrong_arguments(model):
    """Wrong keywords and a missing model name are errors that name them."""
    with pytest.raises(TypeError, match=r"amplitude_foo.*amplitude_user_id"):
        model.generate_content("Hello", amplitude_foo=1)
    with pytest.raises(TypeError, match=r"amplitude_foo.*amplitude_client"):
        type(model)(api_key="test", model_name=MODEL, amplitude_foo=1)
    with pytest.raises(TypeError, match="model_name"):
        type(model)(api_key="test")
    with pytest.raises(TypeError, match="temprature"):
        model.generate_content("Hello", temprature=1)


def test_model_close(model, seen):
    """close() ends the run."""
    key = (getattr(model, "_amplitude", None) or model._client._amplitude).binding.key
    model.close()
    assert key in seen.closed


@pytest.mark.skipif(not HAS_OLD, reason="google-generativeai is not installed")
def test_model_is_googles():
    """Over google-generativeai the class is a GenerativeModel, and leaves the process's configuration alone."""
    import google.generativeai
    from google.generativeai.client import _client_manager

    before = dict(_client_manager.client_config)
    model = get_google()(api_key="mine", model_name=MODEL)
    assert isinstance(model, google.generativeai.GenerativeModel)
    assert isinstance(model.start_chat(), google.generativeai.ChatSession)
    assert _client_manager.client_config == before
    assert {"model_name", "tools", "amplitude_client"} <= set(inspect.signature(get_google()).parameters)


def test_missing_sdk(monkeypatch):
    """Without either SDK, the error names the package to install: the one that is still alive."""
    monkeypatch.setattr(factories, "_installed", lambda module: False)
    monkeypatch.setitem(sys.modules, "google.genai", None)
    for factory in (get_google, get_google_genai):
        with pytest.raises(ImportError, match="pip install google-genai"):
            factory()
