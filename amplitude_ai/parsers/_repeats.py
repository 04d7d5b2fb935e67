"""Streams whose events repeat the answer so far, and those that send only what is new: told apart by what they say."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def grows(texts: Sequence[str]) -> bool:
    """Whether each begins with the one before: some models send pieces though nobody asked for them."""
    return all(later.startswith(earlier) for earlier, later in pairwise(texts))


def together(texts: Sequence[str]) -> str:
    """What they say together."""
    return texts[-1] if texts and grows(texts) else "".join(texts)
