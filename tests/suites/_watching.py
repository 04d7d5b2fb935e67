"""A pytest plugin for a suite of somebody else's: switches us on in the mode asked for, and writes down each outcome.

In (environment): ``SUITE_MODE`` (``without``, ``hook``, ``every``), ``SUITE_OUTCOMES`` (a file). ``every`` is a switch
for tests only: each request of the process is watched, whatever its host and path.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

MODE = os.environ["SUITE_MODE"]
outcomes: dict[str, str] = {}


class Nobody:
    """Takes the events."""

    def track(self, event: object) -> None:
        """Forget it."""


if MODE != "without":
    import amplitude_ai
    import amplitude_ai._guard

    if MODE == "every":
        from msgspec.structs import replace

        from amplitude_ai.instrumentation import install

        install.observer = replace(install.observer, watches=lambda *request: True, may_watch=lambda path: True)
    amplitude_ai._guard.on_internal_error = lambda stage, exc: traceback.print_exception(exc, file=sys.__stderr__)
    amplitude_ai.install_transport(amplitude_client=Nobody())


def pytest_runtest_logreport(report):
    """The worst of the three parts of a test is its outcome."""
    known = outcomes.get(report.nodeid)
    if report.outcome != "passed" or known is None:
        outcomes[report.nodeid] = report.outcome if known in (None, "passed") else known


def pytest_sessionfinish(session):
    """Write them down, with our counters."""
    told = {"outcomes": outcomes, "stats": {}}
    if MODE != "without":
        import gc

        gc.collect()
        amplitude_ai.flush(30)
        told["stats"] = amplitude_ai.stats()
    Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(told))
