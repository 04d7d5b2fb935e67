"""One conversation by five ways of use, alone and under the global hook: identical records, each call once."""

import pytest

import amplitude_ai
from amplitude_ai.testing import EventList

openai = pytest.importorskip("openai")
httpx2 = pytest.importorskip("httpx2")
MODEL = "gpt-4o-mini"
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hello there"},
]
#: What differs from call to call, whoever makes it.
VOLATILE = {
    "message_id",
    "call_id",
    "turn_id",
    "response_id",
    "provider_request_id",
    "session_id",
    "latency_ms",
    "time_to_headers_ms",
    "provider_processing_ms",
}


def explicit(url, told):
    """An SDK client on an instrumented HTTP client."""
    http = amplitude_ai.instrumented_httpx(**told)
    openai.OpenAI(base_url=url, api_key="test", http_client=http).chat.completions.create(model=MODEL, messages=TURNS)


def hook(url, told):
    """An SDK client that knows nothing of us."""
    openai.OpenAI(base_url=url, api_key="test").chat.completions.create(model=MODEL, messages=TURNS)


def factory(url, told):
    """The factory's client."""
    client = amplitude_ai.get_openai()[0](
        base_url=url,
        api_key="test",
        amplitude_client=told["amplitude_client"],
        amplitude_user_id=told["user_id"],
    )
    client.chat.completions.create(model=MODEL, messages=TURNS)


def langchain(url, told):
    """LangChain with the callback."""
    langchain_openai = pytest.importorskip("langchain_openai")
    callback = amplitude_ai.get_langchain()(**told)
    model = langchain_openai.ChatOpenAI(model=MODEL, base_url=url, api_key="test", callbacks=[callback])
    model.invoke([(turn["role"], turn["content"]) for turn in TURNS])


def pydantic_ai(url, told):
    """A Pydantic AI agent."""
    pytest.importorskip("pydantic_ai")
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=url, api_key="test", http_client=httpx2.AsyncClient())
    wrapper = amplitude_ai.get_pydantic().create_agent(
        OpenAIChatModel(MODEL, provider=provider), system_prompt="Be brief.", **told
    )
    wrapper.run_sync("Hello there")


WAYS = [explicit, hook, factory, langchain, pydantic_ai]


def recorded(way, url, under_the_hook):
    """The events of one way: (types, the record without what is volatile, what the user said)."""
    events = EventList()
    told = {"amplitude_client": events, "user_id": "ann"}
    if under_the_hook:
        amplitude_ai.install_transport(**told)
    try:
        way(url, told)
    finally:
        amplitude_ai.uninstall_transport()
    assert amplitude_ai.flush()
    (record,) = events.of_type("llm_message")
    kept = {name: value for name, value in record.items() if name not in VOLATILE and not name.startswith("langchain_")}
    said = [one["content"] for one in events.of_type("user_message")]
    users = {event.user_id for event in events.events}
    return [event.event_type for event in events.events if event.event_type != "llm_run_finished"], kept, said, users


@pytest.mark.parametrize("under_the_hook", [False, True], ids=["alone", "and the hook"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_same_record(simulator, way, under_the_hook):
    """As the explicit client's, property by property."""
    url = f"{simulator.url}/v1"
    if way is hook and not under_the_hook:
        pytest.skip("the hook alone is the hook")
    expected = recorded(explicit, url, False)
    assert recorded(way, url, under_the_hook) == expected
    assert expected[0] == ["llm_run_started", "user_message", "llm_message"]
    assert len(simulator.requests()) == 2
