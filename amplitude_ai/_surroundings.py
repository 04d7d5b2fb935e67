"""Which agent is at work, as the program's own libraries have it in the current context: nothing need be said.

In, on the caller's thread when a request starts: a look into the libraries that the program has loaded (none is
imported, asked to do anything, or changed), which keeps references only. Out, on the worker: names. What the
application says with `context` wins over all of it.

openai-agents is read by the span that is current, not by a tracing processor: other tools replace the whole list of
those (``set_trace_processors``), none is called where tracing is switched off, and a first one makes the library's
exporter. OpenTelemetry's spans know their parents by id alone, so `remember_parent` is told of them where the library
is hooked (`instrumentation`); else the current span alone is looked at.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from msgspec import Struct

from ._guard import count, let_pass
from ._pattern import lazy_pattern

Names = dict[str, Any]
#: Spans from the current one upwards that are looked at.
_DEPTH = 64
_MAX_ID = 256
#: What a runtime adds to an agent's name to tell its instances apart.
_INSTANCE = lazy_pattern(r"_[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\Z")
#: The name openai-agents gives a run that has none.
_UNNAMED_WORKFLOW = "Agent workflow"
#: The node in which LangGraph's prebuilt agents run their tools.
_TOOL_NODE = "tools"
#: What LlamaIndex calls an agent that was given no name.
_UNNAMED_AGENT = "Agent"
#: The flow that a CrewAI agent is by itself.
_EXECUTOR = "AgentExecutor"
#: An agent's name on a span: OpenTelemetry's and OpenInference's conventions, Logfire's, Traceloop's.
_AGENT_NAMES = ("gen_ai.agent.name", "agent.name", "agent_name")
#: A node's id may be a random one: its name first.
_STEP_NAMES = ("graph.node.name", "graph.node.id", "haystack.component.name")
#: And where the span's kind says that it is an agent's.
_AGENT_SPAN_NAMES = ("traceloop.entity.name", *_STEP_NAMES)
_WORKFLOW_NAMES = ("gen_ai.workflow.name", "traceloop.workflow.name")
_CONVERSATION_NAMES = ("gen_ai.conversation.id", "session.id")


class Library(Struct, frozen=True):
    """One library that knows.

    Attributes:
        module: that is loaded where the library is in use.
        find: what is current, on the caller's thread; ``None`` where nothing is.
        read: the names in it, on the worker's.
    """

    module: str
    find: Callable[[ModuleType], Any]
    read: Callable[[Any], Names]


#: What was found of each library.
Found = tuple[tuple[Library, Any], ...]


def look() -> Found:
    """What the program's libraries have in this context. Never raises; some 0.1 µs where none is loaded."""
    global _there
    loaded = sys.modules
    if _there[0] != len(loaded):
        _there = len(loaded), [name for name in _MODULES if name in loaded]
    found: Found = ()
    for name in _there[1]:
        if name not in loaded:  # unloaded, and another loaded instead
            _there = 0, []
            return look()
        library = _BY_MODULE[name]
        try:
            current = library.find(loaded[name])
        except Exception as exc:  # half imported, another version, or an application's own module of that name
            let_pass(exc)
            count("surroundings_unknown")
            continue
        if current is not None:
            found += ((library, current),)
    return found


def span_context(found: Found) -> Any:
    """OpenTelemetry's ``SpanContext`` among it."""
    return found[-1][1].get_span_context() if found and found[-1][0] is OPENTELEMETRY else None


