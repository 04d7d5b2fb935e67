"""Which agent is at work, as real libraries have it: nobody says it with `context`."""

import contextvars
import json
import subprocess
import sys
import types
from types import SimpleNamespace

import pytest

import amplitude_ai
from amplitude_ai import _surroundings
from amplitude_ai.testing import EventList

httpx2 = pytest.importorskip("httpx2")
URL = "https://api.openai.com/v1/chat/completions"


def provider(request):
    """Asks for each tool that is offered, once; else answers."""
    body = json.loads(request.content)
    done = {one["tool_call_id"] for one in body["messages"] if one["role"] == "tool"}
    message = {"role": "assistant", "content": "All is well."}
    for tool in body.get("tools") or ():
        name = tool["function"]["name"]
        if f"call_{name}" not in done:
            call = {"name": name, "arguments": json.dumps({"question": "What is our policy on refunds?"})}
            asked = [{"id": f"call_{name}", "type": "function", "function": call}]
            message = {"role": "assistant", "content": None, "tool_calls": asked}
            break
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    made = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
    return httpx2.Response(200, json={**made, "choices": [choice], "usage": usage})


@pytest.fixture
def events():
    """What is recorded while the hooks are in force."""
    told = EventList()
    amplitude_ai.install_transport(amplitude_client=told)
    yield told
    amplitude_ai.uninstall_transport()


def ask():
    """One call."""
    with httpx2.Client(transport=httpx2.MockTransport(provider)) as http:
        http.post(URL, json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]})


def places(events, event_type="llm_message"):
    """Agent, parent and step of each event."""
    assert amplitude_ai.flush(10)
    return [tuple(one.get(name) for name in ("agent", "parent_agent", "step")) for one in events.of_type(event_type)]


@pytest.fixture
def tracer(events):
    """Of a provider of the application's own, made once we are there."""
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    return sdk.TracerProvider().get_tracer("test")


def test_opentelemetry_spans_by_either_convention(events, tracer):
    """The agent's span is above the one that is current; the one it works for is above that."""
    with (
        tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.agent.name": "planner"}),
        tracer.start_as_current_span("execute_tool"),
        tracer.start_as_current_span("writer", attributes={"agent.name": "writer", "openinference.span.kind": "AGENT"}),
        tracer.start_as_current_span("node", attributes={"graph.node.id": "draft"}),
        tracer.start_as_current_span("chat") as span,
    ):
        ask()
    ask()
    assert places(events) == [("writer", "planner", "draft"), (None, None, None)]
    assert events.of_type("llm_message")[0]["span_id"] == f"{span.get_span_context().span_id:016x}"


def test_one_span_is_one_agent(events, tracer):
    """Agno's by OpenInference have a random node id beside the name: it is no agent that another works for."""
    agno = {"openinference.span.kind": "AGENT", "graph.node.id": "7ff958db956d62ff", "graph.node.name": "Billing"}
    with (
        tracer.start_as_current_span("Billing.run", attributes={**agno, "agent.name": "Billing"}),
        tracer.start_as_current_span("Expert.run", attributes={**agno, "graph.node.name": "Expert"}),
        tracer.start_as_current_span("node", attributes={"graph.node.id": "9d5a", "graph.node.name": "draft"}),
    ):
        ask()
    assert places(events) == [("Expert", "Billing", "draft")]


def test_an_agent_that_is_named_late(events, tracer):
    """Instrumentations set attributes on spans that have begun."""
    with tracer.start_as_current_span("run") as run, tracer.start_as_current_span("chat"):
        run.set_attribute("gen_ai.agent.name", "late")
        ask()
    assert places(events) == [("late", None, None)]


def test_the_current_span_alone_where_the_library_is_not_hooked(tracer, events):
    """A client that is instrumented by hand, without `install_transport`."""
    amplitude_ai.uninstall_transport()
    told = EventList()
    http = amplitude_ai.instrumented_httpx(transport=httpx2.MockTransport(provider), amplitude_client=told)
    with tracer.start_as_current_span("run", attributes={"gen_ai.agent.name": "planner"}):
        http.post(URL, json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]})
    assert places(told) == [("planner", None, None)]


