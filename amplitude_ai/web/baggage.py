"""The context over process borders, in a W3C ``baggage`` header (https://www.w3.org/TR/baggage/).

`inject` on the side that calls, `extract` on the side that is called: two services of one's own, a task queue, a
script. A provider is not one's own: never send it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from .._scope import ambient, context

_PREFIX = "amplitude."
_NAMES = ("user_id", "session_id", "device_id", "amplitude_session_id", "agent", "privacy_mode")
#: The specification's own limit.
_MAX_BYTES = 8192
_MAX_VALUE = 1024


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Add a ``baggage`` header that says what the context here says: user, session, device, agent, privacy.

    Args:
        headers: added to; what other libraries have put into its ``baggage`` stays. A new dict by default.

    Returns:
        ``headers``.

    Raises nothing for headers that are text.
    """
    carrier: MutableMapping[str, str] = {} if headers is None else headers
    around = ambient().with_request()
    said = {
        "user_id": around.user_id,
        "session_id": around.session_id,
        "device_id": around.device_id,
        "amplitude_session_id": around.amplitude_session_id,
        "agent": around.properties.get("agent"),
        "privacy_mode": None if around.privacy_mode is None else str(around.privacy_mode).lower(),
    }
    name = next((name for name in carrier if name.lower() == "baggage"), "baggage")
    others = [member for member in carrier.get(name, "").split(",") if member.strip() and not _is_ours(member)]
    ours = [f"{_PREFIX}{key}={quote(str(value), safe='')}" for key, value in said.items() if value is not None]
    if ours:
        joined = ",".join([*(member.strip() for member in others), *ours])
        if len(joined) <= _MAX_BYTES:
            carrier[name] = joined
    return carrier


@contextmanager
def extract(headers: Mapping[str, Any]) -> Iterator[None]:
    """For the calls inside, what `inject` said on the other side. Only for headers of services of one's own.

    Args:
        headers: the request's or the message's, names in any case.

    Raises nothing: what cannot be read says nothing.
    """
    value = next((headers[name] for name in headers if isinstance(name, str) and name.lower() == "baggage"), "")
    with _context(read(value if isinstance(value, str) else "")):
        yield


def read(value: str) -> dict[str, str]:
    """Our members of a ``baggage`` header. What cannot be read is left out."""
    found: dict[str, str] = {}
    for member in value[:_MAX_BYTES].split(","):
        name, _, rest = member.partition("=")
        name = name.strip().removeprefix(_PREFIX) if _is_ours(member) else ""
        text = unquote(rest.partition(";")[0].strip(), errors="replace")
        if name in _NAMES and text and len(text) <= _MAX_VALUE:
            found[name] = text
    return found


def _context(said: Mapping[str, str]) -> context:
    browser = said.get("amplitude_session_id", "")
    return context(
        user_id=said.get("user_id"),
        session_id=said.get("session_id"),
        privacy_mode={"true": True, "false": False}.get(said.get("privacy_mode", "")),
        device_id=said.get("device_id"),
        amplitude_session_id=int(browser) if browser.isascii() and browser.isdecimal() else None,
        agent=said.get("agent"),
    )


def _is_ours(member: str) -> bool:
    return member.strip().startswith(_PREFIX)
