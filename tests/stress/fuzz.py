"""Mutated exchanges over all parsers and frame readers: none raises, none takes long, none grows.

Two ways: many at random from the examples of the tests, in as many processes as there are cores; and by atheris, which
follows the branches, where it is installed.
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from ._run import ROOT, row

TOKENS = [
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"9" * 400,
    b'"\\ud800"',
    b"[" * 300,
    b"{" * 300,
    b"\xff\xfe",
    b"\0",
    b"data: ",
    b"\n\n",
    b"event: error\n",
    b"[DONE]",
    b"\r",
    b'{"error":',
    b'{"usage":[]}',
    b"true",
    b'""',
]
KINDS = [
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
    "",
    "a/b",
]
ENCODINGS = ["gzip", "br", "zstd", "deflate", "gzip, br", "unknown"]
SLOW_SECONDS = 2.0


def mutated(dice: random.Random, body: bytes, other: bytes) -> bytes:
    """A body with a few things wrong."""
    data = bytearray(body)
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        at = dice.randrange(len(data) + 1)
        how = dice.randrange(7)
        if how == 0 and data:
            data[at % len(data)] = dice.randrange(256)
        elif how == 1:
            del data[at : at + dice.choice((1, 2, 5, 50))]
        elif how == 2:
            data[at:at] = dice.choice(TOKENS)
        elif how == 3:
            data[at : at + dice.choice((1, 4, 10))] = dice.choice(TOKENS)
        elif how == 4:
            del data[at:]
        elif how == 5:
            data[at:at] = data[at : at + dice.randrange(200)]
        else:
            data[at:at] = other[: dice.randrange(len(other) + 1)]
    return bytes(data)


def batch(seed: int, number: int) -> tuple[int, int, list[str]]:
    """Read so many; how many were calls, how many had something unreadable, and what went wrong."""
    from amplitude_ai.parsers._read import read_all
    from tests.fixtures import anthropic, google, openai, others

    examples = [*openai.EXAMPLES, *anthropic.EXAMPLES, *google.EXAMPLES, *others.EXAMPLES]
    wholes = [(one, one.exchange(), one.body) for one in examples]
    dice = random.Random(seed)
    calls = unreadable = 0
    wrong: list[str] = []
    for turn in range(number):
        example, whole, body = wholes[turn % len(wholes)]
        bad = mutated(dice, body, dice.choice(wholes)[2])
        cut = dice.randrange(len(bad) + 1)
        exchange = replace(whole, response_chunks=(bad[:cut], bad[cut:]))
        luck = dice.random()
        if luck < 0.2:
            asked = mutated(dice, whole.request_body or b"", body)
            exchange = replace(exchange, request_body=asked)
        elif luck < 0.3:
            exchange = replace(exchange, response_headers={"content-type": dice.choice(KINDS)})
        elif luck < 0.35:
            exchange = replace(exchange, response_headers={"content-encoding": dice.choice(ENCODINGS)})
        elif luck < 0.4:
            exchange = replace(exchange, status=dice.choice((None, 200, 204, 400, 500, 999)))
        began = time.perf_counter()
        try:
            for call, _ in read_all(exchange):
                calls += 1
                unreadable += call.parse_error is not None
                hash(repr(call)[:100])
        except Exception as exc:
            wrong.append(f"{example.name}: {type(exc).__name__} {str(exc)[:80]}")
        if time.perf_counter() - began > SLOW_SECONDS:
            wrong.append(f"{example.name}: {time.perf_counter() - began:.1f} s")
        if len(wrong) > 20:
            break
    return calls, unreadable, wrong


def run(exchanges: int = 1_000_000, seed: int = 1) -> bool:
    """At random."""
    cores = os.cpu_count() or 1
    parts = cores * 4
    began = time.perf_counter()
    with ProcessPoolExecutor(cores) as pool:
        results = list(pool.map(batch, range(seed, seed + parts), [exchanges // parts] * parts))
    calls, unreadable = sum(one[0] for one in results), sum(one[1] for one in results)
    wrong = [complaint for one in results for complaint in one[2]]
    outcome = (
        f"{exchanges // parts * parts} exchanges, {calls} calls, {unreadable} of them with something unreadable, "
        f"{len(wrong)} raised or slow, {time.perf_counter() - began:.0f} s"
    )
    for complaint in wrong[:10]:
        print(f"     {complaint}")
    return row("fuzz", "mutated examples, all formats", outcome, not wrong)


ATHERIS = """
import sys
import atheris
with atheris.instrument_imports(include=["amplitude_ai.parsers"]):
    from amplitude_ai.parsers._read import read_all
from dataclasses import replace
from tests.fixtures import anthropic, google, openai, others
WHOLES = [one.exchange() for one in [*openai.EXAMPLES, *anthropic.EXAMPLES, *google.EXAMPLES, *others.EXAMPLES]]
def one_input(data):
    if data:
        whole = WHOLES[data[0] % len(WHOLES)]
        for call, _ in read_all(replace(whole, response_chunks=(data[1:],))):
            repr(call)
atheris.Setup(sys.argv, one_input)
atheris.Fuzz()
"""


def run_atheris(runs: int = 200_000) -> bool:
    """By coverage."""
    if importlib.util.find_spec("atheris") is None:
        return row("fuzz", "atheris", "not installed here; left out", True)
    import tempfile
    from pathlib import Path

    from tests.fixtures import anthropic, google, openai, others

    with tempfile.TemporaryDirectory() as place:
        examples = [*openai.EXAMPLES, *anthropic.EXAMPLES, *google.EXAMPLES, *others.EXAMPLES]
        for number, one in enumerate(examples):
            (Path(place) / f"seed-{number}").write_bytes(bytes([number % 256]) + one.body)
        command = [
            sys.executable,
            "-c",
            ATHERIS,
            f"-runs={runs}",
            "-max_total_time=240",
            "-timeout=5",
            "-rss_limit_mb=2048",
        ]
        done = subprocess.run([*command, place], cwd=ROOT, capture_output=True, text=True, timeout=600)
    lines = done.stderr.strip().splitlines()
    last = next((line for line in reversed(lines) if line.startswith("Done")), lines[-1] if lines else "")
    return row("fuzz", "atheris, following the branches", last[:100], done.returncode == 0)
