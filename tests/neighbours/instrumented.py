"""One case of the matrix of instrumentations, in a process of its own.

``python -m tests.neighbours.instrumented NEIGHBOUR STEPS with|without URL`` takes the steps in turn (``T``, ``t``: the
neighbour on, off; ``O``, ``o``: we on, off; ``c``: calls) and prints one JSON line for each ``c``: what the calls gave,
how many requests the neighbour saw, how many records we made, by library. ``without`` never imports us.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ._calls import Library
from ._instrumentations import NEIGHBOURS


def main(name: str, steps: str, with_us: bool, url: str) -> None:
    """Run the case."""
    kind = NEIGHBOURS[name]
    libraries = {library: Library(library) for library in kind.libraries}
    neighbour = kind(url)
    ours = _Ours() if with_us else None
    theirs = False
    for step in steps:
        if step == "c":
            phase: dict[str, Any] = {}
            for library, calls in libraries.items():
                before, recorded = neighbour.seen(), ours.recorded() if ours else 0
                results = calls.phase(url, kind.answers and theirs)
                seen = neighbour.seen() - before if theirs else 0
                phase[library] = {"results": results, "seen": seen}
                phase[library]["recorded"] = ours.recorded() - recorded if ours else 0
            print(json.dumps(phase), flush=True)
        elif step == "T":
            neighbour.on()
            theirs = True
        elif step == "t":
            neighbour.off()
            theirs = False
        elif ours is not None:
            ours.on() if step == "O" else ours.off()


class _Ours:
    def __init__(self) -> None:
        import amplitude_ai
        from amplitude_ai import _guard
        from amplitude_ai.testing import EventList

        self.module = amplitude_ai
        self.events = EventList()
        _guard.on_internal_error = lambda stage, exc: print(f"swallowed at {stage}: {exc!r}", file=sys.stderr)

    def on(self) -> None:
        self.module.install_transport(amplitude_client=self.events)

    def off(self) -> None:
        self.module.uninstall_transport()

    def recorded(self) -> int:
        if not self.module.flush(20):
            raise RuntimeError("flush")
        return len(self.events.of_type("llm_message"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3] == "with", sys.argv[4])
