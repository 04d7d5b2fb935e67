"""Who is calling, for whom: the one ContextVar, and the ``X-Amplitude-*`` headers that say the same per request.

Read on the caller's thread when a request starts (async tasks and copied contexts inherit it), never later: a stream
that is read in another context still belongs to the user who asked.
"""

from __future__ import annotations

import base64
import copy
import functools
import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, Self, TypeVar, cast

from msgspec.structs import replace

from ._mistakes import answers_misspelling
from ._models import NO_BINDING, Binding, Scope
from ._surroundings import look, span_context

#: Prefix of the headers that are ours; they are removed before the wire.
HEADER_PREFIX = "x-amplitude-"
#: Carries every field at once, as base64url JSON: header values must be ASCII, user ids need not be.
CONTEXT_HEADER = "X-Amplitude-Context"
F = TypeVar("F", bound=Callable[..., Any])
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
#: Characters of a header that says groups.
_MAX_GROUPS = 4096


_NOTHING = Scope()
_ambient: ContextVar[Scope] = ContextVar("amplitude_ai_scope", default=_NOTHING)


def ambient() -> Scope:
    """What the current context says."""
    return _ambient.get()


def set_ambient(value: Scope) -> None:
    """Replace it for the rest of this context (a task or thread; others never see it)."""
    _ambient.set(value)


class context(ContextDecorator):
    """Say who the calls inside belong to: ``with context(user_id=...):``, or as a decorator of a function.

    Nests: what is not given, or ``None``, is inherited; properties are merged. Called alone, without ``with``, it does
    nothing, and warns that it did not.

    Args:
        user_id: Amplitude user id of the calls inside.
        session_id: run id of the calls inside; wins over automatic sessions.
        privacy_mode: overrides `AIConfig.privacy_mode` for the calls inside.
        properties: custom event properties, added to every event of the calls inside.
        device_id: Amplitude device id of the calls inside: of a visitor without a user id, or beside one.
        amplitude_session_id: the session of Amplitude's browser or mobile SDK that the calls inside belong to (ms since
            1970 of its start); their events then stand in that session, beside its replay.
        groups: Amplitude's groups of the calls inside (``{"company": "acme"}``), at their events' top level.
        user_properties: Amplitude's user properties, set with their events.
        agent: name of the agent that makes the calls inside.
        parent_agent: name of the agent it works for; by default the agent around.
        step: what it is doing, in a word: a node of a graph, a phase.
        workflow: the workflow that all of it is part of.
        from_user: ``False``: what the calls inside ask in a user's role is your program's own text (a title for the
            chat, a check, a question put in other words). It is no ``user_message`` and begins no turn.

    Raises:
        TypeError: an argument has the wrong type; the message names it.
        ValueError: an id is empty.
    """

    _used = True  # nothing to warn of where an option was misspelt

    @answers_misspelling
    def __init__(
        self,
        user_id: str | None = None,
        session_id: str | None = None,
        privacy_mode: bool | None = None,
        properties: Mapping[str, Any] | None = None,
        *,
        device_id: str | None = None,
        amplitude_session_id: int | None = None,
        groups: Mapping[str, Any] | None = None,
        user_properties: Mapping[str, Any] | None = None,
        agent: str | None = None,
        parent_agent: str | None = None,
        step: str | None = None,
        workflow: str | None = None,
        from_user: bool | None = None,
    ) -> None:
        self._used = True  # nothing to warn of when an argument is refused
        self._before: Scope | None = None
        check_ids(user_id=user_id, session_id=session_id, device_id=device_id)
        check_ids(agent=agent, parent_agent=parent_agent, step=step, workflow=workflow)
        if amplitude_session_id is not None and type(amplitude_session_id) is not int:
            raise TypeError(
                "amplitude_session_id must be a whole number, the ms since 1970 of the session's start, "
                f"not {type(amplitude_session_id).__name__}: pass int(...)"
            )
        if privacy_mode is not None and not isinstance(privacy_mode, bool):
            raise TypeError(f"privacy_mode must be True, False or None, not {type(privacy_mode).__name__}")
        if from_user is not None and not isinstance(from_user, bool):
            raise TypeError(f"from_user must be True, False or None, not {type(from_user).__name__}")
        if properties is not None and not isinstance(properties, Mapping):
            raise TypeError(
                f"properties must be a mapping of property names to values, not {type(properties).__name__}"
            )
        self._changes: dict[str, Any] = {}
        for name, given in (("groups", groups), ("user_properties", user_properties)):
            if given is None:
                continue
            if not isinstance(given, Mapping):
                raise TypeError(f"{name} must be a mapping of names to values, not {type(given).__name__}")
            self._changes[name] = dict(given)
        if user_id is not None:
            self._changes["user_id"] = user_id
        if session_id is not None:
            self._changes.update(session_id=session_id, managed_session=False)
        if privacy_mode is not None:
            self._changes["privacy_mode"] = privacy_mode
        if from_user is not None:
            self._changes["from_user"] = from_user
        if device_id is not None:
            self._changes["device_id"] = device_id
        if amplitude_session_id is not None:
            self._changes["amplitude_session_id"] = amplitude_session_id
        self._properties = dict(properties or {})
        for name, value in (("step", step), ("workflow", workflow)):
            if value is not None:
                self._properties[name] = value
        self._agent, self._parent_agent = agent, parent_agent
        self._used = False

    def __enter__(self) -> None:
        if self._before is not None:
            raise RuntimeError("this context(...) is entered already: make another one for a nested or parallel block")
        self._used = True
        before = self._before = _ambient.get()
        changes = self._changes
        if self._properties or self._agent or self._parent_agent:
            properties = {**before.properties, **self._properties, **self._agents(before)}
            changes = {**changes, "properties": properties}
        _ambient.set(replace(before, **changes))

    def _agents(self, before: Scope) -> dict[str, str]:
        parent = self._parent_agent or (before.properties.get("agent") if self._agent else None)
        named = {"agent": self._agent, "parent_agent": None if parent == self._agent else parent}
        return {name: value for name, value in named.items() if value is not None}

    def __exit__(self, *about: object) -> None:
        # Not reset(token): a generator may be finalised in another Context, where a token is refused.
        before, self._before = self._before, None
        if before is not None:
            _ambient.set(before)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *about: object) -> None:
        self.__exit__(*about)

    def __call__(self, function: F) -> F:
        self._used = True
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def inner(*args: Any, **kwargs: Any) -> Any:
            with self._recreate_cm():
                return await function(*args, **kwargs)

        return cast(F, inner)

    def _recreate_cm(self) -> Self:
        made = copy.copy(self)  # calls of a decorated function may overlap
        made._before = None
        return made

    def __del__(self) -> None:
        if not self._used:
            warnings.warn(
                "amplitude_ai.context(...) does nothing by itself: write `with amplitude_ai.context(...):`",
                RuntimeWarning,
                stacklevel=2,
            )


