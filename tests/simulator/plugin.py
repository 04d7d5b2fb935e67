"""The ``simulator`` fixture: one process for the whole test session, cleared for each test that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import Simulator


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulator]:
    """The process."""
    with Simulator() as running:
        yield running


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """The process, with an empty log."""
    simulator_process.clear()
    return simulator_process
