"""`Filter`: which calls are meant, and the SQL that finds them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from ..sessions.schema import LLM_MESSAGE
from ._reader import Reader

#: Where a text is looked for.
TEXTS = ("input_content", "output_content", "error_message")


class Filter(Struct, frozen=True):
    """Which calls. ``None`` is any.

    Attributes:
        user: a user id.
        session: a session id.
        model: a part of a model's name, in any case.
        provider: a provider's name, in any case.
        agent: an agent's name.
        errors: only failed ones.
        text: a text in the prompt, the answer or the error; case counts for letters beyond A to Z only.
        since_ms: not before.
        until_ms: before.
    """

    user: str | None = None
    session: str | None = None
    model: str | None = None
    provider: str | None = None
    agent: str | None = None
    errors: bool = False
    text: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def where(self, reader: Reader, event_type: str = LLM_MESSAGE) -> tuple[str, dict[str, Any]]:
        """A condition on ``events``, and its parameters. What costs most to look at comes last."""
        parts = ["event_type = :event_type"]
        values: dict[str, Any] = {"event_type": event_type}

        def want(condition: str, name: str, value: Any) -> None:
            if value is not None:
                parts.append(condition)
                values[name] = value

        want("time_ms >= :since", "since", self.since_ms)
        want("time_ms < :until", "until", self.until_ms)
        want(f"{reader.column('session_id')} = :session", "session", self.session)
        want("user_id = :user", "user", self.user)
        want(f"lower({reader.column('model_provider')}) = lower(:provider)", "provider", self.provider)
        want(f"instr(lower({reader.column('model_name')}), lower(:model)) > 0", "model", self.model)
        want(f"{reader.column('agent')} = :agent", "agent", self.agent)
        if self.errors:
            parts.append(f"{reader.column('success')} = 0")
        if self.text:
            parts.append(self._text(values))
        return " AND ".join(parts), values

    def _text(self, values: dict[str, Any]) -> str:
        # The JSON as it is written is quick to look through, and holds a text in one of two forms: as a text, or as a
        # text in JSON in a text. Whether it is in one of the texts, and not a property's name, is asked of those only.
        assert self.text is not None
        once = json.dumps(self.text, ensure_ascii=False)[1:-1]
        values["text"], values["once"] = _like(self.text), _like(once)
        values["twice"] = _like(json.dumps(once, ensure_ascii=False)[1:-1])
        found = " OR ".join(
            f"""json_extract(properties, '$.{name}') LIKE :{form} ESCAPE '\\'"""
            for name in TEXTS
            for form in ("text", "once")
        )
        rough = r"(properties LIKE :once ESCAPE '\' OR properties LIKE :twice ESCAPE '\')"
        return f"{rough} AND ({found})"


def _like(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"
