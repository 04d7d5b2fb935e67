"""``demo``: a store to look at, made by real calls to a provider of our own on loopback."""

from __future__ import annotations

from pathlib import Path

from .. import _public
from .._scope import context
from ..delivery._location import default_path
from ..delivery._sender import make_store_client
from ..instrumentation.install import install_transport, uninstall_transport
from ._errors import Failure
from ._loopback import STACKS, Loopback, chat, is_here
from ._output import as_json, hint, write

_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
_ASKED = {"role": "user", "content": "What is the weather in Paris?"}
_CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {
            "id": "call_loopback",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
        }
    ],
}
_RESULT = {"role": "tool", "tool_call_id": "call_loopback", "content": "18 degrees and sunny"}


def demo_path() -> Path:
    """Where the demo's store is: beside the user's own, never in it."""
    return default_path().with_name("demo.db")


def demo(path: Path, json: bool) -> None:
    """Make the calls, and say what to do with them.

    Raises:
        Failure: not everything was stored.
    """
    stack = next(name for name in STACKS if is_here(name))
    client = make_store_client(path)
    install_transport(amplitude_client=client)
    try:
        with Loopback() as provider:
            calls = _talk(f"{provider.url}/v1/chat/completions", stack)
            stored = _public.flush(10) and _public.shutdown(10)
    finally:
        uninstall_transport()
        client.shutdown()
    if not stored:
        raise Failure(f"not everything was stored in {path}: {_public.stats()}")
    if json:
        as_json({"path": str(path), "calls": calls, "library": stack})
        return
    write(f"{calls} calls by {stack} to a provider on loopback are in {path}")
    for command in ("logs", "sessions", "costs --by model", "show alice-talk", "ui"):
        hint(f"  amplitude-ai-wire --store {path} {command}")


def _talk(url: str, stack: str) -> int:
    call = STACKS[stack]
    calls = 0
    for name, model in (("alice", "gpt-6-luna"), ("bobby", "gpt-5.4-mini")):
        first = {"role": "user", "content": f"Hello, {name} here. What is a transport?"}
        answer = {"role": "assistant", "content": "A demonstration's answer."}
        again = {"role": "user", "content": "Tell me a story"}
        bodies = [
            chat(first, model=model),
            chat(first, answer, again, model=model, stream=True, stream_options={"include_usage": True}),
            chat(_ASKED, model=model, tools=[_TOOL]),
            chat(_ASKED, _CALLED, _RESULT, model=model, tools=[_TOOL]),
            chat({"role": "user", "content": f"Answer {name} in an overload, please"}, model=model),
        ]
        bodies.append(bodies[-1])  # refused once, so tried again
        with context(user_id=f"{name}-1", session_id=f"{name}-talk", agent="concierge"):
            call(url, bodies[:2])
            with context(agent="weather"):
                call(url, bodies[2:4])
            call(url, bodies[4:])
        calls += len(bodies)
    return calls
