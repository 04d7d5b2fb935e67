"""Calls by niquests, of both colours, and by the urllib3-future that stands in urllib3's place.

``python -m tests.neighbours.by_niquests with|without URL`` prints one JSON line: what the calls gave, and, with us,
what was recorded of each. ``without`` never imports us.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import niquests
import urllib3

from ._calls import BODY, CHAT, CLOSED, HEADERS, attempt


def main(with_us: bool, url: str) -> None:
    """Run them."""
    events: Any = None
    if with_us:
        import amplitude_ai
        from amplitude_ai import _guard
        from amplitude_ai.testing import EventList

        _guard.on_internal_error = lambda stage, exc: print(f"swallowed at {stage}: {exc!r}", file=sys.stderr)
        events = EventList()
        amplitude_ai.install_transport(amplitude_client=events)
    results, recorded = {}, {}
    for name, call in CALLS.items():
        before = len(events.events) if events is not None else 0
        results[name] = attempt(lambda call=call: call(url))  # type: ignore[misc]
        if events is not None:
            amplitude_ai.flush()
            new = [event for event in events.events[before:] if event.event_type == "llm_message"]
            recorded[name] = [
                [one.event_properties.get("input_tokens"), one.event_properties["success"]] for one in new
            ]
    print(json.dumps({"results": results, "recorded": recorded}))


def _plain(url: str) -> Any:
    response = niquests.post(url + CHAT, data=BODY, headers=HEADERS)
    return [response.status_code, response.text, type(response.raw).__name__]


def _streamed(url: str) -> Any:
    response = niquests.post(url + CHAT, data=BODY, headers=HEADERS, stream=True)
    return [response.status_code, b"".join(response.iter_content(7)).decode()]


def _refused(url: str) -> Any:
    return niquests.post(CLOSED + CHAT, data=BODY, headers=HEADERS).status_code


async def _async_plain(url: str) -> Any:
    async with niquests.AsyncSession() as session:
        response = await session.post(url + CHAT, data=BODY, headers=HEADERS)
        return [response.status_code, response.text, type(response).__name__]


async def _async_streamed(url: str) -> Any:
    async with niquests.AsyncSession() as session:
        response = await session.post(url + CHAT, data=BODY, headers=HEADERS, stream=True)
        return [response.status_code, b"".join([chunk async for chunk in await response.iter_content(7)]).decode()]


async def _async_left(url: str) -> Any:
    async with niquests.AsyncSession() as session:
        response = await session.post(url + CHAT, data=BODY, headers=HEADERS, stream=True)
        await response.close()
        return response.status_code


async def _async_refused(url: str) -> Any:
    async with niquests.AsyncSession() as session:
        return (await session.post(CLOSED + CHAT, data=BODY, headers=HEADERS)).status_code


def _urllib3(url: str) -> Any:
    response = urllib3.PoolManager(retries=False).request("POST", url + CHAT, body=BODY, headers=HEADERS)
    return [response.status, response.data.decode()]


def _multiplexed(url: str) -> Any:
    with niquests.Session(multiplexed=True) as session:
        response = session.post(url + CHAT, data=BODY, headers=HEADERS)
        session.gather()
        return [response.status_code, response.text]


def _run(call: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda url: asyncio.run(call(url))


CALLS: dict[str, Callable[[str], Any]] = {
    "plain": _plain,
    "streamed": _streamed,
    "refused": _refused,
    "async, plain": _run(_async_plain),
    "async, streamed": _run(_async_streamed),
    "async, left": _run(_async_left),
    "async, refused": _run(_async_refused),
    "urllib3": _urllib3,
    "multiplexed": _multiplexed,
}


if __name__ == "__main__":
    main(sys.argv[1] == "with", sys.argv[2])
