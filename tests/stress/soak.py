"""Many calls in one process: memory, threads and file descriptors stay where they were."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2

import amplitude_ai
from amplitude_ai.parsers._json import loads

from ._run import ROOT, row

PICTURE = ROOT / "benchmarks" / "soak.svg"
SAMPLES = 100


class Nowhere:
    """Takes events and keeps none."""

    def track(self, event: object) -> None:
        """Nothing."""


def run(calls: int = 200_000, picture: Path | None = PICTURE, memory: bool = True) -> bool:
    """Plain, streamed, failing and abandoned ones, of ever new users and sessions, with tools that never answer."""
    dice = random.Random(1)
    client = amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(_answer), amplitude_client=Nowhere())
    series: list[float] = []
    others: list[tuple[int, int]] = []
    for number in range(calls):
        stream = number % 3 == 0
        body = {
            "model": ("gpt-4o-mini", "unknown-model")[number % 2],
            "stream": stream,
            "messages": [{"role": "user", "content": f"Hello {number} {'x' * dice.randrange(3000)}"}],
        }
        with amplitude_ai.context(user_id=f"user-{number}", session_id=f"session-{number // 2}"):
            if number % 30 == 0:
                with client.stream("POST", URL, json=body) as response:
                    next(response.iter_raw(), None)
            else:
                client.post(URL, json=body)
        if (number + 1) % (calls // SAMPLES) == 0:
            amplitude_ai.flush(60)
            series.append(_rss_mb())
            others.append((threading.active_count(), len(os.listdir("/proc/self/fd"))))
    client.close()
    early, late = max(series[SAMPLES // 4 : SAMPLES // 2]), max(series[-SAMPLES // 4 :])
    if picture is not None:
        picture.write_text(_svg(series, calls))
    stats = amplitude_ai.stats()
    dropped = {name: value for name, value in stats.items() if name.startswith(("dropped", "internal")) and value}
    threads, files = zip(*others, strict=True)
    outcome = (
        f"RSS {series[0]:.0f} MB at 1 %, {early:.0f} MB by half, {late:.0f} MB in the last quarter; "
        f"threads {min(threads)}..{max(threads)}, files {min(files)}..{max(files)}; lost {dropped or 'none'}"
    )
    # The worker is among the threads while it works, which it may still do in the moment after a flush.
    stays = all(min(counts[-SAMPLES // 4 :]) <= min(counts[: SAMPLES // 4]) for counts in (threads, files))
    flat = (late <= early * 1.03 + 2 or not memory) and stays and not dropped
    return row("soak", f"{calls} calls", outcome, flat)


URL = "https://api.openai.com/v1/chat/completions"


class _Pieces(httpx2.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        chunk = b'data: {"id":"1","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
        yield from (bytes(chunk) for _ in range(50))
        yield b"data: [DONE]\n\n"


def _answer(request: httpx2.Request) -> httpx2.Response:
    asked = loads(request.content)
    number = int(asked["messages"][0]["content"].split()[1])
    if number % 50 == 7:
        return httpx2.Response(429, json={"error": {"message": "slow down", "type": "rate_limit"}})
    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    if asked["stream"]:
        return httpx2.Response(200, stream=_Pieces(), headers={"content-type": "text/event-stream"})
    call = {"id": f"call-{number}", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    message = {"role": "assistant", "content": "y" * 2000, "tool_calls": [call]}
    choices = [{"index": 0, "finish_reason": "tool_calls", "message": message}]
    return httpx2.Response(200, json={"id": str(number), "model": "gpt-4o-mini", "choices": choices, "usage": usage})


def _rss_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _svg(series: list[float], calls: int) -> str:
    width, height, top = 720, 240, max(series) * 1.15
    points = " ".join(
        f"{60 + index * (width - 80) / (len(series) - 1):.1f},{height - 30 - value / top * (height - 50):.1f}"
        for index, value in enumerate(series)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="white"/>'
        f'<text x="60" y="16">Resident memory over {calls} calls (MB)</text>'
        f'<line x1="60" y1="{height - 30}" x2="{width - 20}" y2="{height - 30}" stroke="#888"/>'
        f'<line x1="60" y1="20" x2="60" y2="{height - 30}" stroke="#888"/>'
        f'<text x="20" y="{height - 26}">0</text><text x="14" y="30">{top:.0f}</text>'
        f'<text x="{width - 90}" y="{height - 10}">{calls}</text>'
        f'<polyline points="{points}" fill="none" stroke="#1f6feb" stroke-width="2"/></svg>\n'
    )
