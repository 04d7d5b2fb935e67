"""No SDK at all: httpx2 and requests, explicitly; our headers say whose the call is and never reach the wire.

python examples/plain_http.py --demo
"""

import os

import _demo

_demo.begin()

import amplitude_ai

BODY = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "No SDK at all"}]}
HEADERS = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}", "X-Amplitude-User-Id": "user123"}
URL = _demo.url("/v1/chat/completions")

with amplitude_ai.instrumented_httpx() as client:
    print(client.post(URL, json=BODY, headers=HEADERS).json()["usage"])
with amplitude_ai.instrumented_requests() as session:
    print(session.post(URL, json=BODY, headers=HEADERS, timeout=60).json()["usage"])
_demo.end()
