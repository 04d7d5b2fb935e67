"""One request being served: what it says of itself, and what the application says of it meanwhile.

In: a way to read its headers. Out: a `RequestScope` that the context carries, so that calls made for the request
find it from any thread or task. What a client may write is believed of the session and the device, never of
the user, unless the application trusts whoever sends the headers. Never raises on what a client sent.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import unquote

from msgspec import Struct
from msgspec.structs import replace

from .._guard import shield
from .._scope import ambient, check_ids, groups_of, set_ambient
from . import baggage

#: Finds the user of a request; asked when a model is first called for it, so after whatever logs users in.
FindsUser = Callable[[Any], str | None]
ReadsHeader = Callable[[str], str | None]

#: Of Amplitude's browser SDK: the first ten characters of the project's API key follow.
_COOKIE = re.compile(r"AMP_[0-9A-Za-z]{10}\Z")
#: A session id of that SDK: when the session began, in ms since 1970.
_BROWSER_SESSION = re.compile(r"1\d{12}\Z")
_MAX_ID = 256
_MAX_COOKIE = 4096


class Found(Struct, frozen=True):
    """What a request says of itself; ``None`` where it says nothing."""

    user_id: str | None = None
    session_id: str | None = None
    device_id: str | None = None
    amplitude_session_id: int | None = None
    agent: str | None = None
    privacy_mode: bool | None = None
    groups: Mapping[str, Any] | None = None


class RequestScope:
    """Whose one request is. Shared by every context made while it is served, so that a user who is found late, in
    another thread or task, is found by all.

    Args:
        found: what it says itself.
        find_user: finds its user.
        request: what ``find_user`` is given.
    """

    __slots__ = ("_find_user", "_found", "_request", "properties")

    def __init__(self, found: Found, find_user: FindsUser | None = None, request: Any = None) -> None:
        self._found = found
        self._find_user = find_user
        self._request = request
        self.properties: Mapping[str, Any] = {} if found.agent is None else {"agent": found.agent}

    @property
    def user_id(self) -> str | None:
        """Its user, found at the first question."""
        if self._found.user_id is None and self._find_user is not None:
            with shield("web_user"):
                user_id = self._find_user(self._request)
                if user_id is not None and user_id != "":
                    self._found = replace(self._found, user_id=str(user_id))
        return self._found.user_id

    @property
    def session_id(self) -> str | None:
        """The run its calls belong to."""
        return self._found.session_id

    @property
    def device_id(self) -> str | None:
        """The visitor's device."""
        return self._found.device_id

    @property
    def amplitude_session_id(self) -> int | None:
        """The browser's session."""
        return self._found.amplitude_session_id

    @property
    def privacy_mode(self) -> bool | None:
        """Whether content is to be left out."""
        return self._found.privacy_mode

    @property
    def groups(self) -> Mapping[str, Any] | None:
        """Amplitude's groups."""
        return self._found.groups

    def update(self, properties: Mapping[str, Any], **said: Any) -> None:
        """Take what the application says."""
        self._found = replace(self._found, **{name: value for name, value in said.items() if value is not None})
        self.properties = {**self.properties, **properties}


def identify(
    user_id: str | None = None,
    session_id: str | None = None,
    *,
    device_id: str | None = None,
    privacy_mode: bool | None = None,
    properties: Mapping[str, Any] | None = None,
    groups: Mapping[str, Any] | None = None,
) -> None:
    """Say whose the request being served is, from anywhere in it: a view, a dependency, a thread of its pool.

    What is not given, or ``None``, stays as it is. Outside of a request it holds for the rest of this context.

    Args:
        user_id: Amplitude user id.
        session_id: run id of its calls.
        device_id: Amplitude device id, of a visitor without a user id or beside one.
        privacy_mode: whether content is left out, whatever the config says.
        properties: custom event properties, added to those it has.
        groups: Amplitude's groups, such as ``{"company": "acme"}``.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: an id is empty.
    """
    check_ids(user_id=user_id, session_id=session_id, device_id=device_id)
    if groups is not None and not isinstance(groups, Mapping):
        raise TypeError(f"groups must be a mapping of names to values, not {type(groups).__name__}")
    said = {
        "user_id": user_id,
        "session_id": session_id,
        "device_id": device_id,
        "privacy_mode": privacy_mode,
        "groups": None if groups is None else dict(groups),
    }
    around = ambient()
    if around.request is not None:
        around.request.update(properties or {}, **said)
        return
    told: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    set_ambient(replace(around, properties={**around.properties, **(properties or {})}, **told))


def read(header: ReadsHeader, trust_headers: bool) -> Found:
    """What a request's headers and cookies say.

    Args:
        header: reads one by its name in lower case.
        trust_headers: whether they come from a service of one's own, which may say who the user is.
    """
    carried = baggage.read(header("baggage") or "") if trust_headers else {}
    session = _id(header("x-amplitude-session-id"))
    is_browsers = session is not None and _BROWSER_SESSION.match(session) is not None
    cookie = _cookie(header("cookie") or "")
    privacy = {"true": True, "false": False}.get((carried.get("privacy_mode") or "").lower())
    return Found(
        user_id=(_id(header("x-amplitude-user-id")) or carried.get("user_id")) if trust_headers else None,
        session_id=(None if is_browsers else session) or carried.get("session_id"),
        device_id=_id(header("x-amplitude-device-id")) or carried.get("device_id") or _id(cookie.get("deviceId")),
        amplitude_session_id=_browser_session(session if is_browsers else None)
        or _browser_session(carried.get("amplitude_session_id"))
        or _browser_session(cookie.get("sessionId")),
        agent=carried.get("agent"),
        privacy_mode=privacy,
        groups=groups_of(header("x-amplitude-groups")) if trust_headers else None,
    )


def _id(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else None
    return text if text and len(text) <= _MAX_ID and text.isprintable() else None


def _browser_session(value: object) -> int | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if _BROWSER_SESSION.match(text) else None


def _cookie(header: str) -> Mapping[str, Any]:
    """What Amplitude's browser SDK keeps in its cookie: base64 of URL-encoded JSON."""
    if "AMP_" not in header or len(header) > 8 * _MAX_COOKIE:
        return {}
    jar: SimpleCookie = SimpleCookie()
    # One cookie at a time: the standard library gives up at the first one it does not like.
    for part in header.split(";"):
        name = part.partition("=")[0].strip()
        if _COOKIE.match(name):
            try:
                jar.load(part.strip())
            except CookieError:
                continue
    for name in jar:
        try:
            raw = base64.b64decode(unquote(jar[name].value), validate=False)
            said = json.loads(unquote(raw.decode("utf-8")))
        except (ValueError, binascii.Error, RecursionError):
            continue
        if isinstance(said, dict):
            return {} if said.get("optOut") is True else said
    return {}
