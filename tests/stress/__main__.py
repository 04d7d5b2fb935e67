"""``python -m tests.stress [section ...]``: all sections, or those named. Exit code 1 when one fails."""

from __future__ import annotations

import os
import platform
import sys
import time

from . import crowd, delivery, fuzz, green, kills, servers, soak
from ._run import Amplitude, serving

SECTIONS = ("delivery", "kills", "crowd", "servers", "green", "fuzz", "atheris", "soak")


def main(names: list[str]) -> int:
    """Run sections."""
    unknown = set(names) - set(SECTIONS)
    if unknown:
        print(f"unknown section {min(unknown)!r}; there are {', '.join(SECTIONS)}")
        return 2
    wanted = names or SECTIONS
    print(f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores\n")
    fine = True
    with serving("tests.stress.amplitude") as url, serving("tests.stress.models") as models:
        amplitude = Amplitude(url)
        steps = {
            "delivery": lambda: delivery.run(amplitude),
            "kills": lambda: kills.run(amplitude),
            "crowd": lambda: crowd.run(models),
            "servers": lambda: servers.run(amplitude, models),
            "green": lambda: green.run(amplitude, models),
            "fuzz": fuzz.run,
            "atheris": fuzz.run_atheris,
            "soak": soak.run,
        }
        for name in wanted:
            began = time.monotonic()
            fine &= steps[name]()
            print(f"     ({name}: {time.monotonic() - began:.0f} s)", flush=True)
    print("\nall held" if fine else "\nsome did not hold")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
