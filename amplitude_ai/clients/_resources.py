"""Every method of every resource of an SDK takes the ``amplitude_*`` keywords. Imports no SDK.

A resource (``client.chat.completions``, ``client.aio.models``) stays the object the SDK made; only its class becomes
a subclass, made once per resource class, whose public methods take the keywords and whose properties hand out their
resources in the same way. So whatever an SDK hangs under a client, today or in its next major version, is covered,
and ``isinstance`` holds.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ._keywords import PER_REQUEST, add_headers, carried, pop_keywords, signature_with, with_context

#: Names of the classes that resources derive from. openai and anthropic (generated alike) have one base for each
#: colour; google-genai one for its modules, one for the generated ones, and none for its chats and its async half.
_RESOURCES = {
    "openai": {"SyncAPIResource", "AsyncAPIResource"},
    "anthropic": {"SyncAPIResource", "AsyncAPIResource"},
    "google.genai": {"BaseModule", "BaseSDK", "Chats", "AsyncChats", "_BaseChat", "AsyncClient"},
    "google.generativeai": {"ChatSession"},
}
#: Methods that open a WebSocket: their headers pass no transport that would remove ours.
_WEBSOCKETS = frozenset({"connect"})

_classes: dict[type, type] = {}


def adopt(value: Any) -> Any:
    """Make ``value`` take the keywords if it is a resource. Returns the same object."""
    cls = type(value)
    if is_resource(cls):
        value.__class__ = _classes.get(cls) or _classes.setdefault(cls, _subclass(cls))
    return value


def adopt_attributes(owner: Any) -> None:
    """Adopt the resources that an SDK stored on ``owner`` when it made it (openai and anthropic did until 1.5x)."""
    for value in list(vars(owner).values()):
        adopt(value)


def is_resource(cls: type) -> bool:
    """Whether objects of this class hold methods that send requests, and are not adopted yet."""
    package = ".".join(cls.__module__.split(".")[:2]) if cls.__module__.startswith("google.") else None
    bases = _RESOURCES.get(package or cls.__module__.partition(".")[0])
    return bases is not None and any(base.__name__ in bases for base in cls.__mro__)


def _subclass(cls: type) -> type:
    namespace: dict[str, Any] = {"__module__": __name__, "__doc__": cls.__doc__, "__qualname__": cls.__qualname__}
    namespace.update(resource_properties(cls))
    for name, value in _own_members(cls).items():
        if inspect.isfunction(value):
            namespace[name] = with_keywords(cls, name)
    if "Chats" in cls.__name__:
        namespace["create"] = _adopting(cls.create)  # type: ignore[attr-defined]
    return type(cls.__name__, (cls,), namespace)


def resource_properties(cls: type) -> dict[str, Any]:
    """Stand-ins for the properties of ``cls`` that hand out resources: they hand them out adopted."""
    found: dict[str, Any] = {}
    for name, value in _own_members(cls).items():
        if isinstance(value, functools.cached_property):
            found[name] = cached = functools.cached_property(_adopting(value.func))
            cached.__set_name__(cls, name)
        elif isinstance(value, property) and value.fset is None and value.fget is not None:
            found[name] = property(_adopting(value.fget), doc=value.__doc__)
    return found


def _own_members(cls: type) -> dict[str, Any]:
    """The public members that the SDK defined on ``cls`` or its bases, the nearest definition of each name."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base is not object:
            found.update(vars(base))
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _adopting(make: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        value = make(*args, **kwargs)
        adopt(value)
        return value

    return made


def with_keywords(owner: Any, name: str) -> Any:
    """The method ``name`` of the SDK's class ``owner`` with the four per-request keywords, which it never sees itself.

    It is looked up at each call: a test's mock, or another tool's instrumentation, may replace it on ``owner``.
    """
    function = getattr(owner, name)
    signature = signature_with(function, PER_REQUEST)
    takes_headers = "extra_headers" in signature.parameters and name not in _WEBSOCKETS
    maker = _async_method if inspect.iscoroutinefunction(function) else _method
    method: Any = functools.wraps(function)(maker(owner, name, takes_headers))
    method.__signature__ = signature
    return method


def _method(owner: Any, name: str, takes_headers: bool) -> Any:
    def method(*args: Any, **kwargs: Any) -> Any:
        said = pop_keywords(kwargs)
        function = getattr(owner, name)
        if said is None:
            return function(*args, **kwargs)
        if takes_headers:
            add_headers(kwargs, said)
            return function(*args, **kwargs)
        with with_context(said):
            result = function(*args, **kwargs)
        return carried(result, said)

    return method


def _async_method(owner: Any, name: str, takes_headers: bool) -> Any:
    async def method(*args: Any, **kwargs: Any) -> Any:
        said = pop_keywords(kwargs)
        function = getattr(owner, name)
        if said is None:
            return await function(*args, **kwargs)
        if takes_headers:
            add_headers(kwargs, said)
            return await function(*args, **kwargs)
        with with_context(said):
            result = await function(*args, **kwargs)
        return carried(result, said)

    return method
