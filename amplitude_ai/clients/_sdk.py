"""Instrumented subclasses of the clients that Stainless generates: openai's and anthropic's. Imports neither.

Made once per SDK class. What an SDK does with its own client class it still does: while its ``__init__`` and ``copy``
run, the object has the SDK's own class, since SDKs compare (anthropic looks for a credentials profile only when
``type(self)`` is its own).
"""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import TYPE_CHECKING, Any

from .._models import Binding
from .._runtime import bind
from ._keywords import PER_CLIENT, pop_settings, signature_with
from ._resources import adopt_attributes, resource_properties
from ._sdk_errors import of_stainless
from ._settings import ClientSettings, end_run, owns_transport, rebind, watch_http_client

if TYPE_CHECKING:
    from .._config import AIConfig

    class Constructor:
        """What a type checker knows of the constructors of instrumented classes."""

        def __init__(
            self,
            *args: Any,
            amplitude_client: Any = None,
            ai_config: AIConfig | None = None,
            auto_start_session: bool = True,
            amplitude_user_id: str | None = None,
            amplitude_session_id: str | None = None,
            **options: Any,
        ) -> None: ...


def instrumented_pair(package: str, sync: str, asynchronous: str) -> tuple[Any, Any]:
    """The instrumented subclasses of the two client classes that ``package`` exports under these names.

    Raises:
        ImportError: the package is not installed, or its version has no such class; the message says what to install.
    """
    module = import_sdk(package, package)
    try:
        return instrumented_class(getattr(module, sync)), instrumented_class(getattr(module, asynchronous))
    except AttributeError as exc:
        version = getattr(module, "__version__", "(unknown version)")
        raise ImportError(f"{package} {version} has no {exc.name}: pip install --upgrade {package}") from exc


def import_sdk(module: str, package: str) -> Any:
    """Import an SDK's module, or raise ImportError naming the ``package`` to install."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is None or not f"{module}.".startswith(f"{exc.name}."):
            raise  # the SDK is there, something it needs is not: its own message is the better one
        raise ImportError(f"{package} is not installed: pip install {package}") from exc


@functools.cache
def instrumented_class(base: Any) -> Any:
    """The instrumented subclass of an SDK's client class."""
    sdk_error = of_stainless(base)
    colour = _async_members if inspect.iscoroutinefunction(base.close) else _sync_members

    def __init__(self: Any, *args: Any, **options: Any) -> None:
        settings = ClientSettings(bind(**pop_settings(options)), sdk_error)
        ours = type(self)
        if ours is not instrumented:
            base.__init__(self, *args, **options)
        else:
            self.__class__ = base
            try:
                base.__init__(self, *args, **options)
            finally:
                self.__class__ = ours
        _start(self, settings)

    @functools.wraps(base.copy)
    def copy(self: Any, *args: Any, **options: Any) -> Any:
        changes = pop_settings(options)
        changed = ClientSettings(_changed(self._amplitude.binding, changes), sdk_error) if changes else None
        settings = changed or self._amplitude
        if type(self) is not instrumented:
            copied = base.copy(self, *args, **options)
        else:
            # A twin of the SDK's class is copied: this object may be in use by other threads and stays as it is.
            twin = base.__new__(base)
            vars(twin).update(vars(self))
            copied = base.copy(twin, *args, **options)
            copied.__class__ = instrumented
        _start(copied, settings)
        return copied

    copy.__signature__ = signature_with(base.copy, PER_CLIENT)  # type: ignore[attr-defined]
    signature = signature_with(base.__init__, PER_CLIENT)
    instrumented = type(
        base.__name__,
        (base,),
        {
            **resource_properties(base),
            **colour(base),
            "__module__": __name__,
            "__doc__": base.__doc__,
            "__signature__": signature.replace(parameters=list(signature.parameters.values())[1:]),
            "__init__": __init__,
            "copy": copy,
            "with_options": copy,
        },
    )
    return instrumented


def _changed(binding: Binding, changes: dict[str, Any]) -> Binding:
    said = {
        "amplitude_client": binding.amplitude_client,
        "ai_config": binding.config,
        "user_id": binding.user_id,
        "session_id": binding.session_id,
        "auto_start_session": binding.auto_start_session,
    }
    return bind(**{**said, **changes})


def _start(client: Any, settings: ClientSettings) -> None:
    client._amplitude = settings
    watch_http_client(client._client, settings)
    adopt_attributes(client)


def _end_run(client: Any) -> None:
    """End the run of a client that was closed, unless the closing of its transport did."""
    settings = getattr(client, "_amplitude", None)  # not there when the constructor failed
    if settings is not None and not owns_transport(client._client, settings):
        end_run(settings.binding)


def _sync_members(base: Any) -> dict[str, Any]:
    # Both SDKs call _prepare_request with each attempt's request "after it has been constructed"; where it signs
    # requests (Bedrock) our headers are gone before that.
    @functools.wraps(base._prepare_request)
    def _prepare_request(self: Any, request: Any) -> None:
        rebind(request, self._amplitude)
        base._prepare_request(self, request)

    @functools.wraps(base.close)
    def close(self: Any) -> None:
        base.close(self)
        _end_run(self)

    return {"_prepare_request": _prepare_request, "close": close}


def _async_members(base: Any) -> dict[str, Any]:
    @functools.wraps(base._prepare_request)
    async def _prepare_request(self: Any, request: Any) -> None:
        rebind(request, self._amplitude)
        await base._prepare_request(self, request)

    @functools.wraps(base.close)
    async def close(self: Any) -> None:
        await base.close(self)
        _end_run(self)

    return {"_prepare_request": _prepare_request, "close": close}
