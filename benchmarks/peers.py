"""The cost of watching, against the floor and against everyone: ``make bench-peers``; writes ``RESULTS.md``.

Makes environments of its own below ``.bench/`` (or ``$AMPLITUDE_AI_BENCH``): one with the peers, on the openai SDK's
2.x and anthropic's 1.x, the last that all of them know; one with the official ``amplitude-ai``, which has the import
name of this package. Each way runs in its own process (`_worker`); they take turns, repeat by repeat.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import venv
from pathlib import Path

from . import _report
from ._report import WAYS, WORK

ROOT = Path(__file__).parents[1]
PLACE = Path(os.environ.get("AMPLITUDE_AI_BENCH", ROOT / ".bench"))
SDKS = ("openai>=2,<3", "anthropic>=1.8,<2", "httpx", "httpx2")
PACKAGES = {
    "a": (
        "langfuse",
        "posthog",
        "openinference-instrumentation-openai",
        "openinference-instrumentation-anthropic",
        "opentelemetry-instrumentation-httpx",
        "logfire",
        "traceloop-sdk",
        "-e",
        str(ROOT),
    ),
    "b": ("amplitude-ai",),
}


def environment(name: str) -> Path:
    """The Python of an environment, made when missing. By uv: pip takes an hour to resolve what the peers ask for."""
    place = PLACE / name
    python = place / "bin" / "python"
    if not (place / ".installed").exists():
        tools = PLACE / "tools"
        if not (tools / "bin" / "uv").exists():
            venv.create(tools, with_pip=True)
            subprocess.run([tools / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
        venv.create(place)
        install = [tools / "bin" / "uv", "pip", "install", "--quiet", "--python", python, *SDKS, *PACKAGES[name]]
        subprocess.run(install, check=True)
        (place / ".installed").touch()
    return python


class Worker:
    """One way of watching."""

    def __init__(self, python: Path, way: str) -> None:
        command = [str(python), "-W", "ignore", str(Path(__file__).with_name("_worker.py")), way]
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
        """Do some work; ``{}`` when this way has no such work."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work} {calls}\n")
        self.process.stdin.flush()
        return self._read()


def measure(workers: dict[str, Worker], work: str, calls: int, repeats: int) -> dict[str, list[dict]]:
    """What each way told, a repeat after the other; ways take turns within each."""
    figures: dict[str, list[dict]] = {}
    for repeat in range(-1, repeats):
        for way, worker in workers.items():
            told = worker.ask(work, calls)
            if told and repeat >= 0:  # the first is to warm up
                figures.setdefault(way, []).append(told)
    return figures


def size_mb(python: Path, package: str) -> float:
    """What a package takes on disk, without what it needs, in MB."""
    code = (
        "import importlib.metadata as m, sys; d = m.distribution(sys.argv[1]);"
        "print(sum(p.stat().st_size for f in d.files or () if (p := d.locate_file(f)).is_file()) / 1e6)"
    )
    done = subprocess.run([python, "-c", code, package], capture_output=True, text=True)
    return float(done.stdout) if done.returncode == 0 else float("nan")


def import_ms(python: Path) -> float:
    """The import of this package in a fresh process, in ms (median of 9)."""
    code = "import time; t=time.perf_counter(); import amplitude_ai; print((time.perf_counter()-t)*1000)"
    runs = [subprocess.run([python, "-c", code], capture_output=True, text=True, cwd=PLACE) for _ in range(9)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> int:
    """Measure, print, write."""
    PLACE.mkdir(exist_ok=True)
    pythons = {name: environment(name) for name in PACKAGES}
    workers: dict[str, Worker] = {}
    missing: list[str] = []
    for way, (title, where, _) in WAYS.items():
        try:
            workers[way] = Worker(pythons[where], way)
        except (RuntimeError, BrokenPipeError, OSError) as exc:
            missing.append(f"{title} ({exc})")
            print(f"left out: {missing[-1]}", flush=True)
    found = {}
    for work, (title, calls, repeats) in WORK.items():
        found[work] = measure(workers, work, calls, repeats)
        print(f"measured: {title}", flush=True)
    extra = {
        "ready_ms": {way: worker.ready_ms for way, worker in workers.items()},
        "import_ms": import_ms(pythons["a"]),
        "sizes": {
            "this package": sum(path.stat().st_size for path in (ROOT / "amplitude_ai").rglob("*.py")) / 1e6,
            **{name: size_mb(pythons["a"], name) for name in ("langfuse", "logfire-sdk", "posthog", "traceloop-sdk")},
            "amplitude-ai": size_mb(pythons["b"], "amplitude-ai"),
        },
        "missing": missing,
    }
    _report.write(ROOT / "benchmarks", found, extra)
    for worker in workers.values():
        worker.process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
