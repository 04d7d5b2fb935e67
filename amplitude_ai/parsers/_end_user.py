"""Whom a request says it is made for, in its provider's own words.

OpenAI's ``user`` and, since it is deprecated, ``safety_identifier`` (openai ``types/chat/completion_create_params.py``;
compatible hosts take ``user`` too), Anthropic's ``metadata.user_id`` (anthropic ``types/metadata_param.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._json import as_dict, as_str

#: Characters of an id; one that is longer is no id, and cut short it might be another's.
_MAX_ID = 512


def end_user(format_name: str, body: Mapping[str, Any]) -> str | None:
    """The id, as told; ``None`` where there is none."""
    candidates = [body.get("user"), body.get("safety_identifier")]
    if format_name.startswith(("anthropic", "bedrock")):  # OpenAI's metadata are the application's, whatever they hold
        candidates.append(as_dict(body.get("metadata")).get("user_id"))
    found = (as_str(one) for one in candidates)
    return next((one for one in found if one and one.strip() and len(one) <= _MAX_ID), None)
