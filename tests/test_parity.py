"""The application sees what it would have seen without us, for every way a call can end; and each end is one event.

Every case runs on an uninstrumented client and on a watched one; what the two saw is compared, piece by piece. (That
the chunks are the very objects of the network is shown in ``test_transports``, without a socket between.)
"""

import asyncio
import gc
import re
import socket
from contextlib import aclosing, closing

import httpx
import httpx2
import pytest
import requests

import amplitude_ai
from amplitude_ai.testing import EventList

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello there"}]}
STREAM = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
#: What differs from answer to answer, with and without us.
VOLATILE = re.compile(rb'"(id|created|system_fingerprint)": ?("[^"]*"|\d+)')
VOLATILE_HEADERS = {"date", "x-request-id", "openai-processing-ms"}
TIMEOUT = 0.25


def free_port():
    """A port where nobody listens."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Seen:
    """What an application notices of one call."""

    def __init__(self):
        self.facts = {}
        self.body = b""

    def head(self, status, headers):
        self.facts["status"] = status
        self.facts["headers"] = {k.lower(): v for k, v in headers.items() if k.lower() not in VOLATILE_HEADERS}

    def error(self, exc):
        # Addresses of objects and local ports differ from run to run.
        self.facts["error"] = (type(exc), re.sub(r"0x[0-9a-f]+|port=\d+", "", str(exc)))
        self.facts["causes"] = [type(exc.__cause__), type(exc.__context__), exc.__suppress_context__]

    @property
    def all(self):
        return {**self.facts, "body": VOLATILE.sub(b"", self.body)}


def drive(client, url, body, headers, stop_after=None):
    """One call of a sync httpx or httpx2 client."""
    seen = Seen()
    try:
        with client.stream("POST", url, json=body, headers=headers, timeout=TIMEOUT) as response:
            seen.head(response.status_code, response.headers)
            for number, chunk in enumerate(response.iter_raw(), 1):
                seen.body += chunk
                if stop_after == number:
                    break
    except Exception as exc:
        seen.error(exc)
    seen.body = seen.body if stop_after is None else b""
    return seen.all


def drive_requests(session, url, body, headers, stop_after=None):
    """One call of a requests session."""
    seen = Seen()
    try:
        with session.post(url, json=body, headers=headers, timeout=TIMEOUT, stream=True) as response:
            seen.head(response.status_code, response.headers)
            for number, chunk in enumerate(response.iter_content(64), 1):
                seen.body += chunk
                if stop_after == number:
                    break
    except Exception as exc:
        seen.error(exc)
    seen.body = seen.body if stop_after is None else b""
    return seen.all


async def drive_async(client, url, body, headers, stop_after=None, cancel=False):
    """One call of an async client; ``cancel`` cancels the task that reads, at the first chunk."""
    seen = Seen()
    reached = asyncio.Event()

    async def read():
        async with client.stream("POST", url, json=body, headers=headers, timeout=TIMEOUT) as response:
            seen.head(response.status_code, response.headers)
            async with aclosing(response.aiter_raw()) as chunks:
                number = 0
                async for chunk in chunks:
                    number += 1
                    seen.body += chunk
                    reached.set()
                    if stop_after == number:
                        break

    task = asyncio.ensure_future(read())
    if cancel:
        await reached.wait()
        task.cancel()
    try:
        await task
    except (Exception, asyncio.CancelledError) as exc:
        seen.error(exc)
    seen.body = b"" if cancel or stop_after else seen.body
    return seen.all


def run_async(make):
    """Make a client and drive it in a loop of its own."""

    def run(*args, **options):
        async def whole():
            async with make() as client:
                return await drive_async(client, *args, **options)

        return asyncio.run(whole())

    return run


def run_sync(make, how):
    """Make a client and drive it."""

    def run(*args, **options):
        with make() as client:
            return how(client, *args, **options)

    return run


def pair(name, events):
    """(a run on the bare client, the same on a watched one)."""
    told = {"amplitude_client": events, "user_id": "someone"}
    if name == "requests":
        return run_sync(requests.Session, drive_requests), run_sync(
            lambda: amplitude_ai.instrumented_requests(**told), drive_requests
        )
    library, _, colour = name.partition("-")
    module = {"httpx": httpx, "httpx2": httpx2}[library]
    if colour == "async":
        return run_async(module.AsyncClient), run_async(
            lambda: amplitude_ai.instrumented_async_httpx(library=library, **told)
        )
    return run_sync(module.Client, drive), run_sync(
        lambda: amplitude_ai.instrumented_httpx(library=library, **told), drive
    )


LIBRARIES = ["httpx2", "httpx", "httpx2-async", "httpx-async", "requests"]

#: case -> (request body, what the simulator is told, options of the driver, what the event says).
CASES = {
    "success": (BODY, "", {}, {"success": True, "http_status": 200}),
    "stream": (STREAM, "", {}, {"success": True, "http_status": 200}),
    "4xx": (BODY, "status=404", {}, {"success": False, "http_status": 404, "error_type": "invalid_request_error"}),
    "429": (BODY, "status=429", {}, {"success": False, "http_status": 429, "error_type": "rate_limit_error"}),
    "5xx": (BODY, "status=503", {}, {"success": False, "http_status": 503, "error_type": "server_error"}),
    "refused": (BODY, None, {}, {"success": False, "http_status": None, "error_type": "Connect(ion)?Error"}),
    "timeout": (BODY, "delay_headers=2", {}, {"success": False, "http_status": None, "error_type": "ReadTimeout"}),
    "cut body": (BODY, "cut_body", {}, {"success": False, "http_status": 200, "error_type": ".*Error"}),
    "cut stream": (
        STREAM,
        "cut_stream=2,chunks=8",
        {},
        {"success": False, "http_status": 200, "error_type": ".*Error", "stream_aborted": True},
    ),
    "error in stream": (
        STREAM,
        "error_in_stream=2,chunks=8",
        {},
        {"success": False, "http_status": 200, "error_type": "server_error", "stream_aborted": True},
    ),
    "break": (
        STREAM,
        "slow=0.02,chunks=40",
        {"stop_after": 1},
        {"success": True, "http_status": 200, "stream_aborted": True},
    ),
    "cancelled": (
        STREAM,
        "slow=0.02,chunks=40",
        {"cancel": True},
        {"success": False, "http_status": 200, "error_type": "CancelledError", "stream_aborted": True},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_same_is_seen(simulator, library, case):
    """Bytes, status, headers and exceptions are those of the bare client, and one event tells how it ended."""
    body, directive, options, expected = CASES[case]
    if options.get("cancel") and not library.endswith("async"):
        pytest.skip("only a task can be cancelled")
    url = f"{simulator.url}/v1/chat/completions"
    if directive is None:
        url = f"http://127.0.0.1:{free_port()}/v1/chat/completions"
    headers = {"x-sim": directive} if directive else {}
    events = EventList()
    bare, watched = pair(library, events)
    assert watched(url, body, headers, **options) == bare(url, body, headers, **options)
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    for name, value in {"stream_aborted": False, **expected}.items():
        told = record.get(name)
        matches = re.fullmatch(value, told or "") if name == "error_type" else told == value
        assert matches, f"{name}: {told!r}, expected {value!r}"
    if expected["success"] is False:
        assert record["finish_reason"] == "error"
        # str() of a cancellation and of an async time-out is empty.
        assert record.get("error_message") or case in ("cancelled", "timeout")


@pytest.mark.parametrize("library", ["httpx2", "httpx"])
def test_an_abandoned_stream(simulator, library):
    """A stream that is left by ``break`` and never closed is told when it is collected, and the run goes on."""
    events = EventList()
    with amplitude_ai.instrumented_httpx(library=library, amplitude_client=events) as client:
        request = client.build_request(
            "POST", f"{simulator.url}/v1/chat/completions", json=STREAM, headers={"x-sim": "slow=0.02,chunks=40"}
        )
        response = client.send(request, stream=True)
        for _ in response.iter_raw():
            break
        del response
        gc.collect()
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    assert record["stream_aborted"] is True
