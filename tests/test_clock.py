"""Events keep true times while an application's tests stop or move the clock, whenever this package was imported."""

import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, datetime, os, sys, time
before = time.time()
freezer, when = sys.argv[1:]
def frozen():
    if freezer == "freezegun":
        import freezegun
        return freezegun.freeze_time("2001-02-03", ignore=[])
    import time_machine
    return time_machine.travel(datetime.datetime(2068, 1, 1), tick=False)
if when == "before":
    import amplitude_ai
with frozen() if when != "after" else contextlib.nullcontext():
    import amplitude_ai
    import httpx2
    from amplitude_ai.testing import EventList
    events = EventList()
    answer = {"model": "gpt-4o", "choices": [{"message": {"role": "assistant", "content": "Hi"}}],
              "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=answer))
    client = amplitude_ai.instrumented_httpx(transport=transport, amplitude_client=events, user_id="user123")
    if when == "after":
        with frozen():
            client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
            assert amplitude_ai.flush(5)
    else:
        client.post("https://api.openai.com/v1/chat/completions", json={"model": "gpt-4o", "messages": []})
        assert amplitude_ai.flush(5)
(told,) = [event for event in events.events if event.event_type == "llm_message"]
assert abs(told.time / 1000 - before) < 60, told.time
assert 0 <= told.event_properties["latency_ms"] < 10_000, told.event_properties["latency_ms"]
"""


@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("freezer", ["freezegun", "time_machine"])
def test_a_stopped_clock_is_not_ours(freezer, when):
    """Dates and latencies are the real ones; flush comes back."""
    pytest.importorskip(freezer)
    done = subprocess.run([sys.executable, "-c", PROGRAM, freezer, when], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