def test_spans_are_as_they_were(tracer, events):
    """Nothing is put on a span or a provider, and the hook goes."""
    sdk = sys.modules["opentelemetry.sdk.trace"]
    hooked = sdk.Tracer.start_span
    parent = tracer.start_span("parent")
    child = tracer.start_span("child", context=sys.modules["opentelemetry.trace"].set_span_in_context(parent))
    assert vars(child).keys() == vars(parent).keys()
    assert child.parent == parent.get_span_context()
    assert sdk.TracerProvider()._active_span_processor._span_processors == ()
    amplitude_ai.uninstall_transport()
    assert sdk.Tracer.start_span is hooked.__wrapped__


def test_langgraph_without_a_callback(events):
    """LangChain's own context: what its agents and LangGraph's nodes are called."""
    runnables = pytest.importorskip("langchain_core.runnables")
    openai = pytest.importorskip("langchain_openai")
    model = openai.ChatOpenAI(
        model="gpt-4o-mini", api_key="test", http_client=httpx2.Client(transport=httpx2.MockTransport(provider))
    )
    node = runnables.RunnableLambda(lambda text: model.invoke(text).content)
    graph = {"langgraph_node": "agent", "langgraph_step": 2, "langgraph_checkpoint_ns": "billing:1|agent:2"}
    node.invoke("One", config={"metadata": graph})
    node.invoke("Two", config={"metadata": {**graph, "lc_agent_name": "refunds"}})
    node.invoke("Three", config={"metadata": {"langgraph_node": "model", "langgraph_checkpoint_ns": "tools:1|model:2"}})
    assert places(events) == [("billing", None, "agent"), ("refunds", None, "agent"), (None, None, "model")]


def test_the_conversation_as_frameworks_call_it(events, tracer):
    """LangGraph's thread; the nearest span that says one."""
    runnables = pytest.importorskip("langchain_core.runnables")
    node = runnables.RunnableLambda(lambda text: ask())
    node.invoke("One", config={"metadata": {"thread_id": 7}})
    node.invoke("Two", config={"metadata": {"langgraph_node": "agent"}})
    with (
        tracer.start_as_current_span("turn", attributes={"session.id": "outer"}),
        tracer.start_as_current_span("agent", attributes={"gen_ai.conversation.id": "inner"}),
    ):
        ask()
    with tracer.start_as_current_span("turn", attributes={"session.id": "outer"}):
        ask()
    assert amplitude_ai.flush(10)
    assert [one.get("conversation_id") for one in events.of_type("llm_message")] == ["7", None, "inner", "outer"]


def test_the_group_of_openai_agents(events, monkeypatch):
    """What its trace is grouped by."""
    span = SimpleNamespace(span_data=SimpleNamespace(type="agent", name="triage"))
    current, trace = contextvars.ContextVar("current_span"), contextvars.ContextVar("current_trace")
    current.set(span)
    trace.set(SimpleNamespace(name="Support", group_id="chat-9"))
    loaded(monkeypatch, "agents.tracing.scope", _current_span=current, _current_trace=trace)
    ask()
    assert places(events) == [("triage", None, None)]
    (told,) = events.of_type("llm_message")
    assert (told["workflow"], told["conversation_id"]) == ("Support", "chat-9")


def test_what_the_program_asks_for_itself(events):
    """``context(from_user=False)``: a call, and nothing that a user said; inside it, what is said to be a user's is."""
    with amplitude_ai.context(session_id="s", from_user=False):
        ask()
        with amplitude_ai.context(from_user=True):
            ask()
    assert len(places(events)) == 2
    assert len(places(events, "user_message")) == 1
    with pytest.raises(TypeError, match="from_user must be True, False or None"):
        amplitude_ai.context(from_user="no")


