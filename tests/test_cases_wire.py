"""One small exchange of each kind of fault that foreign traffic showed, where they are; skipped, visibly, where not."""

import random

import pytest

from . import corpus
from .test_corpus import only, through_a_transport

CASES = corpus.exchanges("cases")
missing = pytest.mark.skipif(not CASES, reason="no cases/wire in ../shared (or beside AMPLITUDE_AI_CORPUS)")
each = pytest.mark.parametrize(
    "row", CASES or [None], ids=lambda row: f"{row['truth']['family']}-{row['id']}" if row else "none"
)


def check(row, call):
    """Fail where the truth has it otherwise; a truth believed wrong must differ in that, and in nothing else."""
    lines = corpus.differences(row, call)
    assert corpus.is_as_disputed(row, lines), "\n".join(lines)


@missing
@each
def test_plain(row):
    """The case is read as its truth says."""
    check(row, only(corpus.exchange(row)))


@missing
@each
def test_through_the_transports(row):
    """The same when the body crosses a transport, compressed and cut at random places."""
    check(row, through_a_transport(row, random.Random(row["id"])))
