"""``make neighbours``: the tests of this folder, with all neighbours, each in an environment of its own.

``make neighbours ENVIRONMENTS=instrumentations,crewai`` makes and runs some. What cannot be installed is listed with
the reason, and its tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from ._environments import FOLDER, ROOT, SWITCH

PREFIX = "requirements-"


def make(name: str) -> str | None:
    """Make one environment; the reason when that cannot be done."""
    folder = FOLDER / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    # uv takes seconds where pip takes minutes.
    install = [shutil.which("uv") or "", "pip", "install", "--quiet", "--python", str(python)]
    if not install[0]:
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wanted = Path(__file__).with_name(f"{PREFIX}{name}.txt")
    made = subprocess.run([*install, "-e", str(ROOT), "-r", str(wanted)], capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(folder)
        return (made.stderr.strip().splitlines() or ["no reason given"])[-1]
    return None


def main(chosen: list[str]) -> int:
    """Make the environments and run the tests."""
    every = sorted(path.stem.removeprefix(PREFIX) for path in Path(__file__).parent.glob(f"{PREFIX}*.txt"))
    for name in chosen or every:
        reason = make(name)
        print(f"{name}: " + ("there" if reason is None else f"cannot be installed: {reason}"), flush=True)
    folder = str(Path(__file__).parent.relative_to(ROOT))
    command = [sys.executable, "-m", "pytest", "-W", "default", folder, "--durations=5"]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {SWITCH: "1"}).returncode


if __name__ == "__main__":
    sys.exit(main([name for name in sys.argv[1:] if name]))