def test_pydantic_ai_and_an_agent_that_is_a_tool(events):
    """The agent's name; whose work it does tells the tool call that its question stands in."""
    pydantic_ai = pytest.importorskip("pydantic_ai")
    openai = pytest.importorskip("openai")
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(provider))
    model = OpenAIChatModel(
        "gpt-4o-mini", provider=OpenAIProvider(openai_client=openai.AsyncOpenAI(api_key="test", http_client=http))
    )
    expert = pydantic_ai.Agent(model, name="expert")
    billing = pydantic_ai.Agent(model, name="billing")

    @billing.tool_plain
    async def ask_expert(question: str) -> str:
        """Ask."""
        return (await expert.run(question)).output

    billing.run_sync("I was charged twice")
    assert places(events) == [("billing", None, None), ("expert", "billing", None), ("billing", None, None)]
    assert places(events, "tool_called") == [("billing", None, None)]
    assert places(events, "user_message") == [("billing", None, None)]
    assert events.of_type("tool_called")[0]["tool_result"] == "All is well."


def loaded(monkeypatch, name, **attributes):
    """A library's module, as far as it is looked into; the real ones: tests/neighbours/test_second.py."""
    module = types.ModuleType(name)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


def test_llama_index_by_the_event_that_a_step_is_for(events, monkeypatch):
    """The agent's name stands in it; a workflow of one's own has its steps."""
    worker = contextvars.ContextVar("step_worker")
    loaded(monkeypatch, "workflows.runtime.types.results", StepWorkerStateContextVar=worker)
    ask()
    for event, step in (
        ({"current_agent_name": "billing"}, "run"),
        ({"current_agent_name": "Agent"}, "run"),
        ({}, "own"),
    ):
        worker.set(SimpleNamespace(event=SimpleNamespace(**event), state=SimpleNamespace(step_name=step)))
        ask()
    assert places(events) == [(None, None, None), ("billing", None, "run"), (None, None, "run"), (None, None, "own")]


def test_dspy_by_the_modules_that_call_each_other(events, monkeypatch):
    """A program's own are agents, and DSPy's that have tools; what is inside of them is a step."""
    own = {"__module__": "shop"}
    made = {name: type(name, (), {"__module__": f"dspy.predict.{name.lower()}"})() for name in ("ReAct", "Predict")}
    support = type("Support", (), own)()
    support.answer, made["ReAct"].tools, made["ReAct"].react = made["ReAct"], {}, made["Predict"]
    settings = SimpleNamespace(caller_modules=[])
    loaded(monkeypatch, "dspy.dsp.utils.settings", settings=settings)
    chains = [], [made["Predict"]], [support], [support, made["ReAct"], made["Predict"]], [support, made["Predict"]]
    for settings.caller_modules in chains:
        ask()
    assert places(events) == [
        (None, None, None),
        (None, None, None),
        ("Support", None, None),
        ("ReAct", "Support", "react"),
        ("Support", None, "Predict"),
    ]


def test_crewai_by_its_flow(events, monkeypatch):
    """Its name is the workflow's; an agent's executor is a flow too, and none of the program's."""
    flow = contextvars.ContextVar("flow_name", default=None)
    loaded(monkeypatch, "crewai.flow.flow_context", current_flow_name=flow)
    for name in (None, "AgentExecutor", "Support"):
        flow.set(name)
        ask()
    assert amplitude_ai.flush(10)
    assert [one.get("workflow") for one in events.of_type("llm_message")] == [None, None, "Support"]


def test_haystack_by_the_spans_of_its_tracer(events, tracer):
    """A pipeline's components are its steps; one that is an agent is that."""
    names = {"haystack.component.name": "support", "haystack.component.type": "Agent"}
    with (
        tracer.start_as_current_span("haystack.component.run", attributes=names),
        tracer.start_as_current_span("haystack.component.run", attributes={"haystack.component.name": "writer"}),
    ):
        ask()
    assert places(events) == [("support", None, "writer")]


def test_what_the_application_says_wins(tracer, events):
    """And the parent is then of its agent, not of another."""
    with (
        tracer.start_as_current_span("a", attributes={"gen_ai.agent.name": "outer"}),
        tracer.start_as_current_span("b", attributes={"gen_ai.agent.name": "inner", "graph.node.id": "node"}),
    ):
        with amplitude_ai.context(agent="mine"):
            ask()
        with amplitude_ai.context(step="own"):
            ask()
        amplitude_ai.quick_track_message(amplitude_client=events, model_provider="openai", model_name="gpt-4o")
    assert places(events) == [("mine", None, "node"), ("inner", "outer", "own"), ("inner", "outer", "node")]


