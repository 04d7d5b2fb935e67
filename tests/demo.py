"""``make demo``: real SDKs talk to a simulated provider over real sockets; what was recorded is printed and checked.

The simulator is a process of its own and keeps its own books. The exit status is 1 when they differ from the store.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Before amplitude_ai is imported: a store of the demo's own, and no key, so that nothing is sent anywhere.
os.environ["AMPLITUDE_AI_STORE"] = str(Path(__file__).resolve().parents[1] / ".demo" / "events.db")
os.environ.pop("AMPLITUDE_API_KEY", None)
os.environ["NO_PROXY"] = "127.0.0.1,localhost"

import anthropic
import openai
from google import genai
from google.genai import types as genai_types

import amplitude_ai
from tests.simulator import Received, Simulator

STORE = Path(os.environ["AMPLITUDE_AI_STORE"])
ROOT = STORE.parents[1]
WEATHER = "What is the weather in Paris?"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL: Any = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}
#: A reader's own check: a published price and the first row.
BY_HAND = "By hand: gpt-4o-mini is $0.15 a million tokens in, $0.60 out: (in × 0.15 + out × 0.60) / 1,000,000 = cost."
#: Makes latency and time to first token look like a model's, a hundred times faster.
LIKE_A_MODEL = {"x-sim": "delay_headers=0.02,slow=0.002"}


def user(text: str) -> Any:
    """A user's message."""
    return {"role": "user", "content": text}


def called(what: str) -> Any:
    """Name a call; the name becomes a custom property of its events."""
    return amplitude_ai.context(properties={"demo_call": what})


def drive_openai(url: str) -> None:
    """The explicit client: the SDK is handed an instrumented HTTP client."""
    chat: Any = {"model": "gpt-4o-mini"}
    http = amplitude_ai.instrumented_httpx(user_id="demo-user")
    with openai.OpenAI(base_url=f"{url}/v1", api_key="demo", http_client=http) as client:
        with called("openai chat"):
            client.chat.completions.create(**chat, messages=[user("What is a transport?")], extra_headers=LIKE_A_MODEL)
        for name, options in (("usage", {"include_usage": True}), ("no usage", {})):
            with called(f"openai chat, streamed, {name}"):
                stream = client.chat.completions.create(
                    **chat,
                    messages=[user("Stream me an answer")],
                    stream=True,
                    stream_options=options or openai.omit,
                    extra_headers=LIKE_A_MODEL,
                )
                print(f"  {name}: {''.join(c.choices[0].delta.content or '' for c in stream if c.choices)}")
        with called("openai responses, cached"):
            client.responses.create(model="gpt-5-mini", input="Think [sim:reasoning=64,cached=1024]")
        with called("openai chat, asks for a tool"):
            answer = client.chat.completions.create(**chat, messages=[user(WEATHER)], tools=[CHAT_TOOL])
        call = answer.choices[0].message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny"}
        history: Any = [user(WEATHER), answer.choices[0].message.model_dump(exclude_none=True), result]
        with called("openai chat, tool's result"):
            client.chat.completions.create(**chat, messages=history, tools=[CHAT_TOOL])
        with called("openai chat, 429 and its retry"):
            client.chat.completions.create(**chat, messages=[user("Try again [sim:fail_once=429]")])


async def drive_openai_async(url: str) -> None:
    """The async client: two users at once, each with a session of two turns."""
    http = amplitude_ai.instrumented_async_httpx()
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="demo", http_client=http) as client:

        async def talk(name: str) -> None:
            turns = [user(f"Hello, {name} here")]
            options: Any = {"stream": True, "stream_options": {"include_usage": True}}
            with amplitude_ai.context(user_id=f"{name}-1", session_id=f"{name}-talk"):
                with called(f"async openai, {name} 1"):
                    first = await client.chat.completions.create(model="gpt-4o-mini", messages=turns)
                turns += [{"role": "assistant", "content": first.choices[0].message.content}, user("Tell me more")]
                with called(f"async openai, {name} 2, streamed"):
                    stream = await client.chat.completions.create(model="gpt-4o-mini", messages=turns, **options)
                    async for _ in stream:
                        pass

        await asyncio.gather(talk("alice"), talk("bobby"))


