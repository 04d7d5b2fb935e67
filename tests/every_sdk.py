"""Every SDK that speaks HTTP, by its own calls: one plain and one streamed, in each colour that it has."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HELLO = [{"role": "user", "content": "Hello there"}]
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}
CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"


@dataclass(frozen=True)
class Sdk:
    """One SDK.

    Attributes:
        provider: whose API, for the table.
        module: what is imported; the test is skipped when it is missing.
        distribution: what is installed.
        call: ``(url, stream)``; makes one call and reads all of the answer.
        async_call: the same in the other colour; ``None`` where the SDK has none.
    """

    provider: str
    module: str
    distribution: str
    call: Callable[[str, bool], Any] | None
    async_call: Callable[[str, bool], Any] | None = None


def drain(stream):
    """Read a stream to its end."""
    return list(stream)


async def adrain(stream):
    """The same in the other colour."""
    return [item async for item in stream]


def openai_like(provider, module, sync, asynchronous, model, base="/v1", distribution=None):
    """The SDKs that Stainless makes of OpenAI's shape."""

    def make(url, name):
        sdk = importlib.import_module(module)
        return getattr(sdk, name)(api_key="test", base_url=url + base, max_retries=0)

    async def async_call(url, stream):
        client = make(url, asynchronous)
        answer = await client.chat.completions.create(model=model, messages=HELLO, stream=stream)
        return await adrain(answer) if stream else answer

    def call(url, stream):
        answer = make(url, sync).chat.completions.create(model=model, messages=HELLO, stream=stream)
        return drain(answer) if stream else answer

    return Sdk(provider, module, distribution or module, call, async_call)


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

    return Sdk("Mistral", "mistralai", "mistralai", call, async_call)


def cohere():
    """cohere: Fern's SDK on httpx."""
    asked = {"model": "command-r-plus", "messages": HELLO}

    def call(url, stream):
        client = importlib.import_module("cohere").ClientV2("test", base_url=url)
        return drain(client.chat_stream(**asked)) if stream else client.chat(**asked)

    async def async_call(url, stream):
        client = importlib.import_module("cohere").AsyncClientV2("test", base_url=url)
        return await adrain(client.chat_stream(**asked)) if stream else await client.chat(**asked)

    return Sdk("Cohere", "cohere", "cohere", call, async_call)


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

    return Sdk("Ollama", "ollama", "ollama", call, async_call)


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

    return Sdk("Hugging Face", "huggingface_hub", "huggingface_hub", call, async_call)


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

    return Sdk(f"any, by {model.partition('/')[0]}", "litellm", "litellm", call, async_call)


def anthropic():
    """anthropic: messages."""
    asked = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": HELLO}
    options = {"api_key": "test", "max_retries": 0}

    def call(url, stream):
        client = importlib.import_module("anthropic").Anthropic(base_url=url, **options)
        answer = client.messages.create(**asked, stream=stream)
        return drain(answer) if stream else answer

    async def async_call(url, stream):
        client = importlib.import_module("anthropic").AsyncAnthropic(base_url=url, **options)
        answer = await client.messages.create(**asked, stream=stream)
        return await adrain(answer) if stream else answer

    return Sdk("Anthropic", "anthropic", "anthropic", call, async_call)


def google_genai():
    """google-genai: generate_content."""
    asked = {"model": "gemini-2.5-flash", "contents": "Hello"}

    def make(url):
        return importlib.import_module("google.genai").Client(api_key="test", http_options={"base_url": url})

    def call(url, stream):
        client = make(url)  # it closes its HTTP client when it is dropped
        models = client.models
        return drain(models.generate_content_stream(**asked)) if stream else models.generate_content(**asked)

    async def async_call(url, stream):
        client = make(url)
        models = client.aio.models
        if stream:
            return await adrain(await models.generate_content_stream(**asked))
        return await models.generate_content(**asked)

    return Sdk("Google", "google.genai", "google-genai", call, async_call)


