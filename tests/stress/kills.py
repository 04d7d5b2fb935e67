"""``kill -9`` at random moments, with the spool on: what a call left on disk arrives, whoever sends it."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from ._run import Amplitude, environment, python, row

#: Events are on disk before the call returns (``async_event_emission=False``), so each line printed is a promise.
PROGRAM = """
import sys, time
import httpx2, amplitude_ai
name, calls = sys.argv[1], int(sys.argv[2])
answer = {"id": "1", "model": "gpt-4o-mini", "choices": [{"index": 0, "finish_reason": "stop",
          "message": {"role": "assistant", "content": "Fine."}}],
          "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
config = amplitude_ai.AIConfig(spool=True, async_event_emission=False)
client = amplitude_ai.instrumented_httpx(transport=transport, user_id="user-1", ai_config=config)
for number in range(calls):
    with amplitude_ai.context(properties={"call": f"{name}-{number}"}):
        client.post("https://api.openai.com/v1/chat/completions",
                    json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"{name} {number}"}]})
    print(f"{name}-{number}", flush=True)
    time.sleep(0.005)
if not calls:
    for _ in range(40):
        amplitude_ai.flush(10)
"""
AT_ONCE = 4


def run(amplitude: Amplitude, rounds: int = 200, seed: int = 1) -> bool:
    """So many processes, four at a time, on one file; then one that makes no call."""
    amplitude.forget()
    dice = random.Random(seed)
    promised: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        env = environment(amplitude.url, AMPLITUDE_AI_STORE=str(Path(place) / "events.db"))
        for begun in range(0, rounds, AT_ONCE):
            amplitude.mode(dice.choice(["ok", "500", "reset", "reset-after"]), dice.randrange(6))
            running = [python(PROGRAM, f"r{begun + i}", 10_000, env=env) for i in range(AT_ONCE)]
            for process in running:
                assert process.stdout is not None
                promised.append(process.stdout.readline().strip())
            time.sleep(dice.random() * 0.4)
            for process in running:
                process.kill()
            for process in running:
                rest, _ = process.communicate()
                promised += [line for line in rest.split("\n")[:-1] if line]
        amplitude.mode("ok", 0)
        python(PROGRAM, "last", 0, env=env).communicate(timeout=300)
        seen = amplitude.seen()
    arrived = {event["call"] for event in seen["events"].values() if event["event_type"] == "llm_message"}
    lost = [call for call in promised if call not in arrived]
    again = sum(seen["counts"].values()) - len(seen["counts"])
    outcome = (
        f"{len(promised)} calls returned, {len(lost)} lost; {len(seen['counts'])} events, {again} again by the same id"
    )
    return row("kills", f"kill -9, {rounds} processes, one spool", outcome, not lost and bool(promised))
