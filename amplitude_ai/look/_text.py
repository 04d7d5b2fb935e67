"""Text of strangers made fit to be shown: prompts and answers may hold anything, and a terminal obeys what it is shown.

Escape sequences, control characters, NUL, marks that turn the direction of writing, invisible letters and broken
surrogates are spelled out (``\\x1b``, ``\\u202e``); all other characters of all languages stay.
"""

from __future__ import annotations

import unicodedata
from typing import Any

#: Joiners: emoji and Persian, Arabic and Indic words need them, and they change nothing around them.
_KEPT = frozenset("\u200c\u200d")
#: Control, format, surrogate, private use, and line and paragraph separators.
_SPELLED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def harmless(text: str, limit: int | None = None, lines: bool = False) -> str:
    """``text`` as it may be printed.

    Args:
        text: anything.
        limit: characters shown at the most; what was left out is said.
        lines: whether it may have several lines; otherwise breaks and tabs are blanks.
    """
    cut = len(text) - limit if limit is not None and len(text) > limit else 0
    if cut:
        text = text[:limit]
    if not text.isascii() or not text.isprintable():
        text = "".join(_shown(char, lines) for char in text.replace("\r\n", "\n"))
    return f"{text}… ({cut:,} more characters)" if cut else text


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


def _shown(char: str, lines: bool) -> str:
    if char in "\n\t":
        return char if lines else " "
    if char in _KEPT or unicodedata.category(char) not in _SPELLED:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
