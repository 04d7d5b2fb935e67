"""The cost of watching, against the floor and against everyone: ``python -m benchmarks.peers``; writes ``RESULTS.md``.

Makes environments of its own below ``.bench/``: one with the peers (all on the openai SDK's 2.x, the last that they all
know), one with the official ``amplitude-ai``. Each way runs in its own process; they take turns, repeat by repeat.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACE = Path(os.environ.get("AMPLITUDE_AI_BENCH", ROOT / ".bench"))
OPENAI = "openai>=2,<3"
PEERS = (
    "httpx",
    "langfuse",
    "posthog",
    "openinference-instrumentation-openai",
    "opentelemetry-instrumentation-httpx",
    "logfire",
    "traceloop-sdk",
)
#: (function of the worker, its name in the table, environment, whether it reads tokens)
WAYS = (
    ("bare", "bare client", "a", False),
    ("pass_through", "empty pass-through transport (the floor)", "a", False),
    ("ours_explicit", "**ours**, explicit transport", "a", True),
    ("ours_global", "**ours**, global install", "a", True),
    ("ours_spool", "**ours**, spool on, Amplitude away", "a", True),
    ("otel_httpx", "OpenTelemetry httpx (no tokens)", "a", False),
    ("openinference", "openinference", "a", True),
    ("traceloop", "traceloop (opentelemetry-instrumentation-openai)", "a", True),
    ("logfire", "logfire", "a", True),
    ("posthog", "posthog", "a", True),
    ("langfuse", "langfuse", "a", True),
    ("official", "amplitude-ai (official)", "b", True),
)
#: (work, its title, calls a repeat, repeats)
WORK = (
    ("plain", "openai chat, plain", 40, 15),
    ("stream", "openai chat, a stream of 200 chunks", 6, 9),
    ("history", "20 turns of history, 100 KB", 10, 9),
    ("image", "a request with a 10 MB image", 1, 5),
)


def environment(name: str, packages: tuple[str, ...]) -> Path:
    """The Python of an environment, made when missing."""
    place = PLACE / name
    python = place / "bin" / "python"
    if not (place / ".installed").exists():
        if not python.exists():
            venv.create(place, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", OPENAI, *packages], check=True)
        (place / ".installed").touch()
    return python


class Worker:
    """One way of watching."""

    def __init__(self, python: Path, way: str) -> None:
        command = [str(python), str(Path(__file__).with_name("_worker.py")), way]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AMPLITUDE", "OTEL"))}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=PLACE, env=kept
        )
        self.ready_ms = float(self._read()["ready_ms"])

    def _read(self) -> dict:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("{"):  # some peers print a welcome
                return json.loads(line)
        raise RuntimeError("the worker ended")

    def ask(self, work: str, calls: int) -> dict:
        """Do some work."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work} {calls}\n")
        self.process.stdin.flush()
        return self._read()


def size_mb(python: Path, package: str) -> float:
    """What a package takes on disk, without what it needs, in MB."""
    code = (
        "import importlib.metadata as m, sys; d = m.distribution(sys.argv[1]);"
        "print(sum(p.stat().st_size for f in d.files or () if (p := d.locate_file(f)).is_file()) / 1e6)"
    )
    done = subprocess.run([python, "-c", code, package], capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else float("nan")


def main() -> int:
    """Measure, print, write."""
    PLACE.mkdir(exist_ok=True)
    pythons = {"a": environment("a", (*PEERS, "-e", str(ROOT))), "b": environment("b", ("amplitude-ai",))}
    workers: dict[str, Worker] = {}
    missing: dict[str, str] = {}
    for way, title, where, _ in WAYS:
        try:
            workers[way] = Worker(pythons[where], way)
        except (RuntimeError, BrokenPipeError, OSError) as exc:
            missing[title] = str(exc)
            print(f"left out: {title} ({exc})", flush=True)
    lines = [
        "# The cost of watching",
        "",
        f"Made by `make bench-peers` on {platform.python_implementation()} {platform.python_version()}, "
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}. In-memory transport, openai 2 on httpx, "
        "each way in a process of its own, taking turns; medians over the repeats, with the lowest and highest repeat. "
        "*Caller's CPU* is the thread that makes the call; *process* includes everything in the background.",
        "",
    ]
    for work, title, calls, repeats in WORK:
        figures: dict[str, list[dict]] = {way: [] for way in workers}
        for repeat in range(-1, repeats):
            for way, worker in list(workers.items()):
                try:
                    told = worker.ask(work, calls)
                except (RuntimeError, BrokenPipeError) as exc:
                    missing[f"{way}, {work}"] = str(exc)
                    del workers[way]
                    figures.pop(way, None)
                    continue
                if repeat >= 0:  # the first is to warm up
                    figures[way].append(told)
        lines += _table(title, calls, repeats, figures)
        print("\n".join(lines[-len(figures) - 4 :]), flush=True)
    lines += ["## Ready for the first call, and on disk", "", "| | import and client, ms |", "|---|---|"]
    lines += [f"| {title} | {workers[way].ready_ms:.0f} |" for way, title, _, _ in WAYS if way in workers]
    packages = [
        ("a", "langfuse"),
        ("a", "logfire"),
        ("a", "posthog"),
        ("b", "amplitude-ai"),
    ]
    sizes = ", ".join(f"{name} {size_mb(pythons[where], name):.1f} MB" for where, name in packages)
    lines += [
        "",
        f"Installed size of the package alone: {sizes}. Ours is installed editable; its files: {_own_mb():.1f} MB.",
    ]
    if missing:
        lines += ["", "Left out: " + "; ".join(f"{name} ({why})" for name, why in missing.items()) + "."]
    lines += ["", *(ROOT / "benchmarks" / "_findings.md").read_text().splitlines()]
    (ROOT / "benchmarks" / "RESULTS.md").write_text("\n".join(lines) + "\n")
    for worker in workers.values():
        worker.process.kill()
    return 0


def _own_mb() -> float:
    return sum(path.stat().st_size for path in (ROOT / "amplitude_ai").rglob("*.py")) / 1e6


def _table(title: str, calls: int, repeats: int, figures: dict[str, list[dict]]) -> list[str]:
    def thread(way: str) -> list[float]:
        return [told["thread_ns"] / calls / 1000 for told in figures[way]]

    def process(way: str) -> list[float]:
        return [told["process_ns"] / calls / 1000 for told in figures[way]]

    base = statistics.median(thread("bare"))
    floor = statistics.median(thread("pass_through"))
    idle = statistics.median(process("bare"))
    lines = [
        f"## {title}",
        "",
        f"µs a call; {repeats} repeats of {calls} calls.",
        "",
        "| | caller's CPU | lowest .. highest | of bare | over the floor | wall p50 / p95 / p99 | process over bare |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, name, _, _ in WAYS:
        if not figures.get(way):
            continue
        values = thread(way)
        middle = statistics.median(values)
        walls = sorted(wall / 1000 for told in figures[way] for wall in told["walls_ns"])
        at = [walls[min(int(len(walls) * share), len(walls) - 1)] for share in (0.5, 0.95, 0.99)]
        over = statistics.median(process(way)) - idle
        lines.append(
            f"| {name} | {middle:.0f} | {min(values):.0f} .. {max(values):.0f} | x{middle / base:.2f} | "
            f"{middle - floor:+.0f} | {at[0]:.0f} / {at[1]:.0f} / {at[2]:.0f} | {over:+.0f} |"
        )
    return [*lines, ""]


if __name__ == "__main__":
    sys.exit(main())
