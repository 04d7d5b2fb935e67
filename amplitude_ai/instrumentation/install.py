"""``install_transport()``: every client of the process, by hooking where a client sends one request.

Which transport or adapter a client picks is its own affair, and the objects it hands out stay its own. Nothing is
stored on a client, so ``uninstall_transport()`` leaves nothing behind. Libraries imported later are hooked when they
are, and again when they are reloaded or imported once more. What each of them is hooked by, its leaf says
(`_libraries`).
"""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .._guard import log_once, report
from .._mistakes import answers_misspelling
from .._models import Binding
from .._runtime import bind, observer, runtime
from .._scope import ambient
from ..transports._library import Patch
from ..transports._watch import Everyone, end_client
from . import _imports
from ._hook import Hook
from ._libraries import BY_MODULE, LIBRARIES, names
from ._spans import watched_start_span

if TYPE_CHECKING:
    from .._config import AIConfig

_lock = threading.RLock()
_undo: list[Hook] = []
#: Modules of versions that are not known.
_unknown: set[str] = set()
#: How often the hooks have been taken away.
_generation = 0
_told = Binding()
#: Who wants the hooks: the user (`_EVERYTHING`), or frameworks, which then see their own calls only.
_wanted: set[object] = set()
_EVERYTHING = object()


@answers_misspelling
def install_transport(
    *,
    amplitude_client: Any = None,
    ai_config: AIConfig | None = None,
    user_id: str | None = None,
    auto_start_session: bool = True,
    propagate_threads: bool = False,
    console: bool | None = None,
) -> None:
    """Record the LLM calls of every HTTP client of this process.

    Watched are httpx, httpx2, requests, aiohttp, urllib3 (boto3) and the standard library's http.client
    (urllib.request, httplib2).

    Calling it again only updates the arguments.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: privacy, prices and flags of all calls; default: `AIConfig()`.
        user_id: Amplitude user id of calls, where neither the context nor the request nor their client names one.
        auto_start_session: whether calls without a session id are grouped into runs, one per client and user.
        propagate_threads: whether threads and thread pools work in the `context` of whoever gave them the work. Without
            it a thread starts with none, as ContextVars do (`propagate_context` carries it by hand).
        console: print each call as a line on stderr, without its texts: time, user, model, tokens, cost, ms, time to
            first token, tools, error. By default as ``AMPLITUDE_AI_CONSOLE`` (``1``) says.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: ``user_id`` is empty.
    """
    global _told
    if not isinstance(propagate_threads, bool):
        raise TypeError(f"propagate_threads must be True or False, not {type(propagate_threads).__name__}")
    if console is not None and not isinstance(console, bool):
        raise TypeError(f"console must be True, False or None, not {type(console).__name__}")
    told = bind(amplitude_client, ai_config, user_id, None, auto_start_session, explicit=False)
    with _lock:
        _told = told
        runtime.console = console
        _bindings.clear()
        _want(_EVERYTHING)
        if propagate_threads:
            _hook_threads()
    log_once(
        "install",
        logging.INFO,
        "amplitude_ai watches %s; gRPC and WebSockets (realtime) stay invisible",
        names(),
    )


def uninstall_transport() -> None:
    """Undo `install_transport`: afterwards every class is exactly what it was. Does nothing when not installed.

    While a LangChain callback or a Pydantic AI wrapper is in use its hooks stay, and let all other traffic pass.
    """
    with _lock:
        runtime.console = None
        _unwant(_EVERYTHING)


def is_installed() -> bool:
    """Whether `install_transport` is in force."""
    return _EVERYTHING in _wanted


def watched_libraries() -> frozenset[str]:
    """The names of the libraries that `install_transport` watches where they are installed."""
    return frozenset(row.name for row in LIBRARIES)


def watch_frameworks(owner: object) -> None:
    """Hook the HTTP libraries for what a framework sends (`_scope.FrameworkCall`), as long as ``owner`` lives."""
    token = object()
    _want(token)
    weakref.finalize(owner, _unwant, token).atexit = False


