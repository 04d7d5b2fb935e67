"""Amplitude at its worst: whatever its mood, what was sent has arrived exactly once, or is counted with a reason."""

from __future__ import annotations

import json

from ._run import Amplitude, environment, python, row

#: (mood, how many requests it lasts, the calls made meanwhile, seconds that flush may take)
MOODS = (
    ("ok", 0, 200, 10),
    ("500", 5, 200, 20),
    ("429", 5, 200, 20),
    ("413", 3, 200, 20),
    ("reset", 5, 200, 20),
    ("reset-after", 2, 200, 20),
    ("partial", 1000, 200, 20),
    ("blind", 1000, 200, 20),
    ("hang", 1, 50, 40),
    ("throttled", 1, 50, 60),
    ("away", 0, 200, 150),
)
QUICK = ("ok", "500", "413", "reset-after", "partial", "blind")

PROGRAM = """
import json, sys
import httpx2, amplitude_ai
calls, seconds = int(sys.argv[1]), float(sys.argv[2])
answer = {"id": "1", "model": "gpt-4o-mini", "choices": [{"index": 0, "finish_reason": "stop",
          "message": {"role": "assistant", "content": "x" * 6000}}],
          "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
client = amplitude_ai.instrumented_httpx(transport=transport)
ids = ["user-1", "bob", "anonymous", "0", "user-\\ud800", "x" * 3000]
for number in range(calls):
    with amplitude_ai.context(user_id=ids[number % len(ids)], properties={"call": number, "odd": [None, (1, 2)]}):
        client.post("https://api.openai.com/v1/chat/completions",
                    json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"Hi {number} " * 300}]})
client.close()
told = amplitude_ai.flush(seconds)
print(json.dumps({"told": told, "stats": amplitude_ai.stats()}))
"""


def run(amplitude: Amplitude, moods: tuple[str, ...] | None = None) -> bool:
    """Every mood, or some."""
    fine = True
    for mood, first, calls, seconds in MOODS:
        if moods is not None and mood not in moods:
            continue
        amplitude.forget()
        if mood == "away":  # for a minute, and nobody answers
            amplitude.mode("reset", 0, 60)
        else:
            amplitude.mode(mood, first)
        output, _ = python(PROGRAM, calls, seconds, env=environment(amplitude.url)).communicate(timeout=200)
        said = json.loads(output)
        stats, seen = said["stats"], amplitude.seen()
        lost = {name: value for name, value in stats.items() if name.startswith(("dropped", "unack")) and value}
        arrived, again = len(seen["counts"]), sum(seen["counts"].values()) - len(seen["counts"])
        honest = arrived + sum(lost.values()) == stats["emitted"] and said["told"] is (not lost)
        kind = mood in ("partial", "blind") or not lost
        outcome = f"{stats['emitted']} sent, {arrived} arrived, {again} again by the same id, lost {lost or 'none'}"
        fine &= row(
            "delivery", f"{mood} ({seen['requests']} requests, {seen['largest'] // 1000} KB)", outcome, honest and kind
        )
    return fine
