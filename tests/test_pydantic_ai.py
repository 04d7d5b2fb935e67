# the imports below need what importorskip looks for
"""Pydantic AI's agents: each model call once, tools with their results, by every way of running."""

import asyncio
import itertools

import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

pytest.importorskip("pydantic_ai")
import anthropic
import httpx
import httpx2
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

_numbers = itertools.count()


@pytest.fixture
def events():
    """Where events go."""
    return EventList()


@pytest.fixture
def openai_model(simulator):
    """A real model over HTTP, on a client of its own."""
    http = httpx2.AsyncClient()
    return OpenAIChatModel(
        "gpt-4o-mini", provider=OpenAIProvider(base_url=f"{simulator.url}/v1", api_key="test", http_client=http)
    )


def agent_of(model, events, **options):
    """A wrapper of one user."""
    return amplitude_ai.get_pydantic().create_agent(model, amplitude_client=events, user_id="ann", **options)


def told(events, event_type="llm_message"):
    """The properties of the events of a type."""
    assert amplitude_ai.flush()
    return events.of_type(event_type)


async def run(wrapper, prompt, how):
    """Run the agent by one of its ways."""
    if how == "stream":
        async with wrapper.run_stream(prompt) as result:
            return [text async for text in result.stream_text()][-1]
    agent = wrapper.agent if how == "agent" else wrapper
    return (await agent.run(prompt)).output


@pytest.mark.parametrize("how", ["run", "agent", "stream"])
@pytest.mark.parametrize("installed", [False, True])
def test_over_http(simulator, openai_model, events, how, installed):
    """One record from the wire, with the tokens the server told, with and without the global hook."""
    if installed:
        amplitude_ai.install_transport(amplitude_client=events, user_id="nobody")
    try:
        assert asyncio.run(run(agent_of(openai_model, events), "Hello", how))
    finally:
        amplitude_ai.uninstall_transport()
    (record,) = told(events)
    (received,) = simulator.requests()
    assert record.get("input_tokens") == (received.told.input if received.told else None)
    assert record["http_status"] == 200
    assert {event.user_id for event in events.events} == {"ann"}
    assert [one["content"] for one in told(events, "user_message")] == ["Hello"]


def test_run_sync(simulator, openai_model, events):
    """Without a loop of one's own; the words of a run are ours and not Pydantic AI's."""
    wrapper = agent_of(openai_model, events)
    wrapper.run_sync("Hello", amplitude_session_id="talk", amplitude_privacy_mode=True)
    (record,) = told(events)
    assert record["session_id"] == "talk"
    assert "input_content" not in record
    with pytest.raises(TypeError, match="amplitude_usr_id is no argument: expected one of amplitude_user_id"):
        wrapper.run_sync("Hello", amplitude_usr_id="bob")


def test_a_tool(simulator, openai_model, events):
    """The tool is told once, with what it was called with, its result and its time."""
    wrapper = agent_of(openai_model, events)

    @wrapper.agent.tool_plain
    def get_weather(city: str) -> str:
        return f"18 degrees in {city}"

    wrapper.run_sync("What is the weather in Paris?")
    (record,) = told(events, "tool_called")
    assert record["tool_name"] == "get_weather"
    assert "18 degrees" in record["tool_result"]
    assert record["success"] is True
    assert record["latency_ms"] > 0
    assert len(told(events)) == 2


def test_another_provider(simulator, events):
    """The provider is who answered."""
    library = httpx2 if int(anthropic.__version__.partition(".")[0]) else httpx
    provider = AnthropicProvider(base_url=simulator.url, api_key="test", http_client=library.AsyncClient())
    agent_of(AnthropicModel("claude-haiku-4-5", provider=provider), events).run_sync("Hello")
    (record,) = told(events)
    assert (record["model_provider"], record["model_name"]) == ("anthropic", "claude-haiku-4-5")


def test_a_model_by_its_name(simulator, events, monkeypatch):
    """``openai:gpt-4o-mini``, as the specification writes it; the agent is Pydantic AI's own."""
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{simulator.url}/v1")
    wrapper = agent_of("openai-chat:gpt-4o-mini", events, result_type=str)
    wrapper.run_sync("Hello")
    assert [record["model_name"] for record in told(events)] == ["gpt-4o-mini"]


@pytest.mark.parametrize("how", ["run", "stream"])
def test_a_model_without_http(events, how):
    """``TestModel`` is recorded from what the agent asked and got; no status is invented."""
    asyncio.run(run(agent_of(TestModel(custom_output_text="Fine."), events), "How are you?", how))
    (record,) = told(events)
    assert (record["output_content"], record["input_content"]) == ("Fine.", "How are you?")
    assert record["success"] is True
    assert record["is_streaming"] is (how == "stream")
    assert "http_status" not in record


def test_an_error(simulator, openai_model, events):
    """A refused call is one failed record per attempt, from the wire."""
    with pytest.raises(Exception, match="404"):
        agent_of(openai_model, events).run_sync("[sim:status=404] Hello")
    assert [record["http_status"] for record in told(events)] == [404] * len(simulator.requests())


def test_an_error_without_http(events):
    """The exception's type is told."""

    def fail(messages, info: AgentInfo):
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        agent_of(FunctionModel(fail), events).run_sync("Hello")
    (record,) = told(events)
    assert (record["success"], record["error_type"], record["error_message"]) == (False, "RuntimeError", "no luck")


def test_one_run_an_agent(openai_model, events, simulator):
    """Its calls are one run, which ends when it is closed."""
    wrapper = agent_of(openai_model, events)
    wrapper.run_sync("Hello")
    wrapper.run_sync("And again")
    wrapper.close()
    (finished,) = told(events, "llm_run_finished")
    assert finished["total_messages"] == 2


def test_bad_input():
    """The error names the argument and the remedy."""
    create_agent = amplitude_ai.get_pydantic().create_agent
    with pytest.raises(TypeError, match="result_type and output_type"):
        create_agent(TestModel(), result_type=str, output_type=str)
    with pytest.raises(ValueError, match="model must be"):
        create_agent(result_type=str)
    with pytest.raises(TypeError, match="amplitude_client must have a track"):
        create_agent(TestModel(), amplitude_client="key")