def drive_anthropic(url: str) -> None:
    """An existing client, instrumented in place."""
    ask: Any = {"model": "claude-haiku-4-5", "max_tokens": 200}
    tools: Any = [{"name": "get_weather", "input_schema": CITY}]
    with anthropic.Anthropic(base_url=url, api_key="demo", max_retries=0) as client:
        amplitude_ai.instrument(client, user_id="demo-user")
        with called("anthropic, cached"):
            client.messages.create(**ask, messages=[user("Hello Claude [sim:cached=2000,cache_write=300]")])
        streamed = client.messages.stream(**ask, messages=[user("A poem")], extra_headers=LIKE_A_MODEL)
        with called("anthropic, streamed"), streamed as stream:
            print(f"  anthropic: {''.join(stream.text_stream)}")
        with called("anthropic, asks for a tool"):
            answer = client.messages.create(**ask, messages=[user(WEATHER)], tools=tools)
        result = {"type": "tool_result", "tool_use_id": answer.content[0].id, "content": "18 degrees"}
        back: Any = [
            user(WEATHER),
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ]
        with called("anthropic, tool's result"):
            client.messages.create(**ask, messages=back, tools=tools)
        with called("anthropic, overloaded"):
            try:
                client.messages.create(**ask, messages=[user("Hi [sim:status=529]")])
            except anthropic.APIStatusError as exc:
                print(f"  anthropic said: {exc.status_code} {type(exc).__name__}")


async def drive_google(url: str) -> None:
    """google-genai with instrumented HTTP clients of both colours."""
    http = amplitude_ai.instrumented_httpx(user_id="demo-user")
    async_http = amplitude_ai.instrumented_async_httpx(user_id="demo-user")
    options = genai_types.HttpOptions(base_url=url, httpx_client=http, httpx_async_client=async_http)
    client = genai.Client(api_key="demo", http_options=options)
    model = "gemini-2.5-flash"
    with called("google, thinking"):
        client.models.generate_content(model=model, contents="What is AI? [sim:reasoning=40]")
    with called("google, streamed"):
        for _ in client.models.generate_content_stream(model=model, contents="Count to five"):
            pass
    with called("async google"):
        await client.aio.models.generate_content(model=model, contents="Hello from a task")
    with called("async google, streamed"):
        async for _ in await client.aio.models.generate_content_stream(model=model, contents="Count again"):
            pass
    http.close()
    await async_http.aclose()


def drive_everything_else(url: str) -> None:
    """The global hook: clients that know nothing of us, made before and after it; and a requests session of ours."""
    import httpx
    import requests

    body = {"model": "gpt-4o-mini", "messages": [user("No SDK at all")]}
    with httpx.Client() as before:
        amplitude_ai.install_transport(user_id="demo-user")
        with called("plain httpx, global hook"):
            before.post(f"{url}/v1/chat/completions", json=body)
        with called("plain requests, global hook"):
            requests.post(f"{url}/v1/chat/completions", json=body, timeout=10)
        with called("hook and client: one record"):
            http = amplitude_ai.instrumented_httpx(user_id="demo-user")
            with openai.OpenAI(base_url=f"{url}/v1", api_key="demo", http_client=http) as client:
                client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        amplitude_ai.uninstall_transport()
    session = amplitude_ai.instrumented_requests(user_id="demo-user")
    with session, called("requests, connection cut"):
        try:
            session.post(f"{url}/v1/chat/completions", json=body, headers={"x-sim": "cut_body"}, timeout=10)
        except requests.RequestException as exc:
            print(f"  requests saw what it would have seen without us: {type(exc).__name__}")


# What was recorded ------------------------------------------------------------------------------------------------

CALLS = """
SELECT json_extract(properties, '$.demo_call') AS "what was called", model_provider AS provider, model_name AS model,
       coalesce(http_status, '–') || iif(success, '', ' !') AS status, input_tokens AS "in", output_tokens AS "out",
       cached_input_tokens AS cached, iif(cost_usd IS NULL, NULL, printf('%.7f', cost_usd)) AS "cost $",
       round(latency_ms, 1) AS ms, round(time_to_first_token_ms, 1) AS TTFT, tool_call_count AS tools
FROM llm_message ORDER BY time
"""
RUNS = """
SELECT user_id AS user, session_id AS run, total_messages AS calls, total_errors AS errors, total_tokens AS tokens,
       iif(total_cost_usd IS NULL, NULL, printf('%.7f', total_cost_usd)) AS "cost $",
       total_tool_calls AS tools, end_reason AS "ended by"
FROM llm_run_finished ORDER BY time
"""
TOOLS = """
SELECT tool_name AS tool, model_provider AS provider, tool_parameters AS parameters, tool_result AS result,
       round(latency_ms, 1) AS ms
FROM tool_called ORDER BY time
"""
#: One of the specification's queries, as it stands there.
ERROR_RATES = """
SELECT model_name,
       COUNT(*) as total_calls,
       SUM(CASE WHEN success = false THEN 1 ELSE 0 END) as errors,
       SUM(CASE WHEN success = false THEN 1 ELSE 0 END) * 100.0 / COUNT(*) as error_rate
FROM llm_message
GROUP BY model_name
"""


