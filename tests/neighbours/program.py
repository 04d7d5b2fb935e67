"""One quick-start, in a process of its own: ``python -m tests.neighbours.program NAME with|without URL``.

Prints one JSON line: what it gave, how many records we made. ``without`` never imports us.
"""

from __future__ import annotations

import importlib
import json
import sys


def main(name: str, with_us: bool, url: str) -> None:
    """Run the program."""
    if with_us:
        import amplitude_ai
        from amplitude_ai import _guard
        from amplitude_ai.testing import EventList

        events = EventList()
        _guard.on_internal_error = lambda stage, exc: print(f"swallowed at {stage}: {exc!r}", file=sys.stderr)
        amplitude_ai.install_transport(amplitude_client=events)
    told = {"given": importlib.import_module(f"tests.neighbours.programs.{name}").main(url), "recorded": 0}
    if with_us:
        if not amplitude_ai.flush(30):
            raise RuntimeError("flush")
        told["recorded"] = len(events.of_type("llm_message"))
    print("\n" + json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "with", sys.argv[3])