def _want(token: object) -> None:
    with _lock:
        _wanted.add(token)
        _imports.watch(_MODULES, _executed)
        for name in _MODULES:
            # One that another thread is importing will be told of. To wait for it here could be to wait for ever.
            module = _imports.complete(name)
            if module is not None and name not in _unknown:
                _hook(name, module, executed=None)


def _unwant(token: object) -> None:
    global _generation
    with _lock:
        _wanted.discard(token)
        if _wanted:
            return
        _imports.unwatch()
        _generation += 1
        while _undo:
            _undo.pop().undo()
        _unknown.clear()
        _bindings.clear()


#: One binding (and so one automatic run) per client, as long as the client lives.
_bindings: weakref.WeakKeyDictionary[Any, Binding] = weakref.WeakKeyDictionary()


def _binding(client: Any) -> Binding | None:
    """Whose the calls of ``client`` are: the framework's that is calling, else the hook's; ``None`` is nobody's."""
    framework_call = ambient().framework_call
    if framework_call is not None:
        return framework_call.binding
    if _EVERYTHING not in _wanted:
        return None
    try:
        return _bindings[client]
    except (KeyError, TypeError):
        pass
    told = _told
    binding = Binding(told.amplitude_client, told.config, told.user_id, None, told.auto_start_session, explicit=False)
    try:
        _bindings[client] = binding
        weakref.finalize(client, end_client, observer, binding).atexit = False
    except TypeError:  # a client class without weak references or hash: all such clients share one run
        return told
    return binding


def _binding_of() -> Callable[[Any], Binding | None]:
    """`_binding` for wrappers that are made now: those that stay under somebody else's are nobody's once we have gone,
    and when we come again with new ones above them."""
    mine = _generation
    return lambda client: _binding(client) if mine == _generation else None


def _replace(owner: Any, name: str, make: Callable[[Any], Any], executed: ModuleType | None = None) -> None:
    """Have a hook stand there, once."""
    for hook in _undo:
        if hook.owner is owner and hook.name == name:
            hook.renew(make, executed)
            return
    _undo.append(Hook(owner, name, make))


def _end_run_of(client: Any) -> None:
    try:
        binding = _bindings.pop(client, None)
    except TypeError:  # a client without hash or weak references
        return
    if binding is not None:
        end_client(observer, binding)


def _hook_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from .._propagate import propagating_bootstrap, propagating_start, propagating_submit

    _replace(ThreadPoolExecutor, "submit", propagating_submit)
    _replace(threading.Thread, "start", propagating_start)
    _replace(threading.Thread, "_bootstrap", propagating_bootstrap)


def _span_hooks(module: ModuleType) -> list[Patch]:
    current_span = sys.modules["opentelemetry.trace"].get_current_span
    return [(module.Tracer, "start_span", lambda original: watched_start_span(original, current_span))]


#: No HTTP library: it says which agent is at work.
_SPANS = "opentelemetry.sdk.trace"
_MODULES = frozenset({*BY_MODULE, _SPANS})


def _executed(name: str, module: ModuleType) -> None:
    """A module has been imported, once more perhaps, or reloaded."""
    row = BY_MODULE.get(name)
    # Of a library that is being imported the last module is waited for.
    if row is None or name == row.module or _imports.complete(row.module) is not None:
        _hook(name, module, executed=module)


def _hook(name: str, module: ModuleType, executed: ModuleType | None) -> None:
    """Hook what a module has, where it is not hooked."""
    with _lock:
        _undo[:] = [hook for hook in _undo if hook.owner is not None]  # of copies that the application has let go
        mark = len(_undo)
        try:
            if name == _SPANS:
                hooks: Iterable[Patch] = _span_hooks(module)
            else:
                everyone = Everyone(observer, _binding_of(), _end_run_of)
                hooks = BY_MODULE[name].load().hooks(module, everyone)
            for owner, attribute, make in hooks:
                _replace(owner, attribute, make, executed)
        except Exception as exc:
            # An unknown version: take back what was changed, let its traffic pass.
            while len(_undo) > mark:
                _undo.pop().undo()
            _unknown.add(name)
            report(f"install_{name}", exc)
            log_once(f"install_{name}", logging.WARNING, "amplitude_ai cannot watch this version of %s", name)
