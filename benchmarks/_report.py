"""Figures in, ``RESULTS.md`` and ``peers.svg`` out."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: The function in `_ways` -> (its name in the tables, environment, whether it reads tokens).
WAYS = {
    "bare": ("bare client", "a", False),
    "pass_through": ("empty pass-through transport (the floor)", "a", False),
    "ours_explicit": ("**ours**, explicit transport", "a", True),
    "ours_global": ("**ours**, global install", "a", True),
    "ours_spool": ("**ours**, spool on, Amplitude away", "a", True),
    "otel_httpx": ("OpenTelemetry httpx (no tokens)", "a", False),
    "openinference": ("openinference", "a", True),
    "traceloop": ("traceloop (opentelemetry-instrumentation-openai, -anthropic)", "a", True),
    "logfire": ("logfire", "a", True),
    "posthog": ("posthog", "a", True),
    "langfuse": ("langfuse", "a", True),
    "official": ("amplitude-ai (official)", "b", True),
}
#: The work of `_worker` -> (its title, calls a repeat, repeats).
WORK = {
    "plain": ("openai chat, plain", 50, 61),
    "stream": ("openai chat, a stream of 200 chunks", 3, 41),
    "anthropic": ("anthropic, a stream of 200 chunks", 5, 31),
    "history": ("openai chat, 20 turns of history, 100 KB", 5, 31),
    "image": ("openai chat, a 10 MB image", 1, 15),
    "concurrent": ("64 concurrent async calls (a row is the 64)", 1, 31),
    "other": ("no model call, to another host", 200, 61),
    "held": ("a stream in flight", 20, 1),
    "lag": ("the event loop's lag", 60, 7),
}
CHUNKS = 200
Told = dict[str, list[dict[str, Any]]]


def _thread(told: dict[str, Any]) -> float:
    return told["thread_ns"] / len(told["walls_ns"]) / 1000


def _process(told: dict[str, Any]) -> float:
    return told["process_ns"] / len(told["walls_ns"]) / 1000


def middle(told: list[dict[str, Any]], figure: Callable[[dict[str, Any]], float]) -> float:
    """The median over the repeats."""
    return statistics.median(figure(one) for one in told)


def over(found: Told, way: str, floor: str, figure: Callable[[dict[str, Any]], float] = _thread) -> float:
    """The median of the differences to ``floor`` within each repeat: a machine's moods last longer than one."""
    return statistics.median(figure(one) - figure(two) for one, two in zip(found[way], found[floor], strict=True))


def at(values: list[float], share: float) -> float:
    """A percentile."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def cost_table(found: Told) -> list[str]:
    """Caller's CPU, wall time and the process's CPU of each way, in µs."""
    bare = middle(found["bare"], _thread)
    lines = [
        "| | caller's CPU | lowest .. highest | of bare | over the floor | wall p50 / p95 / p99 | process over bare |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, (name, _, _) in WAYS.items():
        if way not in found:
            continue
        values = [_thread(told) for told in found[way]]
        walls = [wall / 1000 for told in found[way] for wall in told["walls_ns"]]
        own = statistics.median(values)
        wall = " / ".join(f"{at(walls, share):.0f}" for share in (0.5, 0.95, 0.99))
        lines.append(
            f"| {name} | {own:.0f} | {min(values):.0f} .. {max(values):.0f} | x{own / bare:.2f} | "
            f"{over(found, way, 'pass_through'):+.1f} | {wall} | "
            f"{over(found, way, 'bare', _process):+.0f} |"
        )
    return lines


def rest_table(found: dict[str, Told], ready_ms: dict[str, float]) -> list[str]:
    """What is no CPU of a call: memory of a stream, the loop's lag, threads, the way to the first call."""
    lines = [
        "| | held by a stream in flight, KB | loop's lag p99 / worst, ms | threads | imports and clients, ms |",
        "|---|---|---|---|---|",
    ]
    for way, (name, _, _) in WAYS.items():
        if way not in ready_ms:
            continue
        held, late = found["held"].get(way), found["lag"].get(way)
        lag = f"{p99(late):.2f} / {max(max(told['late_ms']) for told in late):.1f}" if late else "-"
        lines.append(
            f"| {name} | {middle(held, _bytes) / 1024 if held else float('nan'):.1f} | {lag} | "
            f"{max(told['threads'] for told in found['plain'][way])} | {ready_ms[way]:.0f} |"
        )
    return lines


def _bytes(told: dict[str, Any]) -> float:
    return float(told["bytes"])


def p99(late: list[dict[str, Any]]) -> float:
    """The median over the repeats of each one's 99th percentile, in ms."""
    return statistics.median(at(told["late_ms"], 0.99) for told in late)


