"""Every other provider's SDK that speaks HTTP, for real, under the global hook: each call one record, tokens as told.

None is a test dependency: ``make matrix ROWS=others`` installs them. A missing one is skipped, visibly.
"""

import asyncio
import gc
import importlib
import time

import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

HELLO = [{"role": "user", "content": "Hello there"}]
pytestmark = pytest.mark.filterwarnings("ignore")


def drain(stream):
    """Read a stream to its end."""
    return list(stream)


async def adrain(stream):
    """The same in the other colour."""
    return [item async for item in stream]


def openai_like(module, sync, asynchronous, model, base="/v1", **options):
    """The SDKs that Stainless makes of OpenAI's shape."""

    def make(url, name):
        sdk = importlib.import_module(module)
        return getattr(sdk, name)(api_key="test", base_url=url + base, max_retries=0, **options)

    async def async_call(url, stream):
        client = make(url, asynchronous)
        answer = await client.chat.completions.create(model=model, messages=HELLO, stream=stream)
        return await adrain(answer) if stream else answer

    def call(url, stream):
        answer = make(url, sync).chat.completions.create(model=model, messages=HELLO, stream=stream)
        return drain(answer) if stream else answer

    return module, call, async_call


def mistral():
    """mistralai: Speakeasy's SDK on httpx."""

    def client(url):
        try:
            from mistralai.client import Mistral
        except ImportError:
            from mistralai import Mistral
        return Mistral(api_key="test", server_url=url)

    def call(url, stream):
        chat, asked = client(url).chat, {"model": "mistral-small-latest", "messages": HELLO}
        return drain(chat.stream(**asked)) if stream else chat.complete(**asked)

    async def async_call(url, stream):
        chat, asked = client(url).chat, {"model": "mistral-small-latest", "messages": HELLO}
        return await adrain(await chat.stream_async(**asked)) if stream else await chat.complete_async(**asked)

    return "mistralai", call, async_call


def cohere():
    """cohere: Fern's SDK on httpx."""
    asked = {"model": "command-r-plus", "messages": HELLO}

    def call(url, stream):
        client = importlib.import_module("cohere").ClientV2("test", base_url=url)
        return drain(client.chat_stream(**asked)) if stream else client.chat(**asked)

    async def async_call(url, stream):
        client = importlib.import_module("cohere").AsyncClientV2("test", base_url=url)
        return await adrain(client.chat_stream(**asked)) if stream else await client.chat(**asked)

    return "cohere", call, async_call


def ollama():
    """ollama: its native API."""

    def call(url, stream):
        client = importlib.import_module("ollama").Client(host=url)
        answer = client.chat(model="llama3.2", messages=HELLO, stream=stream)
        return drain(answer) if stream else answer

    async def async_call(url, stream):
        client = importlib.import_module("ollama").AsyncClient(host=url)
        answer = await client.chat(model="llama3.2", messages=HELLO, stream=stream)
        return await adrain(answer) if stream else answer

    return "ollama", call, async_call


def hugging_face():
    """huggingface_hub: an OpenAI-shaped endpoint of one's own."""
    asked = {"model": "meta-llama/Llama-3.3-70B-Instruct", "messages": HELLO}

    def call(url, stream):
        client = importlib.import_module("huggingface_hub").InferenceClient(base_url=f"{url}/v1", api_key="test")
        answer = client.chat.completions.create(**asked, stream=stream)
        return drain(answer) if stream else answer

    async def async_call(url, stream):
        hub = importlib.import_module("huggingface_hub")
        async with hub.AsyncInferenceClient(base_url=f"{url}/v1", api_key="test") as client:
            answer = await client.chat.completions.create(**asked, stream=stream)
            return await adrain(answer) if stream else answer

    return "huggingface_hub", call, async_call


def litellm(model):
    """litellm: a router over everybody's API."""

    def options(url):
        base = f"{url}/v1" if model.startswith("openai/") else url
        return {"model": model, "messages": HELLO, "api_key": "test", "api_base": base, "num_retries": 0}

    def call(url, stream):
        answer = importlib.import_module("litellm").completion(**options(url), stream=stream)
        return drain(answer) if stream else answer

    async def async_call(url, stream):
        answer = await importlib.import_module("litellm").acompletion(**options(url), stream=stream)
        return await adrain(answer) if stream else answer

    return "litellm", call, async_call


SDKS = {
    "mistralai": mistral(),
    "cohere": cohere(),
    "groq": openai_like("groq", "Groq", "AsyncGroq", "llama-3.3-70b-versatile", base=""),
    "together": openai_like("together", "Together", "AsyncTogether", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
    "ollama": ollama(),
    "huggingface_hub": hugging_face(),
    "litellm-openai": litellm("openai/gpt-4o-mini"),
    "litellm-anthropic": litellm("anthropic/claude-haiku-4-5"),
    "cerebras": openai_like("cerebras.cloud.sdk", "Cerebras", "AsyncCerebras", "llama-3.3-70b", base=""),
    "fireworks": openai_like("fireworks", "Fireworks", "AsyncFireworks", "accounts/fireworks/models/x", base=""),
}


@pytest.fixture
def events():
    """The events of everything sent in a test."""
    events = EventList()
    amplitude_ai.install_transport(amplitude_client=events, user_id="ann")
    yield events
    amplitude_ai.uninstall_transport()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", SDKS)
def test_sdk(simulator, events, name, colour, stream):
    """One record, with the tokens the server told, whatever SDK and HTTP stack sent it."""
    module, call, async_call = SDKS[name]
    pytest.importorskip(module)
    if colour == "sync":
        call(simulator.url, stream)
    else:
        asyncio.run(async_call(simulator.url, stream))
    deadline = time.monotonic() + 10
    while not events.of_type("llm_message") and time.monotonic() < deadline:
        gc.collect()  # litellm stops short of some streams' end, and drops them when its logging thread is done
        assert amplitude_ai.flush()
        time.sleep(0.01)
    # Clients that warm connections up or list models ask for other things too.
    (received,) = [one for one in simulator.requests() if one.method == "POST"]
    (record,) = events.of_type("llm_message")
    told = received.told
    assert record["success"] is True
    assert record["is_streaming"] is stream
    assert record["output_content"]
    assert (record.get("input_tokens"), record.get("output_tokens")) == (
        (told.input, told.output) if told else (None, None)
    )
