"""Text of strangers made fit to be shown: it may hold anything, and a terminal obeys what it is shown.

Escape sequences, control characters, NUL, marks that turn the direction of writing, invisible letters and broken
surrogates are spelled out (``\\x1b``, ``\\u202e``); all other characters of all languages stay. Standard library only.
"""

from __future__ import annotations

import logging
import unicodedata

#: Joiners: emoji and Persian, Arabic and Indic words need them, and they change nothing around them.
_KEPT = frozenset("\u200c\u200d")
#: Control, format, surrogate, private use, and line and paragraph separators.
_SPELLED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
#: Characters of one value in a line of the log.
_LOGGED = 500


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


def _shown(char: str, lines: bool) -> str:
    if char in "\n\t":
        return char if lines else " "
    if char in _KEPT or unicodedata.category(char) not in _SPELLED:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def harmless_record(record: logging.LogRecord) -> bool:
    """A filter for a logger, which lets all pass: what its lines say of names, errors and paths is harmless."""
    if isinstance(record.args, tuple):
        record.args = tuple(_value(each) for each in record.args)
    return True


def _value(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    # As text: an object that a line shows by its text (an exception, a path) may hold a stranger's words as well.
    return harmless(str(value), _LOGGED)
