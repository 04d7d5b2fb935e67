"""The quick forms of ``make stress``: the same programs, with smaller numbers. Each prints its line of the table."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .stress import crowd, delivery, fuzz, kills
from .stress._run import Amplitude, serving

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes, reads /proc")


@pytest.fixture(scope="module")
def amplitude():
    """The fake Amplitude that enforces limits."""
    with serving("tests.stress.amplitude") as url:
        yield Amplitude(url)


@pytest.mark.parametrize("mood", delivery.QUICK)
def test_nothing_is_lost_unsaid(amplitude, mood):
    """Sent is arrived, or counted with a reason."""
    assert delivery.run(amplitude, (mood,))


def test_killed_at_random_moments(amplitude):
    """With the spool on, a call that returned arrives."""
    assert kills.run(amplitude, rounds=8)


def test_a_crowd():
    """Streams and threads at once, nobody's record is another's."""
    with serving("tests.stress.models") as models:
        assert crowd.run(models, streams=150, threads=20)


def test_mutated_exchanges():
    """No parser raises or is slow."""
    assert fuzz.run(20_000, seed=7)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_many_calls_of_many_users():
    """Threads and files stay, nothing is dropped. (Memory needs the long form: a short one is still warming up.)"""
    code = "import sys; from tests.stress import soak; sys.exit(not soak.run(3000, picture=None, memory=False))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    print(done.stdout, done.stderr)
    assert done.returncode == 0  # in a process of its own: other tests leave files, threads and counters behind
