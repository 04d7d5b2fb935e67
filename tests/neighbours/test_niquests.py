"""niquests, in an environment where urllib3-future stands in urllib3's place (``make neighbours``)."""

import json

import pytest

from ._environments import python, run


def test_niquests(bare_server, tmp_path):
    """Both colours give what they give without us; each call is one record, of a multiplexed one's answer nothing."""
    interpreter = python("niquests", "niquests", "urllib3_future")
    if interpreter is None:
        pytest.skip("niquests is not in this environment: make neighbours")
    outcomes = []
    for how in ("without", "with"):
        done = run(
            interpreter, "-m", "tests.neighbours.by_niquests", how, bare_server.url,
            AMPLITUDE_AI_STORE=str(tmp_path / "events.db"),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        assert "swallowed at" not in done.stderr, done.stderr[-4000:]
        outcomes.append(json.loads(done.stdout))
    without, with_us = outcomes
    assert with_us["results"] == without["results"]
    recorded = with_us["recorded"]
    for name in ("plain", "streamed", "async, plain", "async, streamed", "urllib3"):
        assert recorded[name] == [[3, True]], name
    for name in ("refused", "async, refused"):
        assert recorded[name] == [[None, False]], name
    assert [len(recorded[name]) for name in ("async, left", "multiplexed")] == [1, 1]
