"""Which Python runs a neighbour's program: one made by ``make neighbours``, else the one that runs the tests."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".neighbours"
#: Set by ``make neighbours``: without it, what is not in the environment of the tests is skipped.
SWITCH = "AMPLITUDE_AI_NEIGHBOURS"


@functools.cache
def python(environment: str, *needs: str) -> str | None:
    """The Python that has the modules ``needs``, or ``None``."""
    made = FOLDER / environment / "bin" / "python"
    there = str(made) if os.environ.get(SWITCH) and made.exists() else sys.executable
    text = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([there, "-c", text, *needs], capture_output=True, cwd=ROOT)
    return there if done.returncode == 0 else None


def environment(**more: str) -> dict[str, str]:
    """The variables of such a program."""
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR", "PATH"}}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", **more}


def run(interpreter: str, *arguments: str, timeout: float = 240, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the repository on its path and no proxy, key or store of the developer's."""
    return subprocess.run(
        [interpreter, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**more),
        timeout=timeout,
    )
