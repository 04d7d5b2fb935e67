# ruff: noqa: E402  # the imports below need what importorskip looks for
"""The LangChain callback: each model call once, by wire or by callback, and what it is a part of."""

import asyncio
import itertools

import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

pytest.importorskip("langchain_core")
langchain_openai = pytest.importorskip("langchain_openai")

from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

_numbers = itertools.count()


@pytest.fixture
def events():
    """Where events go."""
    return EventList()


@pytest.fixture
def callback(events):
    """A callback of one user."""
    return amplitude_ai.get_langchain()(amplitude_client=events, user_id="ann")


@pytest.fixture
def model(simulator):
    """A real model over HTTP."""
    # LangChain shares HTTP clients of the same options, also between event loops; an own time-out keeps them apart.
    timeout = 30 + next(_numbers)
    url = f"{simulator.url}/v1"
    return langchain_openai.ChatOpenAI(model="gpt-4o-mini", api_key="test", base_url=url, timeout=timeout)


def told(events, event_type="llm_message"):
    """The properties of the events of a type."""
    assert amplitude_ai.flush()
    return events.of_type(event_type)


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream", "batch"])
@pytest.mark.parametrize("installed", [False, True])
def test_a_model_over_http(simulator, model, callback, events, how, installed):
    """One record from the wire, enriched: sync, async, streamed, with and without the global hook."""
    if installed:
        amplitude_ai.install_transport(amplitude_client=events, user_id="nobody")
    config = {"callbacks": [callback], "run_name": "greeter"}

    async def drive():
        if how == "astream":
            return [chunk async for chunk in model.astream("Hello", config, stream_usage=True)]
        return await model.ainvoke("Hello", config)

    try:
        if how.startswith("a"):
            asyncio.run(drive())
        elif how == "stream":
            list(model.stream("Hello", config, stream_usage=True))
        elif how == "batch":
            model.batch(["Hello"], config)
        else:
            model.invoke("Hello", config)
    finally:
        amplitude_ai.uninstall_transport()
    (record,) = told(events)
    (received,) = simulator.requests()
    assert (record["input_tokens"], record["output_tokens"]) == (received.told.input, received.told.output)
    assert record["http_status"] == 200
    assert record["langchain_run_name"] == "greeter"
    assert record["langchain_run_id"] == record["langchain_root_run_id"]
    assert {event.user_id for event in events.events} == {"ann"}
    assert len(told(events, "user_message")) == 1