def show(title: str, store: sqlite3.Connection, query: str, layout: str) -> None:
    """Print the rows of a query. ``layout`` is a column's alignment and width each; a dash is what is not known."""
    cursor = store.execute(query)
    print(f"\n{title}")
    for row in [[column[0] for column in cursor.description], *cursor]:
        cells = zip(row, layout.split(), strict=True)
        print(" ", *(f"{'–' if cell is None else str(cell)[: int(wide[1:])]:{wide}}" for cell, wide in cells))


def fingerprints(sent: Sequence[Received], store: sqlite3.Connection) -> tuple[Counter[Any], Counter[Any]]:
    """Every call as (status, input, output, cached, reasoning, tools): by the simulator's books, and by ours."""
    theirs: Counter[Any] = Counter()
    for call in sent:
        told = call.told
        counts = (told.input, told.output or None, told.cached, told.reasoning) if told else (None, None, 0, 0)
        theirs[call.status, *counts, call.tool_calls] += 1
    ours = store.execute(
        """SELECT http_status, input_tokens, nullif(output_tokens, 0), coalesce(cached_input_tokens, 0),
                  coalesce(reasoning_tokens, 0), coalesce(tool_call_count, 0) FROM llm_message"""
    )
    return theirs, Counter(tuple(row) for row in ours)


def compare(sent: Sequence[Received], store: sqlite3.Connection) -> bool:
    """Print both books' totals; whether they are equal, in total and call by call."""
    theirs, ours = fingerprints(sent, store)
    print("\nThe simulator's own books against the store")
    print(f"  {'':<24}{'sent':>9}{'recorded':>10}")
    print(f"  {'calls':<24}{theirs.total():>9}{ours.total():>10}")
    for index, title in enumerate(
        ("input tokens", "output tokens", "cached tokens", "reasoning tokens", "tool calls"), 1
    ):
        totals = [sum((call[index] or 0) * times for call, times in book.items()) for book in (theirs, ours)]
        print(f"  {title:<24}{totals[0]:>9}{totals[1]:>10}")
    for call in (theirs - ours) + (ours - theirs):
        print(
            f"  differs: {theirs[call]} sent, {ours[call]} recorded: status, in, out, cached, reasoning, tools = {call}"
        )
    print("  equal, call by call" if theirs == ours else "  NOT EQUAL")
    return theirs == ours


def report(sent: Sequence[Received]) -> bool:
    """Print what the store holds; whether it is what was sent."""
    if not STORE.exists():
        print(f"Nothing was recorded: {amplitude_ai.stats()}")
        return False
    store = sqlite3.connect(f"file:{STORE}?mode=ro", uri=True)
    show("Calls (a row of llm_message each; ! failed, – not known)", store, CALLS, "<32 <9 <22 <6 >4 >4 >6 >9 >6 >5 >5")
    show("Runs (llm_run_finished)", store, RUNS, "<10 <40 >5 >6 >6 >9 >5 <8")
    show("Tools (tool_called)", store, TOOLS, "<12 <9 <20 <30 >6")
    show("Error rates by model (the specification's SQL, as it stands)", store, ERROR_RATES, "<22 >11 >6 >18")
    tokens, cost = store.execute("SELECT sum(total_tokens), sum(cost_usd) FROM llm_message").fetchone()
    events = store.execute("SELECT event_type, count(*) FROM events GROUP BY event_type ORDER BY 2 DESC").fetchall()
    equal = compare(sent, store)
    print(f"\n{tokens} tokens, ${cost:.7f}. Events: {', '.join(f'{count} {name}' for name, count in events)}.")
    print(BY_HAND)
    print(f"The store: {STORE.relative_to(ROOT)} — sqlite3 {STORE.relative_to(ROOT)} 'select * from llm_message'")
    store.close()
    return equal


def main() -> int:
    """Run the demo; 0 when the books agree."""
    for suffix in ("", "-wal", "-shm"):
        STORE.with_name(STORE.name + suffix).unlink(missing_ok=True)
    started = time.monotonic()
    with Simulator() as simulator:
        print(f"Simulated providers listen on {simulator.url}. Real SDKs call them:")
        drive_openai(simulator.url)
        asyncio.run(drive_openai_async(simulator.url))
        drive_anthropic(simulator.url)
        asyncio.run(drive_google(simulator.url))
        drive_everything_else(simulator.url)
        delivered = amplitude_ai.flush(10) and amplitude_ai.shutdown(10)
        sent = simulator.requests()
    equal = report(sent)
    print(f"{time.monotonic() - started:.1f} s, no key, nothing left this machine.")
    if not delivered:
        print(f"Not everything was delivered: {amplitude_ai.stats()}")
    python = os.path.relpath(sys.executable)  # as make has called it
    print(f"See it in a browser: make demo-ui, or {python} -m amplitude_ai --store {os.path.relpath(STORE)} ui --open")
    return 0 if equal and delivered else 1


if __name__ == "__main__":
    sys.exit(main())