def google_generativeai():
    """google-generativeai, by REST: sync alone."""

    def call(url, stream):
        old = importlib.import_module("google.generativeai")
        old.configure(api_key="test", transport="rest", client_options={"api_endpoint": url})
        answer = old.GenerativeModel("gemini-2.5-flash").generate_content("Hello", stream=stream)
        return drain(answer) if stream else answer.text

    return Sdk("Google", "google.generativeai", "google-generativeai", call)


def boto3():
    """boto3: Converse; it has no async client."""

    def call(url, stream):
        client = importlib.import_module("boto3").client(
            "bedrock-runtime",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        asked = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": "Hello there"}]}]}
        return drain(client.converse_stream(**asked)["stream"]) if stream else client.converse(**asked)

    return Sdk("Bedrock", "boto3", "boto3", call)


def by_hand(module):
    """httpx and httpx2, and any OpenAI-compatible server."""

    def call(url, stream):
        with importlib.import_module(module).Client() as client:
            return client.post(f"{url}/v1/chat/completions", json={**CHAT, "stream": stream}).read()

    async def async_call(url, stream):
        async with importlib.import_module(module).AsyncClient() as client:
            return (await client.post(f"{url}/v1/chat/completions", json={**CHAT, "stream": stream})).read()

    return Sdk("any, by hand", module, module, call, async_call)


def requests():
    """requests."""

    def call(url, stream):
        answer = importlib.import_module("requests").post(
            f"{url}/v1/chat/completions", json={**CHAT, "stream": stream}, stream=stream
        )
        return drain(answer.iter_lines())

    return Sdk("any, by hand", "requests", "requests", call)


def urllib3():
    """urllib3."""

    def call(url, stream):
        body = json.dumps({**CHAT, "stream": stream})
        pool = importlib.import_module("urllib3").PoolManager()
        answer = pool.request("POST", f"{url}/v1/chat/completions", body=body, preload_content=not stream)
        return drain(answer.stream()) if stream else answer.data

    return Sdk("any, by hand", "urllib3", "urllib3", call)


def aiohttp():
    """aiohttp: async alone."""

    async def async_call(url, stream):
        asked = {"url": f"{url}/v1/chat/completions", "json": {**CHAT, "stream": stream}}
        async with importlib.import_module("aiohttp").ClientSession() as session, session.post(**asked) as answer:
            return [line async for line in answer.content] if stream else await answer.json()

    return Sdk("any, by hand", "aiohttp", "aiohttp", None, async_call)


SDKS = {
    "openai": openai_like("OpenAI", "openai", "OpenAI", "AsyncOpenAI", "gpt-4o-mini"),
    "anthropic": anthropic(),
    "google-genai": google_genai(),
    "google-generativeai": google_generativeai(),
    "boto3": boto3(),
    "mistralai": mistral(),
    "cohere": cohere(),
    "groq": openai_like("Groq", "groq", "Groq", "AsyncGroq", "llama-3.3-70b-versatile", base=""),
    "together": openai_like("Together", "together", "Together", "AsyncTogether", "meta-llama/Llama-3.3-70B-Instruct"),
    "ollama": ollama(),
    "huggingface_hub": hugging_face(),
    "cerebras": openai_like(
        "Cerebras", "cerebras.cloud.sdk", "Cerebras", "AsyncCerebras", "llama-3.3-70b", "", "cerebras_cloud_sdk"
    ),
    "fireworks": openai_like("Fireworks", "fireworks", "Fireworks", "AsyncFireworks", "accounts/x", "", "fireworks-ai"),
    "litellm-openai": litellm("openai/gpt-4o-mini"),
    "litellm-anthropic": litellm("anthropic/claude-haiku-4-5"),
    "httpx": by_hand("httpx"),
    "httpx2": by_hand("httpx2"),
    "requests": requests(),
    "urllib3": urllib3(),
    "aiohttp": aiohttp(),
}
