"""What an SDK client was told, and how each of its requests says so to the transport below.

The HTTP client under an SDK client may be shared: a copy made by ``with_options`` shares it, and so may two SDK
clients that were given the same ``http_client``. What counts is what *this* SDK client was told, so the `Binding`
travels with each request, in its ``extensions``, where the transport also finds the headers of a redirected request.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict, replace

from .. import _scope
from .._guard import guard
from .._models import Binding, Scope
from .._runtime import observer
from ..instrumentation.factory import watch_one
from ..transports._httpx_family import EXTENSION, TransportBase, binding_of, observe_by
from ..transports._watch import end_client, our_headers
from ._sdk_errors import SdkError

_BINDING = "amplitude_ai.binding"


class ClientBinding(Binding, eq=False):
    """A binding that an SDK client brought with it, unlike one of a hand-made HTTP client."""


class ClientSettings:
    """Held by an SDK client and its copies; when the last of them is gone, their automatic run ends."""

    __slots__ = ("__weakref__", "binding")

    def __init__(self, binding: Binding, sdk_error: SdkError | None = None) -> None:
        self.binding = ClientBinding(**{**asdict(binding), "sdk_error": sdk_error})
        weakref.finalize(self, end_run, self.binding).atexit = False


def _snapshot(binding: Binding, headers: Mapping[str, Any]) -> Scope:
    own = headers.get(_BINDING)
    if own is None:
        return _scope.snapshot(binding, headers)
    return _scope.snapshot(own, {name: value for name, value in headers.items() if name != _BINDING})


#: The process's observer, which also hears what a request says about its client.
client_observer = replace(observer, snapshot=_snapshot)


def end_run(binding: Binding) -> None:
    """End the automatic run of a client that was closed, or is gone. Does nothing when it ended before."""
    end_client(client_observer, binding)


def watch_http_client(http_client: Any, settings: ClientSettings) -> None:
    """Watch the HTTP client of an SDK client, in place; a client that is watched already stays so.

    An ``http_client`` made by ``instrumented_httpx(...)`` keeps what it was told where the SDK client was told nothing.
    """
    binding = settings.binding
    before = _watching(http_client)
    if before and not isinstance(seen := binding_of(before[0]), ClientBinding):
        binding.complete(seen)
    watch_one(http_client, binding)
    for transport in _watching(http_client):
        observe_by(transport, client_observer)


def watch_requests_session(session: Any, settings: ClientSettings) -> None:
    """The same for a client over requests."""
    from ..transports.requests import watch_session

    watch_session(session, client_observer, settings.binding)


def watch_aiohttp_session(session: Any, settings: ClientSettings) -> None:
    """The same for a session of aiohttp."""
    from ..transports.aiohttp import watch_session

    watch_session(session, client_observer, settings.binding)


def _watching(http_client: Any) -> list[TransportBase]:
    transports = [http_client._transport, *http_client._mounts.values()]
    return [transport for transport in transports if isinstance(transport, TransportBase)]


def owns_transport(http_client: Any, settings: ClientSettings) -> bool:
    """Whether closing ``http_client`` ends the run of this client, and not another's that it is shared with."""
    return any(binding_of(transport) is settings.binding for transport in _watching(http_client))


def rebind(request: Any, settings: ClientSettings) -> None:
    """Move our headers out of ``request`` (an httpx or httpx2 request) to where only the transport sees them.

    Called before the SDK signs the request: AWS would refuse a signature over a header that never arrives.
    """
    with guard("carry"):
        said: dict[str, Any] = {_BINDING: settings.binding}
        for name in our_headers(request.headers):
            said[name] = request.headers.pop(name)
        request.extensions = {**request.extensions, EXTENSION: said}