def aims_table(found: dict[str, Told], import_ms: float) -> list[str]:
    """The aims of the project, each with what was measured."""
    plain = found["plain"]
    call = over(plain, "ours_explicit", "pass_through")
    chunk = (over(found["stream"], "ours_explicit", "pass_through") - call) / CHUNKS
    other = over(found["other"], "ours_global", "bare")
    process = over(plain, "ours_global", "bare", _process)
    lag = p99(found["lag"]["ours_global"]) - p99(found["lag"]["bare"])
    peers = {
        way: over(plain, way, "pass_through")
        for way, (_, _, reads) in WAYS.items()
        if reads and "ours" not in way and way in plain
    }
    cheapest = min(peers, key=lambda way: peers[way])
    held = (middle(found["held"]["ours_explicit"], _bytes) - middle(found["held"]["pass_through"], _bytes)) / 1024
    rows = [
        ("caller's thread, a plain call over the floor", f"{call:.1f} µs", "15 µs", call <= 15),
        ("caller's thread, a chunk over the floor", f"{chunk:.2f} µs", "0.15 µs", chunk <= 0.15),
        ("a host that is not watched, globally installed", f"{other:.2f} µs", "1 µs", other <= 1),
        ("whole process, a plain call over the bare one", f"{process:.0f} µs", "300 µs", process <= 300),
        ("event loop's lag added at p99, 100 KB calls", f"{lag:.2f} ms", "1 ms", lag <= 1),
        (
            f"times cheaper for the caller than the cheapest peer that reads tokens ({cheapest})",
            f"{peers[cheapest] / max(call, 0.1):.1f}",
            "10",
            peers[cheapest] >= 10 * call,
        ),
        ("import", f"{import_ms:.0f} ms", "40 ms", import_ms <= 40),
        ("held by a stream in flight over the floor", f"{held:.1f} KB", "64 KB", held <= 64),
    ]
    lines = ["| aim | measured | at most (at least) | holds |", "|---|---|---|---|"]
    return lines + [f"| {what} | {got} | {want} | {'yes' if holds else '**no**'} |" for what, got, want, holds in rows]


def chart(found: dict[str, Told]) -> str:
    """Bars: what each way that reads tokens adds on the caller's thread, in µs over the floor."""
    height, left, width = 22, 230, 420
    parts, y = [], 24
    for work in ("plain", "stream"):
        told = found[work]
        ways = [way for way, (_, _, reads) in WAYS.items() if reads and way in told]
        added = {way: max(over(told, way, "pass_through"), 0.0) for way in ways}
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{WORK[work][0]}: µs added to the caller</text>')
        for way in ways:
            y += height
            colour = "#1f6feb" if "ours" in way else "#9aa4b2"
            long = added[way] / max(added.values()) * width
            parts.append(f'<text x="10" y="{y + 4}">{WAYS[way][0].replace("**", "").split(" (op")[0]}</text>')
            parts.append(f'<rect x="{left}" y="{y - 9}" width="{long:.1f}" height="15" fill="{colour}"/>')
            parts.append(f'<text x="{left + long + 6:.0f}" y="{y + 4}">{added[way]:.0f}</text>')
        y += 2 * height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" height="{y}" font-family="sans-serif" '
        f'font-size="12"><rect width="{left + width + 80}" height="{y}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def machine() -> str:
    """What it was measured on, as far as the system tells."""
    cpu = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {os.cpu_count()} cores of a virtual machine ({cpu}), {platform.system()}"


def write(place: Path, found: dict[str, Told], extra: dict[str, Any]) -> None:
    """Write both files, and print the text."""
    lines = [
        "# The cost of watching",
        "",
        f"Made by `make bench-peers` on {machine()}. In-memory transport, openai 2 on httpx and anthropic 1 on httpx2; "
        "each way in a process of its own, taking turns; medians over the repeats, with the lowest and highest repeat. "
        "Differences are medians of the differences within each repeat. "
        "*Caller's CPU* is that of the thread that makes the call; *process over bare* includes everything that is "
        "done in the background (until 0.1 s after the last call; what exporters do later is theirs for free).",
        "",
        "## The aims",
        "",
        *aims_table(found, extra["import_ms"]),
        "",
        *(place / "_findings.md").read_text().splitlines(),
        "",
        "![what each adds](peers.svg)",
        "",
    ]
    for work, (title, calls, repeats) in WORK.items():
        if work in ("held", "lag"):
            continue
        lines += [f"## {title[0].upper()}{title[1:]}", "", f"µs; {repeats} repeats of {calls} calls.", ""]
        lines += [*cost_table(found[work]), ""]
    lines += ["## Memory, lag, threads, start", "", *rest_table(found, extra["ready_ms"]), ""]
    sizes = ", ".join(f"{name} {size:.1f} MB" for name, size in extra["sizes"].items())
    lines.append(f"Files of the package alone, without what it needs: {sizes}.")
    if extra["missing"]:
        lines += ["", "Left out: " + "; ".join(extra["missing"]) + "."]
    (place / "RESULTS.md").write_text("\n".join(lines) + "\n")
    (place / "peers.svg").write_text(chart(found))
    print("\n".join(lines))
