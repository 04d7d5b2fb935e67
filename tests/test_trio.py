"""trio instead of asyncio: the transports have no event loop of their own; a cancelled scope is told as cancelled."""

import httpx2
import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

trio = pytest.importorskip("trio")
BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}


def test_users_do_not_mix(simulator):
    """Tasks of a nursery each have their own context."""
    events = EventList()

    async def one(client, user):
        with amplitude_ai.context(user_id=user, session_id=f"of-{user}"):
            response = await client.post("/v1/chat/completions", json={**BODY, "stream": True})
        assert response.status_code == 200

    async def main():
        client = amplitude_ai.instrumented_async_httpx("httpx2", amplitude_client=events, base_url=simulator.url)
        async with client, trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(one, client, f"user-{number}")

    trio.run(main)
    assert amplitude_ai.flush()
    told = [event for event in events.events if event.event_type == "llm_message"]
    assert {(event.user_id, event.event_properties["session_id"]) for event in told} == {
        (f"user-{number}", f"of-user-{number}") for number in range(20)
    }
    assert len(told) == 20


def test_cancelled():
    """A stream whose scope is cancelled in the middle: one event, aborted, and trio sees its own cancellation."""
    events = EventList()

    class Slow(httpx2.AsyncByteStream):
        async def __aiter__(self):
            yield b'data: {"id":"1","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'
            await trio.sleep(60)

    async def answer(request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Slow())

    async def main():
        client = amplitude_ai.instrumented_async_httpx(
            "httpx2", amplitude_client=events, transport=httpx2.MockTransport(answer)
        )
        with trio.move_on_after(0.1) as scope:
            await client.post("https://api.openai.com/v1/chat/completions", json={**BODY, "stream": True})
        assert scope.cancelled_caught

    trio.run(main)
    assert amplitude_ai.flush()
    (told,) = [event for event in events.events if event.event_type == "llm_message"]
    assert told.event_properties["stream_aborted"] is True
