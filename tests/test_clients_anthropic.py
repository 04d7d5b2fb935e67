"""get_anthropic() and its variants, with the installed anthropic (0, 1 or 2) against the simulator."""

import inspect
import json
import sys

import pytest

import amplitude_ai
from amplitude_ai.clients.anthropic import get_anthropic, get_anthropic_bedrock, get_anthropic_vertex

from .clients_common import http_library

anthropic = pytest.importorskip("anthropic")
ASK = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5",
    "content": [{"type": "text", "text": "Hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


@pytest.fixture
def client(simulator, seen):
    """A client of the simulator."""
    with get_anthropic()[0](api_key="test", base_url=simulator.url, max_retries=0, amplitude_user_id="owner") as client:
        yield client


def test_subclasses(client):
    """The classes are anthropic's own, by isinstance and by name, and are made once."""
    assert get_anthropic() == get_anthropic()
    assert isinstance(client, anthropic.Anthropic)
    assert isinstance(client.messages, anthropic.resources.Messages)
    assert issubclass(get_anthropic()[1], anthropic.AsyncAnthropic)


def test_keywords_of_a_request(client, seen, simulator):
    """The four keywords reach the record, and nothing of them the wire."""
    client.messages.create(**ASK)
    client.messages.create(
        **ASK,
        amplitude_user_id="someone",
        amplitude_session_id="s1",
        amplitude_privacy_mode=False,
        amplitude_properties={"tier": "pro"},
    )
    said = seen.last
    assert seen.users == ["owner", "someone"]
    assert (said.session_id, said.privacy_mode, said.properties) == ("s1", False, {"tier": "pro"})
    assert not [name for received in simulator.requests() for name in received.headers if "amplitude" in name]
    with pytest.raises(TypeError, match=r"amplitude_usr.*amplitude_user_id"):
        client.messages.create(**ASK, amplitude_usr="x")


def test_streams(client, seen):
    """stream=True and the lazily sent .stream() manager belong to the user they were asked for."""
    for _ in client.messages.create(**ASK, stream=True, amplitude_user_id="user-a"):
        pass
    manager = client.messages.stream(**ASK, amplitude_user_id="user-b")
    with amplitude_ai.context(user_id="somebody-else"), manager as stream:
        assert stream.get_final_text()
    assert seen.users == ["user-a", "user-b"]


def test_raw_beta_and_copies(client, seen):
    """with_raw_response, with_streaming_response, beta, count_tokens and copies keep working."""
    assert client.messages.with_raw_response.create(**ASK, amplitude_user_id="raw01").status_code == 200
    with client.messages.with_streaming_response.create(**ASK, amplitude_user_id="raw02") as response:
        assert response.read()
    client.beta.messages.create(**ASK, amplitude_user_id="beta!")
    copy = client.with_options(timeout=3)
    assert type(copy) is type(client)
    copy.messages.create(**ASK)
    client.copy(amplitude_user_id="changed").messages.create(**ASK)
    assert seen.users == ["raw01", "raw02", "beta!", "owner", "changed"]
    assert len({capture.context.binding.key for capture in seen.captures}) == 2


def test_every_resource_method_takes_them(client):
    """No resource of the SDK, however deep, has a request method without the keywords."""
    visited = {}
    waiting = [("client", client)]
    while waiting:
        path, owner = waiting.pop()
        for name in [name for name in dir(type(owner)) if not name.startswith("_") and "with_" not in name]:
            value = getattr(owner, name, None)
            if "SyncAPIResource" in {base.__name__ for base in type(value).__mro__}:
                waiting.append((f"{path}.{name}", value))
            elif path != "client" and inspect.ismethod(value):
                visited[f"{path}.{name}"] = "amplitude_user_id" in inspect.signature(value).parameters
    assert len(visited) > 15
    assert [path for path, takes in visited.items() if not takes] == []


def test_tool_runner(client, seen):
    """The tool runner's calls, each sent when it is asked for the next message, belong to its user."""
    if not hasattr(client.beta.messages, "tool_runner"):
        pytest.skip("this anthropic has no tool runner")

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather.

        Args:
            city: where.
        """
        return f"sunny in {city}"

    runner = client.beta.messages.tool_runner(**ASK, tools=[weather], max_iterations=2, amplitude_user_id="runner")
    assert list(runner)
    assert set(seen.users) == {"runner"}


def test_credentials_are_found_as_ever(monkeypatch, seen, tmp_path):
    """Where the SDK looks for credentials only for its own class, it finds them for ours too, copies included."""
    if "credentials" not in inspect.signature(anthropic.Anthropic.__init__).parameters:
        pytest.skip("this anthropic has no credentials")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = []
    module = sys.modules["anthropic._client"]
    monkeypatch.setattr(module, "default_credentials", lambda **kwargs: found.append(kwargs))
    anthropic.Anthropic()
    usual = len(found)
    client = get_anthropic()[0]()
    assert len(found) == 2 * usual
    assert usual == 1
    assert type(client) is get_anthropic()[0]


def test_bedrock(seen):
    """Bedrock's client, whose resources are made with it, takes the keywords; so do its copies."""
    AnthropicBedrock, AsyncAnthropicBedrock = get_anthropic_bedrock()
    assert issubclass(AsyncAnthropicBedrock, anthropic.AsyncAnthropicBedrock)
    http_client, sent = _answering(anthropic.Anthropic(api_key="x"))
    options = {"aws_access_key": "AKIAEXAMPLE", "aws_secret_key": "secret"}
    try:
        import boto3  # noqa: F401
    except ModuleNotFoundError:
        if "api_key" not in inspect.signature(anthropic.AnthropicBedrock.__init__).parameters:
            pytest.skip("signing needs boto3")
        options = {"api_key": "bearer"}
    client = AnthropicBedrock(aws_region="us-east-1", http_client=http_client, amplitude_user_id="owner", **options)
    client.messages.create(**ASK)
    copy = client.with_options(http_client=http_client)  # anthropic 0 and 1 make a new one for Bedrock's copies
    copy.messages.create(**ASK, amplitude_user_id="copied", amplitude_properties={"a": 1})
    assert seen.users == ["owner", "copied"]
    for request in sent:
        assert "amplitude" not in str(request.headers).lower()  # not sent, and (SignedHeaders) not signed
        assert "/model/claude-sonnet-5/invoke" in str(request.url)


def test_vertex(seen):
    """Vertex's client takes the keywords; so do its copies."""
    AnthropicVertex, AsyncAnthropicVertex = get_anthropic_vertex()
    assert issubclass(AsyncAnthropicVertex, anthropic.AsyncAnthropicVertex)
    http_client, sent = _answering(anthropic.Anthropic(api_key="x"))
    client = AnthropicVertex(
        region="us-east5", project_id="p", access_token="t", http_client=http_client, amplitude_user_id="owner"
    )
    client.messages.create(**ASK)
    client.with_options(http_client=http_client).messages.create(**ASK, amplitude_user_id="copied")
    assert seen.users == ["owner", "copied"]
    assert all(request.url.path.endswith(":rawPredict") for request in sent)


async def test_async(simulator, seen):
    """The async client: calls, streams, managers, copies and close."""
    async with get_anthropic()[1](api_key="test", base_url=simulator.url, amplitude_user_id="async") as client:
        assert isinstance(client, anthropic.AsyncAnthropic)
        await client.messages.create(**ASK)
        async for _ in await client.messages.create(**ASK, stream=True, amplitude_user_id="stream"):
            pass
        async with client.messages.stream(**ASK, amplitude_user_id="manager") as stream:
            assert await stream.get_final_text()
        await client.with_options(timeout=3).messages.create(**ASK, amplitude_user_id="copied")
        key = client._amplitude.binding.key
    assert seen.users == ["async", "stream", "manager", "copied"]
    assert key in seen.closed


def test_missing_sdk(monkeypatch):
    """Without the SDK, the error names the package to install."""
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(ImportError, match="pip install anthropic"):
        get_anthropic()


def _answering(client):
    """(an HTTP client of the SDK's own library that answers every request with a message, what it was sent)."""
    library = http_library(client)
    sent = []

    def answer(request):
        sent.append(request)
        return library.Response(200, content=json.dumps(MESSAGE), headers={"content-type": "application/json"})

    return library.Client(transport=library.MockTransport(answer)), sent
