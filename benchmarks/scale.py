"""What a million calls a day amount to, for docs/scale.md: ``python -m benchmarks.scale [CALLS]``.

An agent's conversations (a question, a call that asks for a tool, a call that answers; one in fifty refused) by a real
client in memory. The events as they would be sent to Amplitude, with texts and in privacy mode, and as they are stored
are counted, weighed and multiplied.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

import amplitude_ai
from amplitude_ai import AIConfig
from amplitude_ai.delivery._sender import make_store_client
from amplitude_ai.testing import EventList

from .store_world import text

URL = "https://api.openai.com/v1/chat/completions"
DAY_CALLS = 1_000_000


def provider(chance: random.Random) -> httpx2.MockTransport:
    """Answers of some eighty words; a first question gets a tool call, one request in fifty is refused."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if chance.random() < 0.02:
            return httpx2.Response(429, json={"error": {"type": "rate_limit_error", "message": "Too many requests"}})
        message: dict[str, Any] = {"role": "assistant", "content": text(chance, 80)}
        if asked["messages"][-1]["role"] == "user":
            call = {"id": f"call_{chance.getrandbits(60):x}", "type": "function"}
            function = {"name": "search", "arguments": json.dumps({"query": text(chance, 6)})}
            message |= {"content": None, "tool_calls": [{**call, "function": function}]}
        usage = {"prompt_tokens": 900, "completion_tokens": 110, "total_tokens": 1010}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {
            "id": f"chatcmpl-{chance.getrandbits(60):x}",
            "model": "gpt-6-luna",
            "choices": [choice],
            "usage": usage,
        }
        return httpx2.Response(200, json=body)

    return httpx2.MockTransport(answer)


def converse(client: httpx2.Client, chance: random.Random, calls: int) -> None:
    """Sessions of three turns, two calls each."""
    made = 0
    while made < calls:
        history: list[dict[str, Any]] = [{"role": "system", "content": text(chance, 100)}]
        with amplitude_ai.context(
            user_id=f"user-{chance.randrange(10_000)}", session_id=f"s-{chance.getrandbits(60):x}"
        ):
            for _ in range(3):
                history.append({"role": "user", "content": text(chance, 20)})
                for _ in range(2):
                    answer = client.post(URL, json={"model": "gpt-6-luna", "messages": history})
                    made += 1
                    if answer.status_code != 200:
                        continue
                    message = answer.json()["choices"][0]["message"]
                    history.append(message)
                    for call in message.get("tool_calls") or ():
                        found = {"role": "tool", "tool_call_id": call["id"], "content": text(chance, 60)}
                        history.append(found)


def weigh(calls: int, config: AIConfig) -> dict[str, float]:
    """Per call: events, bytes as JSON, CPU of the process in µs."""
    seen = EventList()
    chance = random.Random(7)
    begun = time.process_time()
    with amplitude_ai.instrumented_httpx(transport=provider(chance), amplitude_client=seen, ai_config=config) as client:
        converse(client, chance, calls)
    assert amplitude_ai.flush(60)
    worked = time.process_time() - begun
    bodies = [json.dumps(event.get_event_body()).encode() for event in seen.events]
    return {
        "events": len(bodies) / calls,
        "bytes": sum(map(len, bodies)) / calls,
        "cpu_us": worked / calls * 1e6,
    }


def stored(calls: int) -> float:
    """Bytes of the local store per call."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "events.db"
        chance = random.Random(7)
        with amplitude_ai.instrumented_httpx(
            transport=provider(chance), amplitude_client=make_store_client(path)
        ) as client:
            converse(client, chance, calls)
        assert amplitude_ai.flush(60)
        amplitude_ai.shutdown(10)
        wal = path.with_name(path.name + "-wal")
        return (path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)) / calls


def main() -> None:
    """Print what one call and a day come to."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    for name, config in (("with texts", AIConfig()), ("privacy_mode", AIConfig(privacy_mode=True))):
        one = weigh(calls, config)
        print(
            f"{name}: {one['events']:.2f} events a call, {one['bytes']:,.0f} bytes; "
            f"a day {one['events'] * DAY_CALLS / 1e6:.1f} million events, {one['bytes'] * DAY_CALLS / 1e9:.1f} GB; "
            f"with the client {one['cpu_us']:,.0f} µs CPU"
        )
    size = stored(calls)
    held = 2**30 / size
    print(f"store: {size:,.0f} bytes a call; a gigabyte holds {held:,.0f} calls, {held / DAY_CALLS * 24:.1f} h")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at the most")


if __name__ == "__main__":
    main()
