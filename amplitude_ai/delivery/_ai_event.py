"""`AIEvent`: our `Event` as amplitude-analytics takes it, and `DeliveryReceipt`: the knowledge of what became of it.

In: a plain `Event`. Out: a ``BaseEvent`` whose properties are full-length and safe, for plugins, the local store and
anybody's own client to read; only the body that is sent to Amplitude is cut to Amplitude's limits, and it is a copy.
Imports amplitude: import this module from the worker only.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from amplitude.constants import MAX_STRING_LENGTH
from amplitude.event import BaseEvent

from .._models import Event
from .._safe import copy_of, known_again, safe_properties, safe_text
from ._event_template import SHARED, body_of, filled

#: The one property whose text Amplitude does not cut at 1,024 characters; its own SDK for AI events uses it so.
LONG_TEXT = "$llm_message"
#: Most characters of it; the limit of Amplitude's own SDK.
MAX_LONG_TEXT = 100_000
#: Properties of Agent Analytics, whose texts are not cut at 1,024 characters either.
AGENT_PREFIX = "[Agent] "
#: Attributes that hold what `safe_properties` made.
_PROPERTIES = frozenset({"event_properties", "user_properties", "groups", "call"})
#: Whose full text it is, by event: the content that says what the event is about.
_CONTENT = {"user_message": "content", "llm_message": "output_content"}

#: Amplitude removes shorter ids, unless the request says ``min_id_length``
#: (https://amplitude.com/docs/apis/analytics/http-v2#device-ids-and-user-ids-minimum-length) ...
MIN_ID_LENGTH = 5
#: ... and answers 400 to these.
REFUSED_IDS = frozenset(
    {"anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "", '""', "{}", "lmy47d", "0", "-1"}
    | {"00000000-0000-0000-0000-000000000000"}
)

_NAMESPACE = uuid.UUID("0b6f5a0e-4a5f-5a5d-9a3c-6c1f2d3e4b5a")


@lru_cache(maxsize=1024)
def is_refused(identifier: str, min_length: int = MIN_ID_LENGTH) -> bool:
    """Whether Amplitude refuses ``identifier`` as a user or device id."""
    return (
        len(identifier) < min_length
        or identifier.strip().lower() in REFUSED_IDS
        or not identifier.replace("-", "").strip("0")  # "All-zero device IDs"
    )


def stand_in(identifier: str) -> str:
    """A device id for whom Amplitude does not take ``identifier``: always the same one, and nobody else's."""
    return f"amplitude-ai-{uuid.uuid5(_NAMESPACE, safe_text(identifier))}"


class DeliveryReceipt:
    """What is known of one tracked event. Shared by all copies of it, so it dies when the last copy is dropped.

    Args:
        wanted: how many destinations will report; 0 when the event counts as delivered once it was tracked.
        settle: called once, with the code of the answer (200: delivered), or with ``None`` when every copy was
            dropped without an answer, which amplitude-analytics does for a wrong API key and for a reset connection.
            May be called from a finalizer: it must take no lock.
        can_wait: whether a destination may hold the event until it is told to `commit`.
    """

    __slots__ = ("_settle", "_wanted", "can_wait", "handed")

    def __init__(self, wanted: int, settle: Callable[[int | None], None], can_wait: bool = False) -> None:
        self.can_wait = can_wait
        self._wanted = wanted
        self._settle: Callable[[int | None], None] | None = settle
        #: Whether a destination got a copy; ``False`` after tracking means that a plugin dropped or replaced the event.
        self.handed = False

    def answered(self, code: int | None) -> None:
        """A destination reports; the first failure counts, or the last success."""
        self._wanted -= 1
        if self._wanted <= 0 or code is None or not 200 <= code < 300:
            self.close(code)

    def close(self, code: int | None) -> None:
        """The matter is closed; later answers change nothing."""
        settle, self._settle = getattr(self, "_settle", None), None  # a receipt that was only half made is deleted too
        if settle is not None:
            settle(code)

    def withdraw(self) -> None:
        """Nobody is to be told anything."""
        self._settle = None

    def __deepcopy__(self, memo: dict[int, Any]) -> DeliveryReceipt:
        self.handed = True  # the client copies the event for each destination, and for nothing else
        return self

    def __del__(self) -> None:
        self.close(None)


