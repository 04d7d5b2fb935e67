"""What ``BaseEvent`` of amplitude-analytics makes of plain values, without asking it anew for every event.

Its constructor sets 43 fields one by one, through a check of each; its body asks each of them three times. Here is the
same for fields of the expected classes: the fields of a blank event, copied and filled; the body in its own table's
order. Anything else is ``None``, and left to the library, as is everything in a version of it that does otherwise.
Imports amplitude: import this module from the worker only.
"""

from __future__ import annotations

from typing import Any

from amplitude.constants import MAX_PROPERTY_KEYS, MAX_STRING_LENGTH
from amplitude.event import EVENT_KEY_MAPPING, BaseEvent
from amplitude.utils import truncate

from .._config import AIConfig
from .._safe import Made

#: Classes of what copies of an event may share.
SHARED = frozenset({str, int, float, bool, type(None), AIConfig, Made})
_BLANK = dict(BaseEvent("").__dict__)
_OPTIONAL = frozenset({int, type(None)}), frozenset({str, type(None)})
_NAMES = tuple((name, wire[0]) for name, wire in EVENT_KEY_MAPPING.items())
_SCALARS = frozenset({int, float, bool})


def filled(
    event_type: str,
    user_id: str | None,
    device_id: str | None,
    session_id: int | None,
    time_ms: int,
    insert_id: str,
) -> dict[str, Any] | None:
    """The fields of a new event."""
    whole, text = _OPTIONAL
    if not (_KNOWN and type(time_ms) is int and type(session_id) in whole and type(insert_id) in text):
        return None
    made = _BLANK.copy()
    made["event_type"] = event_type
    made["user_id"] = user_id
    made["device_id"] = device_id
    made["session_id"] = session_id
    made["time"] = time_ms
    made["insert_id"] = insert_id
    return made


def body_of(fields: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any] | None:
    """What is sent of an event with ``fields``, whose properties are ``properties``; these are cut where they stand."""
    if not _KNOWN:
        return None
    body: dict[str, Any] = {}
    for name, wire in _NAMES:
        value = fields.get(name)
        if value is None:
            continue
        if name == "event_properties":
            value = _cut(properties)
        elif type(value) is str:
            value = value[:MAX_STRING_LENGTH]
        elif type(value) not in _SCALARS:
            return None  # the library makes something else of it
        body[wire] = value
    return body


def _cut(properties: dict[str, Any]) -> dict[str, Any]:
    """`truncate`, which looks at every value several times."""
    if len(properties) > MAX_PROPERTY_KEYS:
        return truncate(properties)  # type: ignore[no-any-return]
    for name, value in properties.items():
        kind = type(value)
        if kind is str:
            if len(value) > MAX_STRING_LENGTH:
                properties[name] = value[:MAX_STRING_LENGTH]
        elif kind not in _SCALARS:
            properties[name] = truncate(value)
    return properties


def _is_known() -> bool:
    """Whether this version of the library does as those this was written for."""
    given: dict[str, Any] = {"user_id": "u" * 1100, "device_id": "d", "session_id": 1, "time": 2, "insert_id": "i"}
    made = BaseEvent(event_type="t", **given)
    made.event_properties = {"text": "x" * 1100, "inner": {"list": ["y" * 1100, 1, True, 0.5]}}
    fields = {**_BLANK, **given, "event_type": "t", "event_properties": made.event_properties}
    properties = {"text": "x" * 1100, "inner": {"list": ["y" * 1100, 1, True, 0.5]}}
    return made.__dict__ == fields and list(made.get_event_body().items()) == list(
        (body_of(fields, properties) or {}).items()
    )


_KNOWN = True
_KNOWN = _is_known()
