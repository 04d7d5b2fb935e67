"""Other instrumentations and mocks beside us, in every order: calls work as without us, each is recorded once.

What the environment of the tests has (respx, responses) runs with ``make test``, the rest with ``make neighbours``.
"""

import json

import pytest

from ._environments import python, run
from ._instrumentations import NEIGHBOURS

#: T, t: the neighbour on and off; O, o: we on and off; c: calls.
ORDERS = {
    "before us, off first": "TcOctcOcoc",
    "before us, off last": "TcOcoctcOc",
    "after us, off first": "OcTctcOcoc",
    "after us, off last": "OcTcoctcOc",
}


def phases(interpreter, neighbour, steps, how, server, tmp_path):
    """What each ``c`` printed, and the names of the headers that reached the server."""
    del server.got[:]
    done = run(
        interpreter, "-m", "tests.neighbours.instrumented", neighbour, steps, how, server.url,
        AMPLITUDE_AI_STORE=str(tmp_path / "events.db"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "swallowed at" not in done.stderr, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()], [[n for n, _ in got] for got in server.got]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_beside(neighbour, order, bare_server, tmp_path):
    """Results, what the neighbour saw and what the server got are as without us; each model call is one record."""
    kind = NEIGHBOURS[neighbour]
    interpreter = python(kind.environment, *kind.needs)
    if interpreter is None:
        pytest.skip(f"{kind.needs[0]} is not in this environment: make neighbours")
    steps = ORDERS[order]
    without, plainly = phases(interpreter, neighbour, steps, "without", bare_server, tmp_path)
    with_us, watched = phases(interpreter, neighbour, steps, "with", bare_server, tmp_path)
    if not (kind.stays and order == "before us, off first"):
        assert watched == plainly
    ours = theirs = last = False
    left = list(zip(without, with_us, strict=True))
    assert len(left) == steps.count("c")
    for at, step in enumerate(steps):
        ours = {"O": True, "o": False}.get(step, ours)
        theirs = {"T": True, "t": False}.get(step, theirs)
        last = {"T": True, "O": False}.get(step, last)
        if step != "c":
            continue
        plain, both = left.pop(0)
        for library in plain:
            here = f"{library} after {steps[: at + 1]}"
            assert plain[library]["results"]["plain"][0] == 200, here
            assert both[library]["results"] == plain[library]["results"], here
            assert both[library]["seen"] == plain[library]["seen"], here
            calls = [name for name in plain[library]["results"] if name != "another path"]
            hidden = theirs and last and library in kind.replaces
            if library in kind.restores and steps[: at + 1] == "TcOctc":
                continue  # it has taken us off with itself; the next install_transport() puts that right
            assert both[library]["recorded"] == (len(calls) if ours and not hidden else 0), here
