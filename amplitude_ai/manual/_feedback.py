"""`feedback`: what somebody thought of an answer, joined to it by its id."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from .. import _arguments
from .._guard import count
from .._models import Event
from .._runtime import runtime
from .._scope import ambient
from ..sessions import _events
from ..sessions._privacy import PrivacyError
from ..sessions._runs import RunRegistry
from . import _build

if TYPE_CHECKING:
    from .._config import AIConfig

_MAX_ID = 512


def feedback(
    response: Any,
    score: float | None = None,
    label: str | None = None,
    comment: str | None = None,
    *,
    user_id: str | None = None,
    session_id: str | None = None,
    custom_properties: Mapping[str, Any] | None = None,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
) -> None:
    """Say what somebody thought of an answer: an ``llm_feedback`` event of the answer's user and session.

    Args:
        response: the answer: the SDK's object, or its ``id`` (which may be kept, and come back in another process).
        score: how good it was, on any scale: 1 and -1 for thumbs, 0 to 1 for a judge; ``None`` where nobody says.
        label: the same in a word: ``thumbs_up``, ``wrong``; ``None`` where nobody says.
        comment: what was said of it; treated like a prompt by privacy; ``None`` where nothing was.
        user_id: whose opinion it is; by default the context's, else the user of the answer.
        session_id: of the answer, where this process has not seen it.
        custom_properties: added to the event; default: the answer's and the context's alone.
        amplitude_client: by default that of the answer, else the context's or the process's.
        ai_config: whose privacy applies where this process has not seen the answer.

    Raises:
        TypeError: an argument has the wrong type, or ``response`` has no id.
        ValueError: nothing is said (no score, label or comment), or ``score`` is not finite.
    """
    response_id = _id_of(response)
    number = _score(score)
    word, said = _arguments.text("label", label), _arguments.content("comment", comment)
    if number is None and word is None and said is None:
        raise ValueError("feedback() says nothing: pass score=, label= or comment=")
    binding = _build.told_binding(amplitude_client, ai_config, user_id, session_id)
    own = _build.owner_of(binding, session_id=session_id or ambient().session_id, custom_properties=custom_properties)
    key = _build.new_id()

    def make(book: RunRegistry) -> list[Event]:
        origin, message_id = own.origin, None
        answer = book.answer(response_id)
        if answer is not None:
            known, message_id = answer
            mine, answered = origin.scope, known.scope
            scope = replace(
                answered,
                user_id=mine.user_id or answered.user_id,
                properties={**answered.properties, **mine.properties},
                binding=answered.binding if amplitude_client is None else binding,
            )
            origin = replace(known, scope=_events.addressed(scope, session_id or answered.session_id))
        try:
            return [_events.feedback(origin, own.at_ms, key, response_id, message_id, number, word, said)]
        except PrivacyError:
            count("dropped_privacy")
            return []

    runtime.emit_made(make, own.origin.scope.binding.amplitude_client, own.origin.config, len(said or ""))


def _id_of(response: Any) -> str:
    """An id, or that of an answer: an attribute or a key, as SDKs and JSON have it; LangChain's in its metadata."""
    if isinstance(response, str) and response:
        return response[:_MAX_ID]
    places = [response, getattr(response, "response_metadata", None)]
    for place in reversed(places):
        for name in ("id", "response_id", "responseId"):
            value = place.get(name) if isinstance(place, Mapping) else getattr(place, name, None)
            if isinstance(value, str) and value:
                return value[:_MAX_ID]
    raise TypeError(
        f"response must be an answer with an id, or the id, not {type(response).__name__}: pass response.id"
    )


def _score(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if not isinstance(value, int | float):
        raise TypeError(f"score must be a number, not {type(value).__name__}: pass score=float(...)")
    if not math.isfinite(value):
        raise ValueError(f"score must be a finite number, got {value}")
    return float(value)


__all__ = ["feedback"]
