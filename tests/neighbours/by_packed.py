"""An application that is packed into one file: what it calls, and what was packed that it has no use for."""

import importlib.util
import json
import os
import sys
import urllib.request

import amplitude_ai
from amplitude_ai.testing import EventList

events = EventList()
amplitude_ai.install_transport(amplitude_client=events)

import httpx  # noqa: E402  # afterwards, as an application may
import httpx2  # noqa: E402

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
url = sys.argv[1]
httpx2.post(url, json=BODY)
httpx.post(url, json=BODY)
request = urllib.request.Request(url, json.dumps(BODY).encode(), {"content-type": "application/json"})
with urllib.request.urlopen(request) as answer:
    answer.read()
amplitude_ai.flush()
calls = events.of_type("llm_message")
amplitude_ai.uninstall_transport()
amplitude_ai.install_transport()  # to the local store
httpx.post(url, json=BODY)
saw = {
    "calls": len(calls),
    "priced": sum(bool(call.get("cost_usd")) for call in calls),
    "errors": amplitude_ai.stats()["internal_errors"],
    "stored": amplitude_ai.flush() and os.path.exists(os.environ["AMPLITUDE_AI_STORE"]),
    "useless": [name for name in ("aiohttp", "PyInstaller") if importlib.util.find_spec(name)],
}
print(json.dumps(saw))
