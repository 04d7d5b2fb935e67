"""Any value as a cell of a table; of text only what is harmless (`_harmless`)."""

from __future__ import annotations

from typing import Any

from .._harmless import harmless

__all__ = ["harmless", "one_line"]


def one_line(value: Any, limit: int = 200) -> str:
    """Any value as a cell of a table; ``None`` is empty, and a cut is marked by an ellipsis only."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, bytes):
        value = f"({len(value)} bytes)"
    text = str(value)
    shown = " ".join(harmless(text[: limit + 1]).split())
    return shown[: limit - 1] + "…" if len(text) > limit or len(shown) > limit else shown