def test_other_modules_of_these_names(events, monkeypatch):
    """An application's own ``agents``, a library that is half imported: the call is recorded, and no fault of ours."""
    before = amplitude_ai.stats()
    for library in _surroundings.LIBRARIES:
        monkeypatch.setitem(sys.modules, library.module, types.ModuleType(library.module))
    ask()
    assert places(events) == [(None, None, None)]
    after = amplitude_ai.stats()
    assert after["surroundings_unknown"] - before.get("surroundings_unknown", 0) == len(_surroundings.LIBRARIES)
    assert after["internal_errors"] == before["internal_errors"]


def raising(*_):
    raise ValueError("not here")


OWN = {
    "raises": raising,
    "wants more": lambda one, two: None,
    "knows something else": lambda: object(),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("module", [library.module for library in _surroundings.LIBRARIES])
def test_an_applications_own_module_that_answers(events, monkeypatch, caplog, module, name):
    """Is none of ours: the call is recorded, one counter rises, and nothing is said of faults."""
    own, current = types.ModuleType(module), OWN[name]
    variable = contextvars.ContextVar("own")
    holder = SimpleNamespace(get_current_span=current, get_current_trace=current, get=lambda _=None: current())
    holder._MESSAGE_HANDLER_CONTEXT = holder
    for one in ("Scope", "MessageHandlerContext", "StepWorkerStateContextVar", "var_child_runnable_config"):
        setattr(own, one, holder)
    own.current_flow_name, own._current_span = holder, variable
    variable.set(object())
    own._current_trace = variable
    own.settings = SimpleNamespace(caller_modules=object())
    own.get_current_span = own.get_current_run_context = current
    monkeypatch.setitem(sys.modules, module, own)
    before = amplitude_ai.stats()
    ask()
    assert places(events) == [(None, None, None)]
    after = amplitude_ai.stats()
    known = module.startswith("crewai") and name == "knows something else"  # any flow would do, and its name is no text
    assert after["surroundings_unknown"] == before.get("surroundings_unknown", 0) + (not known)
    assert after["internal_errors"] == before["internal_errors"]
    assert not caplog.records


def test_an_applications_own_agents_package_is_not_called(events, monkeypatch):
    """``agents.tracing.scope`` is a name that others have: only what is the library's is asked."""
    asked = []
    own = types.ModuleType("agents.tracing.scope")
    own.Scope = SimpleNamespace(get_current_span=lambda: asked.append("span"), get_current_trace=lambda: None)
    monkeypatch.setitem(sys.modules, own.__name__, own)
    ask()
    assert (asked, places(events)) == ([], [(None, None, None)])


def test_nothing_is_imported():
    """A program without these libraries stays without them."""
    text = (
        "import amplitude_ai, amplitude_ai.testing, sys\n"
        "from amplitude_ai import _surroundings\n"
        "amplitude_ai.install_transport(amplitude_client=amplitude_ai.testing.EventList())\n"
        "assert _surroundings.look() == ()\n"
        "print([one.module for one in _surroundings.LIBRARIES if one.module in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_library_loaded_where_another_was_unloaded(monkeypatch):
    """As many modules as before: what is there is looked up anew all the same."""
    from amplitude_ai._surroundings import look

    def run_context(of):
        return SimpleNamespace(get_current_run_context=lambda: of)

    assert look() == ()
    monkeypatch.setitem(sys.modules, "pydantic_ai._run_context", run_context(SimpleNamespace(agent="support")))
    assert [current for _, current in look()] == ["support"]
    monkeypatch.delitem(sys.modules, "pydantic_ai._run_context")
    current = contextvars.ContextVar("handler")
    current.set("billing")
    other = SimpleNamespace(MessageHandlerContext=SimpleNamespace(_MESSAGE_HANDLER_CONTEXT=current))
    monkeypatch.setitem(sys.modules, "autogen_core._message_handler_context", other)
    assert [library.module for library, _ in look()] == ["autogen_core._message_handler_context"]
