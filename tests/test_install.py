"""Coming and going: what `install_transport`, `instrument` and the factories change, and what they leave as it was."""

import subprocess
import sys
from pathlib import Path

import httpx
import httpx2
import pytest
import requests

import amplitude_ai
from amplitude_ai.testing import EventList

ROOT = Path(__file__).parents[1]
ANSWER = {"model": "gpt-4o-mini", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
URL = "https://api.openai.com/v1/chat/completions"
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}]}
HOOKED = [httpx.Client, httpx.AsyncClient, httpx2.Client, httpx2.AsyncClient, requests.Session]

either = pytest.mark.parametrize("lib", [httpx2, httpx], ids=["httpx2", "httpx"])


@pytest.fixture
def events():
    """Where events go; afterwards nothing is installed."""
    yield EventList()
    amplitude_ai.uninstall_transport()


def mock(lib):
    """A custom transport, as tests and applications write them."""
    return lib.MockTransport(lambda request: lib.Response(200, json=ANSWER))


def records(events):
    """How many calls were recorded."""
    assert amplitude_ai.flush()
    return len(events.of_type("llm_message"))


def test_uninstalling_leaves_nothing_behind(events):
    """Every hooked class has the attributes it had, object for object, and the import system its finders."""
    before = [dict(vars(owner)) for owner in HOOKED]
    finders = list(sys.meta_path)
    amplitude_ai.install_transport(amplitude_client=events)
    assert [dict(vars(owner)) for owner in HOOKED] != before
    amplitude_ai.install_transport(amplitude_client=events)
    amplitude_ai.uninstall_transport()
    amplitude_ai.uninstall_transport()
    after = [dict(vars(owner)) for owner in HOOKED]
    assert [{name: id(value) for name, value in one.items()} for one in after] == [
        {name: id(value) for name, value in one.items()} for one in before
    ]
    assert sys.meta_path == finders


@either
def test_existing_future_custom_and_mounted(lib, events):
    """The hook reaches every client of the process, whatever its transport; after uninstalling, none."""
    existing = lib.Client(transport=mock(lib))
    amplitude_ai.install_transport(amplitude_client=EventList())
    amplitude_ai.install_transport(amplitude_client=events)  # the second word counts, the hook is one
    future = lib.Client(transport=mock(lib))
    mounted = lib.Client(mounts={"https://api.openai.com": mock(lib)})
    for client in (existing, future, mounted):
        assert client.post(URL, json=CHAT).json() == ANSWER
    assert records(events) == 3
    amplitude_ai.uninstall_transport()
    existing.post(URL, json=CHAT)
    assert records(events) == 3


@either
def test_other_traffic_is_left_alone(lib, events):
    """A request that is no model call gets no record, and the response's own stream."""
    amplitude_ai.install_transport(amplitude_client=events)
    with lib.Client(transport=mock(lib)) as client:
        response = client.get("https://example.com/health")
    assert type(response.stream).__module__.partition(".")[0] == lib.__name__
    assert records(events) == 0


def test_a_library_imported_later_is_hooked():
    """The order of imports does not matter."""
    code = (
        "import amplitude_ai, sys; from amplitude_ai.testing import EventList; events = EventList();"
        "amplitude_ai.install_transport(amplitude_client=events); assert 'httpx' not in sys.modules;"
        "import httpx;"
        "client = httpx.Client(transport=httpx.MockTransport(lambda r: httpx.Response(200, json={'choices': []})));"
        f"client.post({URL!r}, json={CHAT!r}); amplitude_ai.flush(); print(len(events.of_type('llm_message')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "1", done.stderr


@either
def test_environment_proxies_stay(lib, monkeypatch):
    """``Client(transport=...)`` would turn them off; ours keeps the same routes through the same proxies."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "internal.example")
    bare, ours = lib.Client(), amplitude_ai.instrumented_httpx(library=lib.__name__)

    def pool(client, host):
        return type(client._transport_for_url(lib.URL(f"https://{host}/"))._pool).__name__

    assert list(ours._mounts) == list(bare._mounts)
    for host in ("api.openai.com", "internal.example"):
        assert pool(ours, host) == pool(bare, host)
    assert pool(ours, "api.openai.com") != pool(ours, "internal.example")


@either
def test_instrumenting_in_place_keeps_the_client(lib, events):
    """Transport, mounts, time-outs, limits and hooks are the client's own; a second time changes nothing."""
    transport, mounted = lib.HTTPTransport(http2=False, limits=lib.Limits(max_connections=3), retries=2), mock(lib)
    client = lib.Client(
        transport=transport, mounts={"https://api.openai.com": mounted, "http://off": None}, timeout=7, verify=False
    )
    assert amplitude_ai.instrument(client, amplitude_client=events) is client
    once = client._transport
    amplitude_ai.instrument(client)
    assert client._transport is once
    assert client._transport._inner is transport
    assert client._transport._pool is transport._pool
    assert [None if one is None else one._inner for one in client._mounts.values()].count(mounted) == 1
    assert None in client._mounts.values()
    assert client.timeout == lib.Timeout(7)
    client.post(URL, json=CHAT)
    assert records(events) == 1


def test_a_session_in_place(events):
    """A requests session keeps its adapters, proxies, certificates and hooks."""
    session = requests.Session()
    session.proxies, session.verify = {"https": "http://127.0.0.1:9"}, "/ca.pem"
    before = dict(session.adapters)
    amplitude_ai.instrument(session, amplitude_client=events)
    amplitude_ai.instrument(session)
    assert session.adapters == before
    assert isinstance(session.get_adapter(URL), requests.adapters.HTTPAdapter)
    assert (session.proxies, session.verify) == ({"https": "http://127.0.0.1:9"}, "/ca.pem")


def test_an_explicit_client_is_recorded_once_under_the_hook(events):
    """Where both forms meet the explicit one speaks."""
    told, hooked = events, EventList()
    amplitude_ai.install_transport(amplitude_client=hooked)
    with amplitude_ai.instrumented_httpx(transport=mock(httpx2), amplitude_client=told) as client:
        client.post(URL, json=CHAT)
    assert (records(told), len(hooked.events)) == (1, 0)


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: amplitude_ai.instrumented_httpx(library="aiohttp"), ValueError, "library must be 'httpx2' or 'httpx'"),
        (lambda: amplitude_ai.instrument(object()), TypeError, "client: .*install_transport"),
        (lambda: amplitude_ai.instrument(requests), TypeError, "client: "),
        (lambda: amplitude_ai.instrumented_httpx(user_id=7), TypeError, "user_id must be a string.*str"),
        (lambda: amplitude_ai.instrumented_httpx(user_id=""), ValueError, "user_id must not be empty"),
        (lambda: amplitude_ai.instrumented_httpx(amplitude_client="key"), TypeError, "amplitude_client"),
        (lambda: amplitude_ai.instrumented_httpx(ai_config={}), TypeError, "ai_config"),
        (lambda: amplitude_ai.install_transport(auto_start_session="no"), TypeError, "auto_start_session"),
        (lambda: amplitude_ai.AIConfig(max_content_length=-1), ValueError, "max_content_length"),
        (lambda: amplitude_ai.AIConfig(session_timeout_ms=0), ValueError, "session_timeout_ms"),
        (lambda: amplitude_ai.AIConfig(privacy_mode="yes"), TypeError, "privacy_mode"),
        (lambda: amplitude_ai.flush(-1), ValueError, "timeout"),
    ],
)
def test_bad_input_is_told(call, error, told):
    """The error names the argument and the remedy."""
    with pytest.raises(error, match=told):
        call()
