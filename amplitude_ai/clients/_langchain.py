"""The LangChain callback handler. Imported only where langchain-core is installed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import BaseCallbackHandler
from msgspec import Struct, field
from msgspec.structs import replace

from .._guard import guard
from .._models import Scope, ToolCall
from .._runtime import bind
from .._scope import snapshot
from .._surroundings import langchain_names
from ..instrumentation.install import watch_frameworks
from ..parsers._json import as_str
from ._framework import ModelCall, Stopwatch, tool_run
from ._langchain_read import read_call

if TYPE_CHECKING:
    from .._config import AIConfig

#: Components in progress that are remembered; the oldest is forgotten when a framework never says that they ended.
_MAX_OPEN = 10_000


class _Open(Struct):
    """A component in progress: a chain, a tool, a retriever, a model call."""

    name: str
    parent: Any
    root: Any
    watch: Stopwatch = field(default_factory=Stopwatch)
    call: ModelCall | None = None
    asked: Sequence[Any] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    parameters: Any = None
    tool_call_id: str | None = None
    streaming: bool = False
    names: dict[str, Any] = field(default_factory=dict)  # its agent, its step


class AmplitudeLangChainCallback(BaseCallbackHandler):  # type: ignore[misc]  # Any, for a type checker without LangChain
    """Records the model calls, tools and retrievers of the components it is given to. See `amplitude_ai.get_langchain`.

    Args:
        amplitude_client: anything with ``track(BaseEvent)``; default: by ``AMPLITUDE_API_KEY``, else the local store.
        ai_config: an `AIConfig`.
        user_id: Amplitude user id; default: the context's.
        session_id: run id of all calls; default: one automatic run per user.
        auto_start_session: whether calls without a session id are grouped into runs.

    Raises:
        TypeError: an argument has the wrong type.
    """

    #: On the caller's own thread and in its context, in async code too: the HTTP calls that follow must find it there.
    run_inline = True

    def __init__(
        self,
        amplitude_client: Any = None,
        ai_config: AIConfig | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        auto_start_session: bool = True,
    ) -> None:
        self._binding = bind(amplitude_client, ai_config, user_id, session_id, auto_start_session, explicit=False)
        self._open: OrderedDict[Any, _Open] = OrderedDict()
        self._contexts: OrderedDict[Any, Scope] = OrderedDict()  # by root run: whose its last model call was
        watch_frameworks(self)

    # Models ---------------------------------------------------------------------------------------------------

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: Any, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A chat model is about to be called."""
        self._begin_model(serialized, messages[0] if messages else (), run_id, parent_run_id, more)

    def on_llm_start(
        self, serialized: Any, prompts: Any, *, run_id: Any, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A plain text model is about to be called."""
        self._begin_model(serialized, prompts[:1], run_id, parent_run_id, more)

    def on_llm_new_token(self, token: Any, *, run_id: Any, **more: Any) -> None:
        """Tokens come: the request is out, and what the reader does between them is the reader's own."""
        one = self._open.get(run_id)
        if one is not None and one.call is not None and not one.streaming:
            one.streaming = True
            one.call.leave()

    def on_llm_end(self, response: Any, *, run_id: Any, **more: Any) -> None:
        """The model has answered."""
        self._end_model(run_id, response, None)

    def on_llm_error(self, error: BaseException, *, run_id: Any, **more: Any) -> None:
        """The model has failed, or its reader let go of it."""
        self._end_model(run_id, more.get("response"), error)

    def _begin_model(
        self, serialized: Any, asked: Sequence[Any], run_id: Any, parent: Any, more: dict[str, Any]
    ) -> None:
        with guard("langchain"):
            one = self._begin(serialized, run_id, parent, more)
            one.asked = asked
            one.call = ModelCall(self._binding, _properties(one, run_id))
            one.call.enter()

    def _end_model(self, run_id: Any, response: Any, error: BaseException | None) -> None:
        with guard("langchain"):
            one = self._open.pop(run_id, None)
            if one is None or one.call is None:
                return
            one.call.leave()
            self._contexts[one.root] = one.call.context
            while len(self._contexts) > _MAX_OPEN:
                self._contexts.popitem(last=False)
            closed = isinstance(error, GeneratorExit)
            call = read_call(one.asked, one.metadata, response, one.streaming)
            one.call.told(call, None if closed else error)

    # What is around them --------------------------------------------------------------------------------------

    def on_chain_start(
        self, serialized: Any, inputs: Any, *, run_id: Any, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A chain, graph or agent begins."""
        with guard("langchain"):
            self._begin(serialized, run_id, parent_run_id, more)

    def on_chain_end(self, outputs: Any, *, run_id: Any, **more: Any) -> None:
        """It has ended."""
        self._end_chain(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: Any, **more: Any) -> None:
        """It has failed."""
        self._end_chain(run_id)

    def _end_chain(self, run_id: Any) -> None:
        with guard("langchain"):
            self._open.pop(run_id, None)
            self._contexts.pop(run_id, None)

    # Tools and retrievers -------------------------------------------------------------------------------------

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        inputs: Any = None,
        **more: Any,
    ) -> None:
        """A tool begins."""
        with guard("langchain"):
            one = self._begin(serialized, run_id, parent_run_id, more)
            one.parameters = input_str if inputs is None else inputs
            one.tool_call_id = as_str(more.get("tool_call_id"))

    def on_tool_end(self, output: Any, *, run_id: Any, **more: Any) -> None:
        """It has ended. ``output`` is what it gave, or a ``ToolMessage`` with it."""
        failed = getattr(output, "status", None) == "error"
        self._end_tool(run_id, getattr(output, "content", output), "function", failed, as_str(_id(output)))

    def on_tool_error(self, error: BaseException, *, run_id: Any, **more: Any) -> None:
        """It has failed."""
        self._end_tool(run_id, f"{type(error).__name__}: {error}", "function", failed=True)

    def on_retriever_start(
        self, serialized: Any, query: str, *, run_id: Any, parent_run_id: Any = None, **more: Any
    ) -> None:
        """A retriever begins: told as a tool that was asked a question."""
        with guard("langchain"):
            self._begin(serialized, run_id, parent_run_id, more).parameters = {"query": query}

    def on_retriever_end(self, documents: Any, *, run_id: Any, **more: Any) -> None:
        """It has found ``documents``."""
        self._end_tool(run_id, [getattr(one, "page_content", None) for one in documents or ()], "retriever")

    def on_retriever_error(self, error: BaseException, *, run_id: Any, **more: Any) -> None:
        """It has failed."""
        self._end_tool(run_id, f"{type(error).__name__}: {error}", "retriever", failed=True)

    def _end_tool(
        self, run_id: Any, result: Any, kind: str, failed: bool = False, tool_call_id: str | None = None
    ) -> None:
        with guard("langchain"):
            one = self._open.pop(run_id, None)
            if one is None:
                return
            context = self._contexts.get(one.root) or snapshot(self._binding, {})
            tool = ToolCall(
                name=one.name,
                id=one.tool_call_id or tool_call_id,
                arguments=one.parameters,
                type=kind,
                executed=True,
                result=None if failed else result,
                success=not failed,
                error_message=str(result) if failed else None,
            )
            # Whose it is says the model that asked; which run it is, it says itself.
            properties = {**context.properties, **_properties(one, run_id)}
            tool_run(replace(context, properties=properties), tool, one.watch)

    def _begin(self, serialized: Any, run_id: Any, parent: Any, more: dict[str, Any]) -> _Open:
        above = self._open.get(parent)
        names = (more.get("name"), (serialized or {}).get("name"), ((serialized or {}).get("id") or [None])[-1])
        one = _Open(
            name=next((name for name in map(as_str, names) if name), "unknown"),
            parent=parent,
            metadata=dict(more.get("metadata") or {}),
            root=above.root if above is not None else parent if parent is not None else run_id,
        )
        one.names = langchain_names(one.metadata)
        if above is not None:
            one.names = _under(one.names, above.names)
        self._open[run_id] = one
        while len(self._open) > _MAX_OPEN:
            self._open.popitem(last=False)
        return one


def _under(names: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The names of a component that another one called: its agent's, and whose work that agent does."""
    if names.get("agent") in (None, above.get("agent")):
        return {**names, **{name: above[name] for name in ("agent", "parent_agent") if name in above}}
    return {**names, "parent_agent": above["agent"]} if "agent" in above else names


def _properties(one: _Open, run_id: Any) -> dict[str, Any]:
    """What the events of a component say of it: its ids, and which agent and node of a graph it is."""
    named = {
        "langchain_run_id": str(run_id),
        "langchain_run_name": one.name,
        "langchain_root_run_id": str(one.root),
        "langchain_parent_run_id": None if one.parent is None else str(one.parent),
        **one.names,
    }
    return {name: value for name, value in named.items() if value is not None}


def _id(output: Any) -> Any:
    return getattr(output, "tool_call_id", None)
