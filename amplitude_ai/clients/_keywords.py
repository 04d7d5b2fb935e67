"""The ``amplitude_*`` keywords: their names, their checks, and how they travel with one call. Library-free.

A call says who it is for either in a header of its own request (`headers_of`; it survives lazily sent streams and
retries) or, where a method takes no headers, in the context around it (`said`).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from .._scope import check_ids, context, encode_headers

PREFIX = "amplitude_"
#: What every resource method takes, with the parameter of `amplitude_ai.context` that it means.
PER_REQUEST = {
    "amplitude_user_id": "user_id",
    "amplitude_session_id": "session_id",
    "amplitude_privacy_mode": "privacy_mode",
    "amplitude_properties": "properties",
    "amplitude_groups": "groups",
}
#: What a client's constructor takes, with the parameter of `bind` that it means.
PER_CLIENT = {
    "amplitude_client": "amplitude_client",
    "ai_config": "ai_config",
    "auto_start_session": "auto_start_session",
    "amplitude_user_id": "user_id",
    "amplitude_session_id": "session_id",
}
#: Defaults other than None.
_DEFAULTS = {"auto_start_session": True}


def pop_keywords(kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Remove the ``amplitude_*`` keywords from ``kwargs`` and return them as arguments of `context`.

    Returns:
        ``None`` when there are none: the path of most calls, so it must cost next to nothing.

    Raises:
        TypeError: a keyword is unknown, or a value has the wrong type; the message names it.
        ValueError: an id is empty.
    """
    for name in kwargs:
        if name.startswith(PREFIX):
            break
    else:
        return None
    taken: dict[str, Any] = {}
    for name in [name for name in kwargs if name.startswith(PREFIX)]:
        if name not in PER_REQUEST:
            raise TypeError(f"unexpected keyword argument {name!r}: a request takes {', '.join(PER_REQUEST)}")
        taken[name] = kwargs.pop(name)
    check_ids(**{name: value for name, value in taken.items() if name.endswith("_id")})
    privacy, properties = taken.get("amplitude_privacy_mode"), taken.get("amplitude_properties")
    if privacy is not None and not isinstance(privacy, bool):
        raise TypeError(f"amplitude_privacy_mode must be True, False or None, not {type(privacy).__name__}")
    if properties is not None and not isinstance(properties, Mapping):
        raise TypeError(f"amplitude_properties must be a mapping of names to values, not {type(properties).__name__}")
    groups = taken.get("amplitude_groups")
    if groups is not None and not isinstance(groups, Mapping):
        raise TypeError(f"amplitude_groups must be a mapping of names to values, not {type(groups).__name__}")
    return {PER_REQUEST[name]: value for name, value in taken.items()}


def pop_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Remove what we add to a client's constructor from ``options`` and return it as arguments of `bind`.

    Raises:
        TypeError: an ``amplitude_*`` keyword is unknown; the message names it.
    """
    taken = {parameter: options.pop(name) for name, parameter in PER_CLIENT.items() if name in options}
    for name in options:
        if name.startswith(PREFIX):
            raise TypeError(f"unexpected keyword argument {name!r}: a client takes {', '.join(PER_CLIENT)}")
    return taken


def add_headers(kwargs: dict[str, Any], said: Mapping[str, Any]) -> None:
    """Let the request of a method that takes ``extra_headers`` carry ``said``."""
    if ours := encode_headers(**said):
        kwargs["extra_headers"] = {**(kwargs.get("extra_headers") or {}), **ours}


def with_context(said: Mapping[str, Any]) -> AbstractContextManager[None]:
    """The context in which a method that takes no headers is called."""
    return context(**said)


def carried(result: Any, said: Mapping[str, Any]) -> Any:
    """Let a generator say the same whenever it runs: it may send its request when it is first read, or several."""
    if inspect.isgenerator(result):
        return _generator(result, said)
    if inspect.isasyncgen(result):
        return _async_generator(result, said)
    return result


def _generator(inner: Iterator[Any], said: Mapping[str, Any]) -> Iterator[Any]:
    # The context is left at each yield: what the reader does between two items is not this call's.
    try:
        while True:
            with with_context(said):
                try:
                    item = next(inner)
                except StopIteration:
                    return
            yield item
    finally:
        inner.close()  # type: ignore[attr-defined]


async def _async_generator(inner: AsyncIterator[Any], said: Mapping[str, Any]) -> AsyncIterator[Any]:
    try:
        while True:
            with with_context(said):
                try:
                    item = await anext(inner)
                except StopAsyncIteration:
                    return
            yield item
    finally:
        await inner.aclose()  # type: ignore[attr-defined]


def signature_with(function: Any, names: Iterable[str]) -> inspect.Signature:
    """The signature of ``function`` plus keyword-only parameters ``names``: what completion and help show."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    rest = [parameter for parameter in parameters if parameter.kind is inspect.Parameter.VAR_KEYWORD]
    known = {parameter.name for parameter in parameters}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS.get(name))
        for name in names
        if name not in known
    ]
    return signature.replace(parameters=[*(p for p in parameters if p not in rest), *added, *rest])
