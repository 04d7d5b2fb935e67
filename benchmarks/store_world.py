"""A store of as many events as wanted, made up: ``python -m benchmarks.store_world PATH [EVENTS]``.

Sessions of a few calls each over thirty days, with users, models, agents, tools, failures and retries in the shares of
an application. Written in few transactions, which the library never does; the rows are those it would write.
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from pathlib import Path

from amplitude_ai.delivery import _store_schema
from amplitude_ai.delivery._sqlite import open_private
from amplitude_ai.delivery._store_hours import HourSums

MODELS = (
    ("openai", "gpt-4o-mini-2024-07-18", 0.15e-6, 0.6e-6),
    ("openai", "gpt-5-mini", 0.25e-6, 2e-6),
    ("anthropic", "claude-haiku-4-5", 1e-6, 5e-6),
    ("google", "gemini-2.5-flash", 0.3e-6, 2.5e-6),
    ("mistral", "mistral-large-latest", None, None),
)
WORDS = (
    *("the", "of", "to", "and", "a", "in", "is", "it", "you", "that", "he", "was", "for", "on", "are", "with"),
    *("as", "his", "they", "be", "at", "one", "have", "this", "from"),
)
DAYS = 30


def text(chance: random.Random, words: int) -> str:
    """So many words."""
    return " ".join(chance.choices(WORDS, k=words))


def world(events: int, end_ms: int, seed: int = 7) -> list[tuple[object, ...]]:
    """Rows for the table, generated one session after the other."""
    chance = random.Random(seed)
    rows: list[tuple[object, ...]] = []
    sessions = max(1, events // 20)
    made = 0
    for number in range(sessions):
        if made >= events:
            break
        time_ms = end_ms - DAYS * 86_400_000 + number * DAYS * 86_400_000 // sessions
        user = f"user-{chance.randrange(1000)}"
        session = f"session-{number}"
        base = {"session_id": session, "sdk_version": "0.1.0"}
        provider, model, price_in, price_out = chance.choices(MODELS, (50, 20, 15, 10, 5))[0]
        base.update(model_provider=provider, model_name=model)

        def add(kind: str, at: int, user: str = user, base: dict[str, str] = base, **own: object) -> None:
            nonlocal made
            made += 1
            insert_id = str(uuid.UUID(int=chance.getrandbits(128), version=5))
            said = {name: value for name, value in own.items() if value is not None}
            rows.append((insert_id, kind, at, user, None, json.dumps({**base, **said}), "{}", at // 1000))

        add("llm_run_started", time_ms, run_source="automatic")
        for turn in range(6):
            add("user_message", time_ms, content=text(chance, 20), content_length=100, turn_id=f"{session}-{turn}")
            for attempt in range(1 + (chance.random() < 0.03)):
                latency = chance.lognormvariate(6.5, 0.6)
                time_ms += int(latency)
                failed = chance.random() < 0.02
                tokens_in, tokens_out = chance.randrange(50, 3000), chance.randrange(10, 800)
                cost = None if price_in is None or failed else tokens_in * price_in + tokens_out * price_out
                add(
                    "llm_message",
                    time_ms,
                    turn_id=f"{session}-{turn}",
                    turn_index=turn,
                    agent=chance.choice(("triage", "search", "writer")),
                    input_content=text(chance, 60),
                    output_content=None if failed else text(chance, 80),
                    input_tokens=None if failed else tokens_in,
                    output_tokens=None if failed else tokens_out,
                    total_tokens=None if failed else tokens_in + tokens_out,
                    cached_input_tokens=None if failed else tokens_in // 2,
                    latency_ms=round(latency, 3),
                    time_to_first_token_ms=round(latency / 4, 3),
                    cost_usd=cost and round(cost, 12),
                    cost_source=cost and "genai-prices",
                    cache_savings_usd=cost and price_in and round(tokens_in // 2 * price_in * 0.9, 12),
                    success=not failed,
                    http_status=429 if failed else 200,
                    error_type="rate_limit_error" if failed else None,
                    attempt=attempt,
                    is_streaming=True,
                    tool_call_count=1,
                )
            add(
                "tool_called",
                time_ms + 5,
                tool_name=chance.choice(("search", "calculator")),
                success=True,
                latency_ms=5.0,
            )
        add("llm_run_finished", time_ms, total_messages=6, success=True)
    return rows[:events]


def make(path: Path, events: int, end_ms: int | None = None) -> None:
    """Make the store."""
    connection = open_private(path, _store_schema.migrate)
    end_ms = end_ms or int(time.time() * 1000)
    for part in range(0, events, 50_000):
        share = min(50_000, events - part)
        # Each part is a stretch of the thirty days of its own, the oldest first.
        stretch = DAYS * 86_400_000 // max(1, -(-events // 50_000))
        rows = world(share, end_ms, seed=part)
        first = end_ms - DAYS * 86_400_000 + part // 50_000 * stretch
        factor = stretch / (DAYS * 86_400_000)
        begin = end_ms - DAYS * 86_400_000
        rows = [(r[0], r[1], int(first + (r[2] - begin) * factor), *r[3:]) for r in rows]  # type: ignore[operator]
        rows = [(*r[:5], str(r[5]).replace('"session-', f'"s{part}-'), *r[6:]) for r in rows]
        connection.execute("BEGIN")
        connection.executemany(_store_schema.EVENTS.single, rows)
        connection.execute("COMMIT")
    sums = HourSums()
    for _ in range(events // 1000 + 2):  # as a writer does it, at each of its looks around
        sums.visit(connection, end_ms / 1000)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
