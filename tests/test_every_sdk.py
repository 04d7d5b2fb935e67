"""Every SDK that speaks HTTP, for real, under the global hook: each call one record, with the tokens as told.

Those that are no test dependency are skipped, visibly; ``make matrix`` installs them, and makes docs/sdks.md of
what this test noted.
"""

import asyncio
import gc
import importlib.metadata
import json
import os
import sys
import time

import pytest

import amplitude_ai
from amplitude_ai.transports import _watch
from tests.every_sdk import SDKS

#: Where `make matrix` wants a line of JSON for each test that passed.
NOTES = os.environ.get("AMPLITUDE_AI_SUPPORT")


@pytest.fixture
def stacks(monkeypatch):
    """The HTTP libraries that sent something."""
    seen = []
    made = _watch.Capture

    def noted(sink, context, method, url, *args):
        adapter = type(sys._getframe(1).f_locals["reader"]).__module__.rpartition(".")[2]
        seen.append(type(url).__module__.partition(".")[0] if adapter == "_httpx_family" else adapter)
        return made(sink, context, method, url, *args)

    monkeypatch.setattr(_watch, "Capture", noted)
    return seen


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", SDKS)
def test_sdk(simulator, events, stacks, name, colour, stream):
    """One record, with the tokens the server told, whatever SDK and HTTP stack sent it."""
    sdk = SDKS[name]
    pytest.importorskip(sdk.module)
    call = sdk.call if colour == "sync" else sdk.async_call
    if call is None:
        pytest.skip(f"{sdk.distribution} has no {colour} client")
    if colour == "sync":
        call(simulator.url, stream)
    else:
        asyncio.run(call(simulator.url, stream))
    deadline = time.monotonic() + 10
    while not events.of_type("llm_message") and time.monotonic() < deadline:
        gc.collect()  # litellm stops short of some streams' end, and drops them when its logging thread is done
        assert amplitude_ai.flush()
        time.sleep(0.01)
    # Clients that warm connections up or list models ask for other things too.
    (received,) = [one for one in simulator.requests() if one.method == "POST"]
    (record,) = events.of_type("llm_message")
    told = received.told
    assert record["success"] is True
    assert record["is_streaming"] is stream
    assert record["output_content"]
    assert (record.get("input_tokens"), record.get("output_tokens")) == (
        (told.input, told.output) if told else (None, None)
    )
    if NOTES:
        version = importlib.metadata.version(sdk.distribution)
        note = [sdk.provider, sdk.distribution, version, stacks[0], colour, "streamed" if stream else "plain"]
        with open(NOTES, "a") as notes:
            notes.write(json.dumps(note) + "\n")
