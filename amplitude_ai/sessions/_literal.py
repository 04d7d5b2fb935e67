"""What stands in a text as a value: JSON, or a dict as Python writes it. Pure."""

from __future__ import annotations

import json
import re

from .._models import JSON


def json_or_literal(text: str) -> JSON:
    """JSON, else a dict as Python writes it; ``None`` for what is neither."""
    try:
        found: JSON = json.loads(text)
    except (ValueError, RecursionError):
        return literal(text)
    return found


def literal(text: str) -> JSON:
    """A plain dict as Python writes it, by way of JSON: `ast` would warn the application of what it finds odd."""
    if '"' in text or "\\" in text:
        return None
    words = {"None": "null", "True": "true", "False": "false"}
    try:
        return _as_json(re.sub(r"'[^']*'|\b(?:None|True|False)\b", lambda found: words.get(found[0], found[0]), text))
    except (ValueError, RecursionError):
        return None


def _as_json(text: str) -> JSON:
    found: JSON = json.loads(text.replace("'", '"'))
    return found if isinstance(found, dict) else None