def check_ids(**ids: object) -> None:
    """Raise TypeError or ValueError naming the first id that is no non-empty string."""
    for name, value in ids.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a string or None, not {type(value).__name__}: pass {name}=str(...)")
        if not value:
            raise ValueError(f"{name} must not be empty: leave it out, or pass None, when it is not known")


def snapshot(binding: Binding, headers: Mapping[str, str]) -> Scope:
    """The scope of one request, settled: its own headers, then the surrounding context, then the client's.

    Args:
        binding: what the client was told.
        headers: the request's ``X-Amplitude-*`` headers, lower-case names; most often empty.
    """
    around = _ambient.get()
    surroundings = look()
    if around is not _NOTHING:
        around = around.with_request()
    elif not headers and not surroundings:
        return binding.plain
    said = _said(headers) if headers else _NOTHING
    properties = {**around.properties, **said.properties} if said.properties else around.properties
    session_id = said.session_id or around.session_id or binding.session_id
    managed = around.managed_session and session_id == around.session_id
    made = Scope(  # by position, in the order of its fields: by name it costs the caller a tenth more
        binding if around.binding is NO_BINDING else _completed(binding, around.binding),
        said.user_id or around.user_id or binding.user_id,
        session_id,
        around.privacy_mode if said.privacy_mode is None else said.privacy_mode,
        properties,
        managed,
        around.totals if managed else None,
        said.device_id or around.device_id,
        around.amplitude_session_id,
        {**(around.groups or {}), **said.groups} if said.groups else around.groups,
        around.user_properties,
        span_context(surroundings),
        surroundings,
        around.from_user,
    )
    if around.framework_call is not None:
        around.framework_call.contexts.append(made)
    return made


def _completed(binding: Binding, session: Binding) -> Binding:
    """``binding``, with the manual session's Amplitude client and config where it has none of its own."""
    if binding.amplitude_client is not None and binding.config is not None:
        return binding
    client = session.amplitude_client if binding.amplitude_client is None else binding.amplitude_client
    return replace(binding, amplitude_client=client, config=binding.config or session.config)


def encode_headers(
    user_id: str | None = None,
    session_id: str | None = None,
    privacy_mode: bool | None = None,
    properties: Mapping[str, Any] | None = None,
    groups: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """One header that says all of it; empty when nothing is said. Read back by `snapshot`."""
    every = (user_id, session_id, privacy_mode, properties, groups)
    names = ("user_id", "session_id", "privacy_mode", "properties", "groups")
    said = {name: value for name, value in zip(names, every, strict=True) if value is not None}
    if not said:
        return {}
    return {CONTEXT_HEADER: base64.urlsafe_b64encode(json.dumps(said, default=str).encode()).decode()}


def _said(headers: Mapping[str, str]) -> Scope:
    """Read our headers. What cannot be read is left out: a typo in a header must not cost the call."""
    packed: dict[str, Any] = {}
    if token := headers.get("x-amplitude-context"):
        try:
            decoded = json.loads(base64.urlsafe_b64decode(token))
        except ValueError:
            decoded = None
        if isinstance(decoded, dict):
            packed = decoded
    privacy = headers.get("x-amplitude-privacy-mode", "").strip().lower()
    mode = True if privacy in _TRUE else False if privacy in _FALSE else packed.get("privacy_mode")
    properties, groups = packed.get("properties"), packed.get("groups")
    return Scope(
        user_id=headers.get("x-amplitude-user-id") or _text(packed.get("user_id")),
        session_id=headers.get("x-amplitude-session-id") or _text(packed.get("session_id")),
        privacy_mode=mode if isinstance(mode, bool) else None,
        properties=properties if isinstance(properties, dict) else {},
        device_id=headers.get("x-amplitude-device-id") or None,
        groups=groups_of(headers.get("x-amplitude-groups")) or (groups if isinstance(groups, dict) else None),
    )


def groups_of(header: str | None) -> dict[str, Any] | None:
    """Groups as a header has them, ``{"company": "acme"}``; ``None`` where it has none, or cannot be read."""
    try:
        told = json.loads(header) if header and len(header) <= _MAX_GROUPS else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return {name: value for name, value in told.items() if isinstance(value, str | list)} or None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
