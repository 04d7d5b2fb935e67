"""The calls of one phase, by each HTTP library: what they gave, as values that can be compared and printed.

Knows nothing of `amplitude_ai`: the same code runs with and without it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}).encode()
HEADERS = {"content-type": "application/json", "x-own": "1"}
#: Nobody listens there.
CLOSED = "http://127.0.0.1:9"

Result = list[Any]
loop = asyncio.new_event_loop()


def attempt(call: Callable[[], Result]) -> Result:
    """What a call gave, or the names of what it raised."""
    try:
        return call()
    except Exception as exc:
        return ["raised", type(exc).__module__, type(exc).__name__]


class Library:
    """One HTTP library: a client that lives as long as the program, and new ones."""

    def __init__(self, name: str) -> None:
        self.new: Callable[[], Any] = globals()[f"_{name.replace('-', '_')}"]
        self.old = self.new()

    def phase(self, url: str, answered: bool) -> dict[str, Result]:
        """All calls of one phase.

        Args:
            url: of the server.
            answered: nothing leaves the process: a mock answers, so the port where nobody listens is left out.
        """
        client = self.new()
        results = {
            "plain": attempt(lambda: client(url + CHAT, False)),
            "streamed": attempt(lambda: client(url + CHAT, True)),
            "old client": attempt(lambda: self.old(url + CHAT, False)),
            "another path": attempt(lambda: client(url + "/other", False)),
        }
        if not answered:
            results["refused"] = attempt(lambda: client(CLOSED + CHAT, False))
        return results


def _httpx_like(module: Any) -> Callable[[str, bool], Result]:
    client = module.Client(trust_env=False)

    def call(url: str, streamed: bool) -> Result:
        if not streamed:
            response = client.post(url, content=BODY, headers=HEADERS)
            return [response.status_code, response.text, type(response).__name__]
        with client.stream("POST", url, content=BODY, headers=HEADERS) as response:
            return [response.status_code, "".join(response.iter_text()), type(response.stream).__name__ != ""]

    return call


def _async_httpx_like(module: Any) -> Callable[[str, bool], Result]:
    client = module.AsyncClient(trust_env=False)

    async def call(url: str, streamed: bool) -> Result:
        if not streamed:
            response = await client.post(url, content=BODY, headers=HEADERS)
            return [response.status_code, response.text, type(response).__name__]
        async with client.stream("POST", url, content=BODY, headers=HEADERS) as response:
            return [response.status_code, "".join([text async for text in response.aiter_text()])]

    return _run(call)


def _run(call: Callable[[str, bool], Awaitable[Result]]) -> Callable[[str, bool], Result]:
    return lambda url, streamed: loop.run_until_complete(asyncio.wait_for(call(url, streamed), 30))


def _httpx() -> Any:
    import httpx

    return _httpx_like(httpx)


def _httpx_async() -> Any:
    import httpx

    return _async_httpx_like(httpx)


def _httpx2() -> Any:
    import httpx2

    return _httpx_like(httpx2)


def _httpx2_async() -> Any:
    import httpx2

    return _async_httpx_like(httpx2)


def _requests() -> Any:
    import requests

    session = requests.Session()
    session.trust_env = False

    def call(url: str, streamed: bool) -> Result:
        response = session.post(url, data=BODY, headers=HEADERS, stream=streamed, timeout=30)
        text = b"".join(response.iter_content(7)) if streamed else response.content
        return [response.status_code, text.decode(), type(response).__name__]

    return call


def _urllib3() -> Any:
    import urllib3

    pool = urllib3.PoolManager(retries=False, timeout=30)

    def call(url: str, streamed: bool) -> Result:
        response = pool.request("POST", url, body=BODY, headers=HEADERS, preload_content=not streamed)
        text = b"".join(response.stream(7, decode_content=True)) if streamed else response.data
        return [response.status, text.decode(), type(response).__name__]

    return call


def _http_client() -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(url: str, streamed: bool) -> Result:
        with opener.open(urllib.request.Request(url, BODY, HEADERS), timeout=30) as response:
            body = b"".join(iter(lambda: response.read(7), b"")) if streamed else response.read()
            text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            return [response.status, text.decode(), type(response).__name__]

    return call


def _httplib2() -> Any:
    import httplib2

    client = httplib2.Http(timeout=30, proxy_info=None)

    def call(url: str, streamed: bool) -> Result:
        response, body = client.request(url, "POST", BODY, HEADERS)
        return [response.status, body.decode(), type(response).__name__]

    return call


def _aiohttp() -> Any:
    import aiohttp

    session: Any = None

    async def call(url: str, streamed: bool) -> Result:
        nonlocal session
        session = session or aiohttp.ClientSession()
        async with session.post(url, data=BODY, headers=HEADERS) as response:
            if streamed:
                text = b"".join([chunk async for chunk in response.content.iter_chunked(7)])
            else:
                text = await response.read()
            return [response.status, text.decode(), response.method]

    return _run(call)
