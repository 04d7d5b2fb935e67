"""A thousand async streams and two hundred threads at once: each call is recorded once, and as its own."""

from __future__ import annotations

import asyncio
import threading

import httpx2

import amplitude_ai
from amplitude_ai.testing import EventList

from ._run import row
from .models import pieces

CALLS_A_THREAD = 5


def run(models: str, streams: int = 1000, threads: int = 200) -> bool:
    """All of them through two clients."""
    url = f"{models}/v1/chat/completions"
    events = EventList()
    wrong: list[str] = []

    def body(number: int, stream: bool) -> dict:
        return {
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": f"call-{number}"}],
            "stream": stream,
        }

    def check(number: int, stream: bool, got: bytes) -> None:
        if got != b"".join(pieces(f"call-{number}", stream)):
            wrong.append(f"call-{number}")

    async def one(client: httpx2.AsyncClient, number: int) -> None:
        with amplitude_ai.context(user_id=f"user-{number}", session_id=f"session-{number}"):
            async with client.stream("POST", url, json=body(number, True)) as response:
                check(number, True, b"".join([chunk async for chunk in response.aiter_raw()]))

    async def crowd() -> None:
        options = {"limits": httpx2.Limits(max_connections=None), "timeout": 120, "trust_env": False}
        async with amplitude_ai.instrumented_async_httpx(amplitude_client=events, **options) as client:
            await asyncio.gather(*(one(client, number) for number in range(streams)))

    options = {"limits": httpx2.Limits(max_connections=None), "timeout": 120, "trust_env": False}
    shared = amplitude_ai.instrumented_httpx(amplitude_client=events, **options)

    def work(first: int) -> None:
        for number in range(first, first + CALLS_A_THREAD):
            with amplitude_ai.context(user_id=f"user-{number}", session_id=f"session-{number}"):
                check(number, False, shared.post(url, json=body(number, False)).content)

    workers = [threading.Thread(target=work, args=(streams + i * CALLS_A_THREAD,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    asyncio.run(crowd())
    for worker in workers:
        worker.join()
    shared.close()
    flushed = amplitude_ai.flush(120)
    records = events.of_type("llm_message")
    made = streams + threads * CALLS_A_THREAD
    crossed = [one for one in records if not _is_own(one)]
    names = {one["session_id"] for one in records}
    outcome = (
        f"{made} calls, {len(records)} records of {len(names)} sessions, {len(crossed)} crossed, "
        f"{len(wrong)} answers changed"
    )
    ok = flushed and len(records) == len(names) == made and not crossed and not wrong
    return row("crowd", f"{streams} async streams, {threads} threads", outcome, ok)


def _is_own(record: dict) -> bool:
    number = record["session_id"].partition("-")[2]
    said = set(record["output_content"].split())
    return said == {f"call-{number}"} and record["input_tokens"] == int(number)