class AIEvent(BaseEvent):  # type: ignore[misc]  # amplitude-analytics has no types
    """One of our events.

    Args:
        event: what it says. Nothing of it is changed, nor shared with the result.
        receipt: told what became of it.
        min_id_length: the client's own setting, where it has one.
    """

    def __init__(self, event: Event, receipt: DeliveryReceipt | None = None, min_id_length: int | None = None) -> None:
        scope = event.scope
        event_type = safe_text(event.event_type)
        user_id = None if scope.user_id is None else safe_text(scope.user_id)
        device_id = None if scope.device_id is None else safe_text(scope.device_id)
        fields = filled(event_type, user_id, device_id, scope.amplitude_session_id, event.time_ms, event.insert_id)
        if fields is None:
            super().__init__(
                event_type=event_type,
                user_id=user_id,
                device_id=device_id,
                session_id=scope.amplitude_session_id,
                time=event.time_ms,
                insert_id=event.insert_id,
            )
        else:
            self.__dict__ = fields
        # Not an argument: the constructor would look at every value again, to refuse what `safe_properties` made safe.
        self.event_properties, self.made = known_again(event.properties)
        if scope.groups:
            self.groups = safe_properties(scope.groups)
        if scope.user_properties:
            self.user_properties = safe_properties(scope.user_properties)
        self.receipt = receipt
        self.config = event.config
        #: The event of the specification that this one is in other words, if it is.
        self.source = event.source
        #: What the ``llm_message`` of its call says, for an event that is part of one.
        self.call = event.call
        self.min_id_length = min_id_length or MIN_ID_LENGTH

    def __deepcopy__(self, memo: dict[int, Any]) -> AIEvent:
        """A copy, which the client makes for each destination: a cheap one of what is known to be plain."""
        made = AIEvent.__new__(type(self))
        fields = made.__dict__ = self.__dict__.copy()
        # Of fifty fields two or three are not shared.
        for name in [name for name, value in fields.items() if type(value) not in SHARED]:
            value = fields[name]
            fields[name] = copy_of(value) if name in _PROPERTIES else copy.deepcopy(value, memo)
        return made

    def __str__(self) -> str:
        """No content: the client logs events whose plugins fail, and hands every sent one to its logger."""
        return f"{self.event_type} {self.insert_id}"

    __repr__ = __str__

    def callback(self, status_code: int, message: str | None = None) -> None:
        """Called by the destination that has sent, stored or given up the event."""
        if self.receipt is not None:
            self.receipt.answered(status_code)
        super().callback(status_code, message)

    def safe_properties(self) -> dict[str, Any]:
        """A copy of the properties, safe whatever plugins have put in.

        What they added is as unchecked as what callers give: one Decimal would cost the whole request.
        """
        if self.made.is_same(self.event_properties):
            return dict(self.event_properties)
        return safe_properties(self.event_properties or {})

    def get_event_body(self) -> dict[str, Any]:
        """The body to send: cut to Amplitude's limits, with ids it takes, safe whatever plugins have put in. A copy."""
        properties = self.safe_properties()
        text = properties.get(_CONTENT.get(self.event_type, ""))
        long_text = properties.pop(LONG_TEXT, None)
        if long_text is None and isinstance(text, str) and len(text) > MAX_STRING_LENGTH:
            long_text = {"text": text[:MAX_LONG_TEXT]}
        whole = {
            name: value[:MAX_LONG_TEXT]
            for name, value in properties.items()
            if type(value) is str and len(value) > MAX_STRING_LENGTH and name.startswith(AGENT_PREFIX)
        }
        body = body_of(self.__dict__, properties)
        if body is None:
            wire = copy.copy(self)
            wire.event_properties = properties
            body = super(AIEvent, wire).get_event_body()
        body["event_properties"] = {**(body.get("event_properties") or {}), **whole}
        if long_text is not None:
            body["event_properties"][LONG_TEXT] = long_text
        _acceptable_ids(body, self.min_id_length)
        return body


def _acceptable_ids(body: dict[str, Any], min_length: int) -> None:
    """Replace ids that would cost the event. The user's goes to a property, and a device id tells users apart."""
    user_id, device_id = body.get("user_id"), body.get("device_id")
    if device_id is not None and is_refused(device_id, min_length):
        body["device_id"] = stand_in(device_id)
    if user_id is not None and is_refused(user_id, min_length):
        del body["user_id"]
        body.setdefault("device_id", stand_in(user_id))
        body["event_properties"].setdefault("user_id", user_id)