def named(found: Found, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """``said``, what the application says, with the agent, its parent, step and workflow of what was found.

    Who is first to name one wins, the application before all.
    """
    if not found:
        return said
    names: Names = dict(said)
    for library, current in found:
        try:
            told = library.read(current)
        except Exception:  # what was found is not the library's
            count("surroundings_unknown")
            continue
        if "agent" in names:
            told.pop("parent_agent", None)  # of another agent, perhaps
        names = {
            **{name: value for name, value in told.items() if isinstance(value, str | int) and value != ""},
            **names,
        }
    return names


def _chain(agents: Iterable[object]) -> Names:
    """The agent at work and the one it works for, of the names from the innermost outwards."""
    distinct: list[str] = []
    for name in agents:
        if isinstance(name, str) and name and name not in distinct:
            distinct.append(name)
    return dict(zip(("agent", "parent_agent"), distinct, strict=False))


def _text(value: object) -> str | None:
    """An id: a text as most programs have it, or a number."""
    return str(value)[:_MAX_ID] if isinstance(value, str | int) and not isinstance(value, bool) else None


# pydantic-ai ------------------------------------------------------------------------------------------------------


def _pydantic_ai(module: ModuleType) -> Any:
    context = module.get_current_run_context()
    return None if context is None else context.agent


def _pydantic_ai_names(agent: Any) -> Names:
    return _chain([agent.name])


# openai-agents ----------------------------------------------------------------------------------------------------


def _openai_agents(module: ModuleType) -> Any:
    # Not by its functions: applications have packages of the name `agents` too, whose own would be called.
    current_span, current_trace = module._current_span, module._current_trace
    if not isinstance(current_span, ContextVar) or not isinstance(current_trace, ContextVar):
        raise AttributeError(module.__name__)
    span = current_span.get(None)
    found: list[Any] = []
    while span is not None and len(found) < _DEPTH:
        found.append(span.span_data)
        # What was current before it: forgotten when the span ends, so it is read here.
        token = getattr(span, "_prev_span_token", None) or getattr(span, "_prev_context_token", None)
        span = None if token is None or token.old_value is token.MISSING else token.old_value
    trace = current_trace.get(None)
    return (found, trace) if found else None


def _openai_agents_names(current: tuple[list[Any], Any]) -> Names:
    spans, trace = current
    names = _chain(data.name if data.type == "agent" else getattr(data, "agent_name", None) for data in spans)
    workflow = getattr(trace, "name", None)
    if workflow not in (None, "", "no-op", _UNNAMED_WORKFLOW):
        names["workflow"] = workflow
    return {**names, "conversation_id": _text(getattr(trace, "group_id", None))}


# LangChain, LangGraph ---------------------------------------------------------------------------------------------


def _langchain(module: ModuleType) -> Any:
    config = module.var_child_runnable_config.get()
    return None if config is None else config.get("metadata") or None


def langchain_names(metadata: Mapping[str, Any]) -> Names:
    """What a runnable's metadata says: LangChain's agents name themselves, LangGraph its nodes and graphs in graphs."""
    own = metadata.get("lc_agent_name")
    place = metadata.get("langgraph_checkpoint_ns") or metadata.get("checkpoint_ns")
    # ``billing:<id>|agent:<id>`` is the node ``agent`` of the graph ``billing``. A graph in a tool has no name.
    nodes = [part.partition(":")[0] for part in reversed(place.split("|")[:-1])] if isinstance(place, str) else []
    graphs = [node for node in nodes if node != _TOOL_NODE]
    step = metadata.get("langgraph_node")
    return {
        **_chain([own] if own else graphs),
        "step": step if isinstance(step, str) else None,
        "langgraph_step": metadata.get("langgraph_step"),
        "conversation_id": _text(metadata.get("thread_id")),
    }


# AutoGen, Semantic Kernel -----------------------------------------------------------------------------------------


def _handler(module: ModuleType) -> Any:
    # Its own accessor raises where nothing is handled, which is most of the time.
    return module.MessageHandlerContext._MESSAGE_HANDLER_CONTEXT.get(None)


def _handler_names(agent_id: Any) -> Names:
    return _chain([_INSTANCE.sub("", agent_id.type)])


# LlamaIndex -------------------------------------------------------------------------------------------------------


def _llama_index(module: ModuleType) -> Any:
    return module.StepWorkerStateContextVar.get(None)


def _llama_index_names(worker: Any) -> Names:
    # The event that a step of an agent's workflow is for names the agent; those of other workflows name nobody.
    name = getattr(worker.event, "current_agent_name", None)
    return {**_chain([None if name == _UNNAMED_AGENT else name]), "step": worker.state.step_name}


# DSPy -------------------------------------------------------------------------------------------------------------


def _dspy(module: ModuleType) -> Any:
    return module.settings.caller_modules or None


def _dspy_names(modules: list[Any]) -> Names:
    """A program's own modules are its agents, and DSPy's that have tools; the predictors in them are their steps."""
    agents = [at for at, module in enumerate(modules) if _acts(module)]
    names = _chain(type(modules[at]).__name__ for at in reversed(agents))
    if agents and len(modules) > agents[-1] + 1:
        owner, part = modules[agents[-1] : agents[-1] + 2]
        names["step"] = next((key for key, value in list(vars(owner).items()) if value is part), type(part).__name__)
    return names


def _acts(module: Any) -> bool:
    kind = type(module)
    return kind.__module__.partition(".")[0] != "dspy" or isinstance(vars(module).get("tools"), dict)


# CrewAI's flows; the names of its agents stand in their prompts ---------------------------------------------------


def _crewai(module: ModuleType) -> Any:
    return module.current_flow_name.get()


def _crewai_names(flow: str) -> Names:
    # An agent at work is a flow as well, whose methods are no steps of the program's; it leaves the program's name.
    return {} if flow == _EXECUTOR else {"workflow": flow}


# OpenTelemetry ----------------------------------------------------------------------------------------------------

_parents: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def remember_parent(span: Any, parent: Any) -> None:
    """A span was started under another one: as long as it lives, the way up is known."""
    _parents[span] = parent


def _opentelemetry(module: ModuleType) -> Any:
    span = module.get_current_span()
    return span if span.get_span_context().is_valid else None


def _upwards(span: Any) -> Iterator[Mapping[str, Any]]:
    for _ in range(_DEPTH):
        attributes = getattr(span, "attributes", None)
        if attributes is not None:
            yield attributes
        try:
            span = _parents[span]
        except (KeyError, TypeError):  # the topmost; another library's, without a hash or weak references
            return


def _opentelemetry_names(span: Any) -> Names:
    agents: list[object] = []
    names: Names = {}
    for attributes in _upwards(span):
        kind = attributes.get("openinference.span.kind") or attributes.get("traceloop.span.kind")
        is_agent = isinstance(kind, str) and kind.upper() == "AGENT"
        node = next((attributes[name] for name in _STEP_NAMES if attributes.get(name)), None)
        is_agent = is_agent or attributes.get("haystack.component.type") == "Agent"
        named = [attributes.get(name) for name in (*_AGENT_NAMES, *(_AGENT_SPAN_NAMES if is_agent else ()))]
        agents.append(next((name for name in named if name), None))  # one span is one agent
        if node is not None and not is_agent:
            names.setdefault("step", node)
        for name in _WORKFLOW_NAMES:
            if attributes.get(name):
                names.setdefault("workflow", attributes[name])
        for name in _CONVERSATION_NAMES:
            if said := _text(attributes.get(name)):
                names.setdefault("conversation_id", said)
    return {**names, **_chain(agents)}


OPENTELEMETRY = Library("opentelemetry.trace", _opentelemetry, _opentelemetry_names)
#: The nearer to the model, the earlier; OpenTelemetry's spans are around all of them.
LIBRARIES = (
    Library("pydantic_ai._run_context", _pydantic_ai, _pydantic_ai_names),
    Library("agents.tracing.scope", _openai_agents, _openai_agents_names),
    Library("autogen_core._message_handler_context", _handler, _handler_names),
    Library("semantic_kernel.agents.runtime.in_process.message_handler_context", _handler, _handler_names),
    Library("workflows.runtime.types.results", _llama_index, _llama_index_names),
    Library("langchain_core.runnables.config", _langchain, langchain_names),
    Library("dspy.dsp.utils.settings", _dspy, _dspy_names),
    Library("crewai.flow.flow_context", _crewai, _crewai_names),
    OPENTELEMETRY,
)
_BY_MODULE = {library.module: library for library in LIBRARIES}
_MODULES = tuple(_BY_MODULE)
#: Those that are loaded, as of when so many modules were: most programs have none of them, or one, and a look for each
#: costs more than all the rest. A program that unloads one of no interest, and loads but one of these instead, without
#: a module more, has its names from the next import on.
_there: tuple[int, list[str]] = (0, [])