def test_other_traffic_is_nobodys(simulator, callback, events):
    """A callback watches its own calls only."""
    import httpx2

    httpx2.post(
        f"{simulator.url}/v1/chat/completions",
        json={"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]},
    )
    assert told(events) == []


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream"])
def test_a_model_without_http(callback, events, how):
    """A fake model is recorded by the callback itself: text, messages, latency; no invented status or tokens."""
    model = GenericFakeChatModel(messages=iter([AIMessage("Hello yourself")]))
    config = {"callbacks": [callback]}

    async def drive():
        if how == "astream":
            return [chunk async for chunk in model.astream([HumanMessage("Hello")], config)]
        return await model.ainvoke([HumanMessage("Hello")], config)

    if how.startswith("a"):
        asyncio.run(drive())
    elif how == "stream":
        list(model.stream([HumanMessage("Hello")], config))
    else:
        model.invoke([HumanMessage("Hello")], config)
    (record,) = told(events)
    assert record["output_content"] == "Hello yourself"
    assert record["success"] is True
    assert record["latency_ms"] >= 0
    assert record["is_streaming"] is ("stream" in how)
    assert not {"http_status", "input_tokens", "cost_usd"} & record.keys()
    assert [one["content"] for one in told(events, "user_message")] == ["Hello"]


def test_a_plain_model(callback, events):
    """Text in, text out."""
    FakeListLLM(responses=["Fine"]).invoke("How are you?", {"callbacks": [callback]})
    (record,) = told(events)
    assert (record["output_content"], record["input_content"]) == ("Fine", "How are you?")


def test_a_chain(model, callback, events):
    """The model's call is a part of the chain's run."""
    chain = ChatPromptTemplate.from_messages([("system", "Be brief."), ("human", "{question}")]) | model
    chain.invoke({"question": "Why?"}, {"callbacks": [callback], "run_name": "asker"})
    (record,) = told(events)
    assert record["langchain_root_run_id"] == record["langchain_parent_run_id"] != record["langchain_run_id"]
    assert record["input_content"] == "Why?"


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    if city == "Atlantis":
        raise ValueError("sunk")
    return f"18 degrees in {city}"


def test_a_tool_round(model, callback, events):
    """The tool that the model asked for is told once, with its own result and time."""
    config = {"callbacks": [callback]}
    bound = model.bind_tools([get_weather])
    turns = [HumanMessage("What is the weather in Paris?")]
    answer = bound.invoke(turns, config)
    (asked,) = answer.tool_calls
    result = get_weather.invoke({**asked, "args": {"city": "Paris"}}, config)
    bound.invoke([*turns, answer, result], config)
    (run,) = told(events, "tool_called")
    assert (run["tool_name"], run["tool_call_id"]) == ("get_weather", asked["id"])
    assert run["tool_result"] == "18 degrees in Paris"
    assert run["success"] is True
    assert len(told(events)) == 2


def test_a_failing_tool(callback, events):
    """A tool of its own accord, and its error."""
    with pytest.raises(ValueError, match="sunk"):
        get_weather.invoke({"city": "Atlantis"}, {"callbacks": [callback]})
    (run,) = told(events, "tool_called")
    assert (run["success"], run["error_message"]) == (False, "ValueError: sunk")
    assert run["tool_parameters"] == '{"city":"Atlantis"}'


def test_a_retriever(callback, events):
    """What was looked for, and what was found."""

    class Library(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            return [Document("A page on " + query)]

    Library().invoke("cats", {"callbacks": [callback]})
    (run,) = told(events, "tool_called")
    assert (run["tool_type"], run["tool_parameters"]) == ("retriever", '{"query":"cats"}')
    assert run["tool_result"] == '["A page on cats"]'


def test_an_error(simulator, model, callback, events):
    """A refused call is one failed record per attempt, from the wire."""
    model.max_retries = 0
    with pytest.raises(Exception, match="404"):
        model.invoke("[sim:status=404] Hello", {"callbacks": [callback]})
    records = told(events)
    assert {record["success"] for record in records} == {False}
    assert len(records) == len(simulator.requests())


def test_an_error_without_http(callback, events):
    """A fake model that fails is a failed record with the exception's type."""
    with pytest.raises(Exception):  # noqa: B017  # whatever the version raises at an empty iterator
        GenericFakeChatModel(messages=iter([])).invoke("Hello", {"callbacks": [callback]})
    (record,) = told(events)
    assert record["success"] is False
    assert record["error_type"]


def test_the_callers_context_is_left_alone(model, callback, events):
    """While a stream is read, the reader's own calls are not the stream's; afterwards nothing is left."""
    from amplitude_ai._scope import ambient

    before = ambient()
    for _ in model.stream("Hello", {"callbacks": [callback]}):
        assert ambient() is before
    assert ambient() is before
    assert told(events)


def test_stream_usage_stays_on(model, callback, events, monkeypatch, simulator):
    """Nothing of ours turns off the usage that ChatOpenAI asks for by itself."""
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    before = langchain_openai.ChatOpenAI(model="gpt-4o-mini").stream_usage
    after = langchain_openai.ChatOpenAI(model="gpt-4o-mini", callbacks=[callback]).stream_usage
    assert before == after is True


def test_agents_and_nodes_of_graphs(model, callback, events):
    """LangChain's and LangGraph's metadata name the agent and the node, of the answers and of the tools."""
    inner = {"langgraph_node": "agent", "langgraph_checkpoint_ns": "billing:1f|agent:2e", "langgraph_step": 3}
    model.invoke("Hello", config={"callbacks": [callback], "metadata": inner})
    model.invoke("Hello again", config={"callbacks": [callback], "metadata": {"lc_agent_name": "triage"}})
    first, second = told(events)
    assert (first["agent"], first["step"], first["langgraph_step"]) == ("billing", "agent", 3)
    assert (second["agent"], "step" in second) == ("triage", False)


def test_a_tool_has_a_run_of_its_own(model, callback, events):
    """Not that of the model call which asked for it."""
    model.invoke("Hello", config={"callbacks": [callback]})
    get_weather.invoke({"city": "Paris"}, config={"callbacks": [callback], "metadata": {"langgraph_node": "tools"}})
    (tool,) = told(events, "tool_called")
    (answer,) = told(events)
    assert (tool["langchain_run_name"], tool["step"]) == ("get_weather", "tools")
    assert tool["langchain_run_id"] != answer["langchain_run_id"]
